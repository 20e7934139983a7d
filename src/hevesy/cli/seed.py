"""The seed of a command's random numbers."""

from __future__ import annotations

import argparse


def seed(text: str) -> int:
    """Return a seed as it was typed.

    Raises
    ------
    ArgumentTypeError
        If it is no whole number of 0 or more.
    """
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of 0 or more")
    return int(text)
