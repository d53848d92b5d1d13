"""Pure drawing: arrays in, pictures out."""
