"""Registered transforms that MMSegmentation lacks."""
