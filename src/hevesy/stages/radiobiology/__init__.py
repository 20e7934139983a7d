"""Radiobiology: what a distribution of absorbed dose does."""
