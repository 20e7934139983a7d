"""Quantification: from what a scanner writes to activity that was there."""
