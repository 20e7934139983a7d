"""Absorbed dose from time-integrated activity; engines share one signature and enter by one registry."""
