"""Registered decode heads."""
