"""Hevesy: nuclear theranostics from images to absorbed dose. Research and education; not a medical device."""

__version__ = "0.1.0"
