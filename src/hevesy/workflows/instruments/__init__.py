"""Instruments side by side: what a camera buys, before it is bought."""

from __future__ import annotations

import json
from pathlib import Path

from hevesy.errors import OutputFailed
from hevesy.stages.reporting.line_charts import line_chart
from hevesy.stages.reporting.whole_file import write_text
from hevesy.workflows.instruments.cardiac import compare_cardiac
from hevesy.workflows.instruments.collimators import compare_collimators
from hevesy.workflows.instruments.comparison import Comparison
from hevesy.workflows.instruments.heads import compare_heads
from hevesy.workflows.instruments.time_of_flight import compare_time_of_flight

__all__ = [
    "Comparison",
    "compare_cardiac",
    "compare_collimators",
    "compare_heads",
    "compare_time_of_flight",
    "facts",
    "write_comparison",
]


def facts(found: Comparison) -> dict[str, object]:
    """Return a comparison's table and notes, ready for JSON."""
    rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
    return {"title": found.title, "rows": rows, "notes": list(found.notes)}


def write_comparison(found: Comparison, folder: Path, name: str) -> tuple[Path, Path]:
    """Write the figure as ``name.svg`` and the table as ``name.json``; return their paths.

    Raises
    ------
    OutputFailed
        If they cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise OutputFailed(f"{folder} cannot be made ({fault.strerror}).", "Choose another --out.") from fault
    figure, table = folder / f"{name}.svg", folder / f"{name}.json"
    write_text(figure, line_chart(found.title, found.panels))
    write_text(table, json.dumps(facts(found), indent=2, ensure_ascii=False) + "\n")
    return figure, table
