"""The one place that states mmcrack's version."""

__version__ = '0.1.0'
