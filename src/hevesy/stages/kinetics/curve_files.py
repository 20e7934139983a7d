"""Time-activity curves and cohorts from tables of comma-separated values."""

from __future__ import annotations

import csv
import difflib
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hevesy.core import Curve
from hevesy.errors import BadInput, EmptyInput, ImpossibleTiming, MissingInformation, UnreadableFile

HOUR, MBQ = 3600.0, 1e6
_CURVE_COLUMNS = ("region", "t_h", "activity_MBq")
_OPTIONAL = ("u_MBq", "duration_h", "patient")
#: relative uncertainty by which the physics of a curve is checked that states none
_GUESSED_U = 0.1
#: MBq in one region below which, or past which, a unit is probably wrong; and past which in the whole body
_PLAUSIBLE_MBQ, _PLAUSIBLE_BODY_MBQ = (1e-3, 1e4), 5e4


def read_curves(path: Path, relative_u: float | None = None) -> tuple[list[Curve], tuple[str, ...]]:
    """Read curves from a table.

    Parameters
    ----------
    path : Path
        Columns ``region, t_h, activity_MBq`` and, where known, ``u_MBq`` (standard uncertainty that is independent of
        the other points) and ``duration_h`` (of the scan, which starts at ``t_h``).
    relative_u : float or None
        Relative standard uncertainty where the table gives none. Without it, a curve of which no point has an
        uncertainty is weighted as if all had the same relative one, of a scale that is not known.

    Returns
    -------
    tuple
        The curves, in order of first mention, and warnings.

    Raises
    ------
    EmptyInput, UnreadableFile, MissingInformation, BadInput, ImpossibleTiming
        Each with the line of the table and what to do.
    """
    rows = _rows(path, _CURVE_COLUMNS)
    regions = dict.fromkeys(row["region"] for row in rows)
    curves = [_curve(name, [row for row in rows if row["region"] == name], relative_u) for name in regions]
    return curves, tuple(w for curve in curves if (w := _implausible(curve)))


def read_cohort(path: Path, relative_u: float | None = None) -> dict[str, dict[str, Curve]]:
    """Read the curves of a department's own patients: region → patient → curve.

    The columns are those of `read_curves` and ``patient``.
    """
    rows = _rows(path, ("patient", *_CURVE_COLUMNS))
    cohort: dict[str, dict[str, Curve]] = {}
    for patient, region in dict.fromkeys((row["patient"], row["region"]) for row in rows):
        mine = [row for row in rows if (row["patient"], row["region"]) == (patient, region)]
        cohort.setdefault(region, {})[patient] = _curve(f"{region} of {patient}", mine, relative_u)
    return cohort


def _rows(path: Path, needed: Sequence[str]) -> list[dict[str, str]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise EmptyInput(f"There is no file {path}.") from None
    except (UnicodeDecodeError, OSError) as error:
        raise UnreadableFile(f"{path} cannot be read as text ({error}).", "Save the table as CSV in UTF-8.") from None
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    reader = csv.DictReader(lines, delimiter=";" if lines and lines[0].count(";") > lines[0].count(",") else ",")
    columns = [c.strip() for c in reader.fieldnames or ()]
    reader.fieldnames = columns
    _check_columns(path, columns, needed)
    rows = [{k: (v or "").strip() for k, v in row.items() if k} for row in reader]
    if not rows:
        raise EmptyInput(f"{path} holds no point.", f"Give rows of {', '.join(needed)}.")
    return rows


def _check_columns(path: Path, columns: Sequence[str], needed: Sequence[str]) -> None:
    known = (*needed, *_OPTIONAL)
    for column in columns:
        if column not in known and (near := difflib.get_close_matches(column, known, 1, 0.7)):
            raise BadInput(f"{path} has a column '{column}'.", f"Is '{near[0]}' meant?")
    if missing := [c for c in needed if c not in columns]:
        raise MissingInformation(
            f"{path} has no column {' and no column '.join(map(repr, missing))}.",
            f"Its first line must be: {','.join((*needed, 'u_MBq'))}.",
        )


def _number(row: dict[str, str], column: str, where: str) -> float:
    try:
        value = float(row[column])
    except ValueError:
        raise BadInput(
            f"{where} has '{row[column]}' for {column}.", "Give a number, with a point for decimals."
        ) from None
    if not math.isfinite(value):
        raise BadInput(f"{where} has {row[column]} for {column}.", "Leave the point out, or give a number.")
    return value


def _curve(name: str, rows: list[dict[str, str]], relative_u: float | None) -> Curve:
    where = f"Curve '{name}'"
    t = np.array([_number(row, "t_h", where) for row in rows]) * HOUR
    activity = np.array([_number(row, "activity_MBq", where) for row in rows]) * MBQ
    duration = np.array([_number(row, "duration_h", where) if row.get("duration_h") else 0.0 for row in rows]) * HOUR
    if (activity <= 0).any():
        bad = int(np.argmax(activity <= 0))
        raise BadInput(
            f"{where} has an activity of {activity[bad] / MBQ:g} MBq at {t[bad] / HOUR:g} h.",
            "Activity must be positive: leave the point out, or check the background correction.",
        )
    if len(set(t)) < t.size:
        raise ImpossibleTiming(f"{where} has two points at one time.", "Average them, or give each its own time.")
    given = [bool(row.get("u_MBq")) for row in rows]
    if relative_u is None and any(given) and not all(given):
        raise MissingInformation(
            f"{where} has points without u_MBq.", "Fill the column, or give --u-percent for all points that lack it."
        )
    otherwise = _GUESSED_U if relative_u is None else relative_u
    u = [
        _number(row, "u_MBq", where) * MBQ if row.get("u_MBq") else otherwise * a
        for row, a in zip(rows, activity, strict=True)
    ]
    return Curve(t, t + duration, activity, np.array(u), name, u_known=any(given) or relative_u is not None)


def _implausible(curve: Curve) -> str:
    top = float(curve.activity_Bq.max()) / MBQ
    least, most = _PLAUSIBLE_MBQ
    if least <= top <= (_PLAUSIBLE_BODY_MBQ if "body" in curve.name.lower() else most):
        return ""
    return f"Curve '{curve.name}' reaches {top:.3g} MBq: is that the unit? --administered-GBq has it checked."
