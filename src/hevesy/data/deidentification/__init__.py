"""What becomes of each DICOM attribute when a patient is de-identified; sources in README.md."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Action:
    """A row of DICOM PS3.15 Table E.1-1.

    Parameters
    ----------
    name : str
        The attribute's name.
    action : str
        Of the basic profile: X, Z, D, U or several joined by a slash.
    patient_characteristics, modified_dates, descriptors : str
        What the option of that name makes of it: K (keep), C (clean) or nothing.
    """

    name: str
    action: str
    patient_characteristics: str
    modified_dates: str
    descriptors: str


@dataclass(frozen=True, slots=True)
class SafePrivate:
    """A private element that may stay: group, name of the block, element within it, and kind of value."""

    group: int
    creator: str
    element: int
    vr: str


@cache
def actions() -> dict[int, Action]:
    """Return the rows of the table by tag."""
    rows = _rows("actions.csv")
    return {int(row.pop("tag"), 16): Action(**row) for row in rows}


@cache
def safe_private() -> tuple[SafePrivate, ...]:
    """Return the private elements that may stay."""
    return tuple(
        SafePrivate(int(row["group"], 16), row["creator"], int(row["element"], 16), row["vr"])
        for row in _rows("safe_private.csv")
    )


@cache
def vocabulary() -> frozenset[str]:
    """Return the words that may stay in a descriptor, in lower case."""
    text = files(__package__).joinpath("vocabulary.txt").read_text(encoding="utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())


def _rows(name: str) -> list[dict[str, str]]:
    with files(__package__).joinpath(name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))
