"""Effective half-lives of populations, by radiopharmaceutical and tissue; sources in README.md."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from hevesy.errors import UnknownName


@dataclass(frozen=True, slots=True)
class PublishedHalfLife:
    """One row: medians, h; geometric standard deviations; source; and against what the half-life was verified.

    The uptake and the spread of the activity are assumptions for simulated patients, not published figures.
    """

    radiopharmaceutical: str
    tissue: str
    half_life_h: float
    geometric_sd: float
    uptake_half_life_h: float
    uptake_geometric_sd: float
    activity_geometric_sd: float
    checked: str
    source: str


@cache
def published_half_lives() -> tuple[PublishedHalfLife, ...]:
    """Read the whole table."""
    with files(__package__).joinpath("table.csv").open(encoding="utf-8") as file:
        return tuple(_row(row) for row in csv.DictReader(file))


def _row(row: dict[str, str]) -> PublishedHalfLife:
    words = {key: row[key] for key in ("radiopharmaceutical", "tissue", "checked", "source")}
    return PublishedHalfLife(**words, **{key: float(value) for key, value in row.items() if key not in words})  # type: ignore[arg-type]


def tissues(radiopharmaceutical: str) -> tuple[PublishedHalfLife, ...]:
    """Return every row of a radiopharmaceutical.

    Raises
    ------
    UnknownName
        If the table has none.
    """
    rows = tuple(row for row in published_half_lives() if row.radiopharmaceutical == radiopharmaceutical)
    if not rows:
        have = ", ".join(dict.fromkeys(row.radiopharmaceutical for row in published_half_lives()))
        raise UnknownName(f"No effective half-lives are on file for '{radiopharmaceutical}'.", f"There are: {have}.")
    return rows


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
