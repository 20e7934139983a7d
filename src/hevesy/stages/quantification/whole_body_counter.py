"""The whole body's activity from a counter or probe at a fixed place: readings over the first, before voiding.

Source: Lassmann M et al., EANM Dosimetry Committee series on standard operational procedures for pre-therapeutic
dosimetry I, Eur J Nucl Med Mol Imaging 2008;35:1405; Siegel JA et al., MIRD Pamphlet 16, J Nucl Med 1999;40:37S.
"""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np

from hevesy.core import Measured
from hevesy.errors import BadInput, ImpossibleTiming, MissingInformation
from hevesy.stages.quantification.first_reading import WholeBodyReadings, calibrated_by_first
from hevesy.stages.quantification.table_file import lines_of

_COLUMNS = ("t_h", "counts", "duration_s")
_OPTIONAL = ("opposite_counts", "background_counts", "background_s")


def counter_curve(
    path: Path, administered: Measured, decay_constant: float, u_relative: float = 0.0
) -> WholeBodyReadings:
    """Return the whole body's activity from a table of counter readings, calibrated by the first, before voiding.

    Parameters
    ----------
    path : Path
        Comma-separated columns ``t_h, counts, duration_s`` and, where taken, ``opposite_counts`` (patient turned; the
        geometric mean is used), ``background_counts`` and ``background_s``.
    administered : Measured
        Administered activity, Bq.
    decay_constant : float
        Physical, 1/s.
    u_relative : float
        Of each reading beside its counting: how well the patient is placed again.

    Raises
    ------
    EmptyInput, MissingInformation, BadInput, ImpossibleTiming
        If the table or a column is missing, a value is no number, fewer than two readings, a background at or above a
        reading, a column that some readings lack,
        or times that do not rise.
    """
    rows = _rows(path)
    times = np.array([_number(row, "t_h", n) for n, row in enumerate(rows, 1)]) * 3600.0
    if (np.diff(times) <= 0).any() or times[0] < 0:
        raise ImpossibleTiming(
            f"{path} has readings out of order, twice at one time, or before administration.", "Sort them by time."
        )
    rates = [_rate(row, n) * Measured(1.0, u_relative, label="reading") for n, row in enumerate(rows, 1)]
    return calibrated_by_first((times, times), rates, administered, decay_constant)


def _rows(path: Path) -> list[dict[str, str]]:
    reader = csv.DictReader(lines_of(path))
    columns = [column.strip() for column in reader.fieldnames or ()]
    reader.fieldnames = columns
    if missing := [c for c in _COLUMNS if c not in columns]:
        raise MissingInformation(
            f"{path} has no column '{missing[0]}'.", f"Its first line names: {','.join((*_COLUMNS, *_OPTIONAL))}."
        )
    rows = [{k: (v or "").strip() for k, v in row.items() if k} for row in reader]
    if len(rows) < 2:
        raise BadInput(f"{path} holds {len(rows)} readings; a curve needs two or more.")
    for column in _OPTIONAL:
        filled = [bool(row.get(column)) for row in rows]
        if any(filled) and not all(filled):
            # one side, or no background, in some readings alone is another scale
            raise MissingInformation(
                f"Reading {filled.index(False) + 1} has no {column}, and others have.",
                "Count every reading alike, or leave the column out.",
            )
    return rows


def _number(row: dict[str, str], column: str, reading: int) -> float:
    try:
        value = float(row[column])
    except (KeyError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise BadInput(f"Reading {reading} has '{row.get(column, '')}' for {column}.", "Give a number.")
    return value


def _rate(row: dict[str, str], reading: int) -> Measured:
    """Return the net rate of a reading, 1/s: of both sides, where both were counted, the geometric mean."""
    sides = [c for c in ("counts", "opposite_counts") if row.get(c)]
    net = [_net(row, side, reading) for side in sides]
    return net[0] if len(net) < 2 else ((net[0] * net[1]) ** 0.5).to(1.0, "1/s")


def _net(row: dict[str, str], side: str, reading: int) -> Measured:
    rate = _counted(_number(row, side, reading), _number(row, "duration_s", reading), reading)
    if row.get("background_counts"):
        seconds = _number(row, "background_s", reading)
        rate = rate - _counted(_number(row, "background_counts", reading), seconds, reading)
    if not rate.value > 0:
        raise BadInput(f"Reading {reading} is not above its background.", "Leave it out, or count for longer.")
    return rate


def _counted(counts: float, seconds: float, reading: int) -> Measured:
    if counts < 0 or not seconds > 0:
        raise BadInput(f"Reading {reading} has {counts:g} counts in {seconds:g} s.", "Give counts and their duration.")
    # no counts are known to about one
    return Measured(counts / seconds, math.sqrt(max(counts, 1.0)) / seconds, "1/s", "counts")
