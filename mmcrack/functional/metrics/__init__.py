"""Crack metrics as pure functions of masks."""
