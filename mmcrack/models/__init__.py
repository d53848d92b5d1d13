"""Registered networks of mmcrack."""
