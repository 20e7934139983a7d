"""What every comparison of instruments returns: a question, a figure, a table and what to read in them."""

from __future__ import annotations

from dataclasses import dataclass

from hevesy.stages.reporting.line_charts import Panel


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Instruments side by side.

    Parameters
    ----------
    title : str
        The question.
    panels : tuple of Panel
        The figure.
    columns : tuple of str
        Heads of the table, with units.
    rows : tuple of tuple
        Cells: a name, then numbers.
    notes : tuple of str
        What a reader must know: what was assumed and what was left out.
    """

    title: str
    panels: tuple[Panel, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str | float, ...], ...]
    notes: tuple[str, ...]
