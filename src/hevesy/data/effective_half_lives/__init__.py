"""Effective half-lives of populations, by radiopharmaceutical and tissue; sources in README.md."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from hevesy.errors import UnknownName


@dataclass(frozen=True, slots=True)
class PublishedHalfLife:
    """One row: median, h; geometric standard deviation; source; and against what it was verified."""

    radiopharmaceutical: str
    tissue: str
    half_life_h: float
    geometric_sd: float
    source: str
    checked: str


@cache
def published_half_lives() -> tuple[PublishedHalfLife, ...]:
    """Read the whole table."""
    with files(__package__).joinpath("table.csv").open(encoding="utf-8") as file:
        return tuple(
            PublishedHalfLife(
                row["radiopharmaceutical"],
                row["tissue"],
                float(row["half_life_h"]),
                float(row["geometric_sd"]),
                row["source"],
                row["checked"],
            )
            for row in csv.DictReader(file)
        )


def published_half_life(radiopharmaceutical: str, tissue: str) -> PublishedHalfLife:
    """Return the row for a radiopharmaceutical in a tissue.

    Raises
    ------
    UnknownName
        If the table has none.
    """
    rows = published_half_lives()
    for row in rows:
        if (row.radiopharmaceutical, row.tissue) == (radiopharmaceutical, tissue):
            return row
    have = "; ".join(f"{row.radiopharmaceutical} in {row.tissue}" for row in rows)
    raise UnknownName(
        f"No effective half-life is on file for {radiopharmaceutical} in {tissue}.",
        f"There are: {have}. Or supply one with its source.",
    )
