"""``hevesy tia``: time-integrated activity of the regions of a table of curves."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

from hevesy.core import Measured
from hevesy.data.nuclides import nuclide
from hevesy.errors import BadInput, MissingInformation
from hevesy.stages.kinetics import CRITERIA, METHODS, MODELS, Fit, PopulationHalfLife, read_cohort, read_curves
from hevesy.workflows.integration import Integration, integrate

MBQ_H = 1e6 * 3600.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "curves", type=Path, nargs="?", metavar="CURVES", help="CSV with columns region,t_h,activity_MBq,u_MBq"
    )
    parser.add_argument("--nuclide", required=True, help="such as Lu-177")
    models = ", ".join([*MODELS, "average", "bayes"])
    parser.add_argument("--model", default="auto", help=f"auto (default), {models}")
    parser.add_argument(
        "--criterion",
        choices=list(CRITERIA),
        help="how auto and average compare models (default aic; aicc where a curve has no u_MBq)",
    )
    parser.add_argument(
        "--immediate-uptake",
        action="store_true",
        help="activity was in every region from administration on, as of microspheres",
    )
    parser.add_argument("--one-scan", metavar="METHOD", help=f"for curves of one point: {', '.join(METHODS)}")
    parser.add_argument("--u-percent", type=float, metavar="P", help="standard uncertainty of points without u_MBq")
    parser.add_argument("--half-life-h", type=float, metavar="H", help="effective half-life of every region")
    parser.add_argument(
        "--half-life-gsd", type=float, metavar="G", help="its geometric standard deviation over patients"
    )
    parser.add_argument("--half-life-source", default="the user", metavar="TEXT", help="where it comes from")
    parser.add_argument(
        "--radiopharmaceutical", metavar="NAME", help='take published half-lives, such as of "Lu-177 DOTATATE"'
    )
    parser.add_argument("--cohort", type=Path, metavar="FILE", help="curves of your own patients: patient,region,t_h,…")
    parser.add_argument("--administered-GBq", type=float, metavar="A", help="check that no region holds more")
    parser.add_argument(
        "--administered-u-percent", type=float, metavar="P", help="standard uncertainty of the administered activity"
    )
    parser.add_argument(
        "--counter",
        type=Path,
        metavar="FILE",
        help="readings of a whole-body counter or probe: t_h,counts,duration_s,…",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> None:
    """Print the time-integrated activity of every region."""
    relative = options.u_percent / 100 if options.u_percent is not None else None
    if options.curves is None and options.counter is None:
        raise BadInput("There is nothing to integrate.", "Give a table of curves, or --counter.")
    curves, warnings = read_curves(options.curves, relative) if options.curves else ([], ())
    asked = Integration(
        nuclide=nuclide(options.nuclide),
        model=options.model,
        one_scan=options.one_scan,
        half_life=_half_life(options),
        radiopharmaceutical=options.radiopharmaceutical,
        cohort=read_cohort(options.cohort, relative) if options.cohort else {},
        administered=_administered(options),
        criterion=options.criterion,
        immediate_uptake=options.immediate_uptake,
    )
    fits, more = integrate(curves, asked)
    if options.counter:
        fits.append(_whole_body(options, asked, relative or 0.0))
    if options.json:
        document = {"nuclide": asked.nuclide.name, "regions": [describe(fit) for fit in fits]}
        print(json.dumps({**document, "warnings": [*warnings, *more]}, indent=2, ensure_ascii=False))
    else:
        show(fits, (*warnings, *more))


def _half_life(options: argparse.Namespace) -> PopulationHalfLife | None:
    if options.half_life_h is None:
        return None
    if options.half_life_gsd is None:
        raise BadInput(
            "An effective half-life without its spread over patients has no uncertainty.",
            "Give --half-life-gsd, such as 1.2 for 20%; 1 only where the half-life is exact.",
        )
    return PopulationHalfLife(options.half_life_h * 3600.0, options.half_life_gsd, options.half_life_source)


def _administered(options: argparse.Namespace) -> Measured | None:
    value_GBq, percent = options.administered_GBq, options.administered_u_percent
    if value_GBq is None:
        return None
    if not 0 < value_GBq < math.inf:
        raise BadInput(f"An administered activity cannot be {value_GBq} GBq.")
    if percent is not None and not 0 <= percent < math.inf:
        raise BadInput(f"The uncertainty of an administered activity cannot be {percent}%.")
    return Measured(value_GBq * 1e9, value_GBq * 1e7 * (percent or 0.0), "Bq", "administered activity")


def _whole_body(options: argparse.Namespace, asked: Integration, u_relative: float) -> Fit:
    """Return the fit of a whole-body counter's readings."""
    from hevesy.workflows.whole_body import counted_fit

    if asked.administered is None or options.administered_u_percent is None:
        raise MissingInformation(
            "The readings of a whole-body counter are calibrated by the administered activity.",
            "Give --administered-GBq and --administered-u-percent.",
        )
    if asked.criterion == "aicc":
        raise BadInput(
            "The models of a whole-body counter's readings are compared by aic.",
            "Leave --criterion out, or name --model.",
        )
    return counted_fit(options.counter, asked.administered, asked.nuclide.decay_constant, u_relative, asked.model)


def describe(fit: Fit) -> dict[str, Any]:
    """Return one region's result in MBq·h and h."""
    tia, half_life = fit.tia, fit.effective_half_life
    return {
        "name": fit.name,
        "model": fit.model,
        "method": fit.method,
        "criterion": fit.criterion or None,
        "tia_MBq_h": {
            "value": tia.value / MBQ_H,
            "u": tia.u / MBQ_H,
            "interval95": [end / MBQ_H for end in fit.interval95],
            "components": {label: u / MBQ_H for label, u in tia.components.items()},
        },
        "effective_half_life_h": None if half_life is None else half_life.value / 3600.0,
        "effective_half_life_u_h": None if half_life is None else half_life.u / 3600.0,
        "tail_fraction": fit.tail_fraction,
        "best_next_scan_h": None if fit.best_next_scan_s is None else fit.best_next_scan_s / 3600.0,
        "warnings": list(fit.warnings),
    }


def show(fits: list[Fit], warnings: tuple[str, ...]) -> None:
    """Print a table, then every warning."""
    from rich.console import Console
    from rich.table import Table

    from hevesy.stages.reporting.rounding import interval, with_uncertainty

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column, side in (("region", "left"), ("model", "left"), ("Ã / MBq·h", "right"), ("95%", "right")):
        table.add_column(column, justify=side, no_wrap=True)  # type: ignore[arg-type]
    for column in ("T_eff / h", "tail"):
        table.add_column(column, justify="right")
    for fit in fits:
        half_life = fit.effective_half_life
        table.add_row(
            fit.name,
            fit.model,
            with_uncertainty(fit.tia, MBQ_H),
            interval(fit.interval95, fit.tia.u, MBQ_H),
            "–" if half_life is None else with_uncertainty(half_life, 3600.0),
            f"{fit.tail_fraction:.0%}",
        )
    console = Console(highlight=False)
    console.print(table, soft_wrap=True)
    for criterion in dict.fromkeys(fit.criterion for fit in fits if fit.criterion):
        names = ", ".join(fit.name for fit in fits if fit.criterion == criterion)
        console.print(f"Models compared by {criterion}: {names}.", markup=False, soft_wrap=True)
    for line in warnings:
        console.print(f"- {line}", markup=False, soft_wrap=True)
    for fit in fits:
        for line in fit.warnings:
            console.print(f"- {fit.name}: {line}", markup=False, soft_wrap=True)
