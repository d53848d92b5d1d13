"""Registered point samplers."""
