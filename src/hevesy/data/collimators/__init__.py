"""Parallel-hole collimators of clinical cameras; sources in the README."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

from hevesy.core.collimator import Collimator
from hevesy.errors import UnknownName


@cache
def collimators() -> dict[str, Collimator]:
    """Return all collimators by name."""
    with (Path(__file__).parent / "table.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        row["name"]: Collimator(
            row["name"], float(row["hole_mm"]), float(row["septum_mm"]), float(row["length_mm"]), row["material"]
        )
        for row in rows
    }


def collimator(name: str) -> Collimator:
    """Return a collimator by its name, in any case of letters.

    Raises
    ------
    UnknownName
        If there is none of that name.
    """
    for known, found in collimators().items():
        if known.casefold() == name.casefold():
            return found
    raise UnknownName(f"There is no collimator '{name}'.", f"Known are: {', '.join(collimators())}.")
