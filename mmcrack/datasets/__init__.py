"""Crack datasets, their masks, and the generator of synthetic ones."""
