"""Registered metrics over :mod:`mmcrack.functional.metrics`."""
