"""``hevesy instruments``: cameras and collimators side by side, as a figure and a table."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from hevesy.cli.seed import seed

if TYPE_CHECKING:
    from hevesy.workflows.instruments.comparison import Comparison


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add(
        "question",
        metavar="QUESTION",
        choices=("collimators", "heads", "time-of-flight", "cardiac"),
        help="collimators, heads, time-of-flight or cardiac",
    )
    add("--photon-keV", type=float, default=140.5, metavar="E", help="photon energy (collimators; default: 140.5)")
    add("--phantom", type=Path, metavar="FILE", help=".npz of a brain (heads)")
    add("--seed", type=seed, default=1, metavar="N", help="seed of the noise (default: 1)")
    add("--out", type=Path, default=Path(), metavar="DIR", help="folder for the figure and table (default: here)")
    add("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> None:
    """Print the table, and write the figure and the table."""
    from hevesy.cli.progress import steps
    from hevesy.workflows import instruments

    answers = {
        "collimators": lambda: instruments.compare_collimators(options.photon_keV),
        "heads": lambda: instruments.compare_heads(options.phantom, options.seed),
        "time-of-flight": lambda: instruments.compare_time_of_flight(options.seed),
        "cardiac": instruments.compare_cardiac,
    }
    with steps() as step:
        step(f"comparing {options.question}")
        found = answers[options.question]()
    written = instruments.write_comparison(found, options.out, options.question)
    if options.json:
        print(json.dumps(instruments.facts(found), indent=2, ensure_ascii=False))
        return
    print(_table(found))
    print("\n".join(str(path) for path in written))


def _table(found: Comparison) -> str:
    cells = [list(found.columns), *([c if isinstance(c, str) else f"{c:.3g}" for c in row] for row in found.rows)]
    wide = [max(len(row[n]) for row in cells) for n in range(len(found.columns))]
    lines = [
        "  ".join(c.ljust(w) if n == 0 else c.rjust(w) for n, (c, w) in enumerate(zip(row, wide, strict=True)))
        for row in cells
    ]
    return "\n".join([found.title, *lines, *(f"note: {note}" for note in found.notes)])
