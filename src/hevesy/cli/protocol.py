"""``hevesy protocol``: how well a schedule of scans finds the time-integrated activity of simulated patients."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from hevesy.cli.seed import seed
from hevesy.data.effective_half_lives import tissues
from hevesy.data.nuclides import nuclide
from hevesy.errors import BadInput
from hevesy.stages.kinetics import ESTIMATORS, Score, methods_for, score, simulate


def _times(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a list of hours such as 24,96,168") from None


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--times", type=_times, action="append", required=True, metavar="H,H,…", help="scan times, h; may be repeated"
    )
    parser.add_argument(
        "--radiopharmaceutical",
        default="Lu-177 DOTATATE",
        metavar="NAME",
        help="whose kinetics (default Lu-177 DOTATATE)",
    )
    parser.add_argument("--method", action="append", metavar="METHOD", help=f"may be repeated: {', '.join(ESTIMATORS)}")
    parser.add_argument("--patients", type=int, default=500, metavar="N", help="simulated patients (default 500)")
    parser.add_argument(
        "--noise-percent", type=float, default=5.0, metavar="P", help="of each scan's activity (default 5)"
    )
    parser.add_argument("--seed", type=seed, default=1, help="of the random numbers (default 1)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> None:
    """Score every schedule, method and organ, and print them."""
    if not 10 <= options.patients <= 100_000 or not 0 <= options.noise_percent <= 100:
        raise BadInput("Give 10 to 100000 patients, and a noise of 0 to 100%.")
    decay = nuclide(options.radiopharmaceutical.split()[0]).decay_constant.value
    noise = (options.noise_percent / 100, options.seed + 1)
    scores = []
    for row in tissues(options.radiopharmaceutical):
        patients = simulate(row, decay, options.patients, options.seed)
        for times in options.times:
            methods = options.method or methods_for(len(times))
            scores += [score(patients, times, method, decay, noise) for method in methods]
    if options.json:
        print(json.dumps({"patients": options.patients, "scores": [asdict(s) for s in scores]}, indent=2))
    else:
        show(scores, options)


def show(scores: list[Score], options: argparse.Namespace) -> None:
    """Print a table."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("organ", "scans / h", "method"):
        table.add_column(column)
    for column in ("bias", "spread", "beyond 10%", "refused"):
        table.add_column(column, justify="right")
    for s in scores:
        times = ", ".join(f"{t:g}" for t in s.times_h)
        table.add_row(
            s.tissue, times, s.method, f"{s.bias:+.1%}", f"{s.spread:.1%}", f"{s.beyond:.0%}", f"{s.refused:.0%}"
        )
    console = Console(highlight=False)
    console.print(
        f"{options.patients} simulated patients with {options.radiopharmaceutical}, {options.noise_percent:g}% noise."
        " Published half-lives; uptake and spread of activity are assumed.",
        soft_wrap=True,
    )
    console.print(table)
