"""regions.csv: one row a region, for a spreadsheet."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from hevesy.core import Measured
from hevesy.core.dose_volume import DoseMetrics
from hevesy.stages.reporting.results import CaseResult, RegionResult
from hevesy.stages.reporting.whole_file import write_text

#: a cell that begins with one of these is a formula to a spreadsheet, and a name must never be one
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

#: figures of every number: beyond any uncertainty
_FORMAT = ".6g"

_MEGA_HOUR = 3.6e9


def regions_csv(result: CaseResult) -> str:
    """Return the table of regions as RFC 4180 text; the whole body is the last row.

    Units stand in the names of the columns. A cell is empty where there is no number, such as
    the effective half-life of a region whose activity was still rising. A name that a spreadsheet
    would take for a formula gets an apostrophe before it.
    """
    rows = [_row(found) for found in (*result.regions, result.whole_body)]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def write_csv(result: CaseResult, path: Path) -> None:
    """Write ``regions.csv``.

    Raises
    ------
    OutputFailed
        If the file cannot be written; nothing is left behind.
    """
    write_text(path, regions_csv(result))


def as_cell(name: str) -> str:
    """Return a name as a cell that no spreadsheet takes for a formula."""
    return f"'{name}" if name.startswith(_FORMULA) else name


def from_cell(cell: str) -> str:
    """Return the name that a cell holds; what `as_cell` makes of it is the cell."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell


def _row(found: RegionResult) -> dict[str, Any]:
    dose, interval = found.dose, found.dose_interval95
    half_life = found.model.effective_half_life
    name = found.region.name
    numbers = {
        "volume_mL": found.volume.value,
        "volume_u_mL": found.volume.u,
        "mass_g": found.mass.value * 1e3,
        "mass_u_g": found.mass.u * 1e3,
        "absorbed_dose_Gy": dose.value if dose else None,
        "absorbed_dose_u_Gy": dose.u if dose else None,
        "absorbed_dose_lower95_Gy": interval[0] if interval else None,
        "absorbed_dose_upper95_Gy": interval[1] if interval else None,
        **_metrics(found.metrics),
        "tia_MBq_h": found.tia.value / _MEGA_HOUR,
        "tia_u_MBq_h": found.tia.u / _MEGA_HOUR,
        "tia_lower95_MBq_h": found.tia_interval95[0] / _MEGA_HOUR,
        "tia_upper95_MBq_h": found.tia_interval95[1] / _MEGA_HOUR,
        "tail_fraction": found.model.tail_fraction,
        "effective_half_life_h": half_life.value / 3600 if half_life else None,
        "effective_half_life_u_h": half_life.u / 3600 if half_life else None,
    }
    cells = {column: "" if number is None else format(number, _FORMAT) for column, number in numbers.items()}
    return {"name": as_cell(name), "role": found.region.role.value, "model": found.model.model, **cells}


def _metrics(metrics: DoseMetrics | None) -> dict[str, float | None]:
    """Return the columns of what sums up a region's histogram, coldest first, each with its uncertainty."""
    columns: dict[str, float | None] = {}
    for name in ("minimum", "d98", "d50", "d2", "maximum"):
        found: Measured | None = getattr(metrics, name) if metrics else None
        columns |= {f"{name}_Gy": found.value if found else None, f"{name}_u_Gy": found.u if found else None}
    return columns
