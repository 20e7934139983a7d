"""``hevesy dose``: absorbed doses of one patient, from DICOM to report."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hevesy.stages.reporting.results import CaseResult


def configure(command: argparse.ArgumentParser) -> None:
    """Add the options of ``hevesy dose``."""
    command.add_argument("case", metavar="CASE", type=Path, help="folder with the images of one administration")
    command.add_argument("--out", metavar="DIR", type=Path, required=True, help="folder for the results")
    command.add_argument("--engine", metavar="NAME", help="dose engine (default: that of case.yaml, or local)")
    command.add_argument("--compare", metavar="NAMES", help="other engines to set beside, joined by commas, or all")
    command.add_argument(
        "--config", metavar="FILE", type=Path, help="what the images do not say (default: CASE/case.yaml if there)"
    )
    command.add_argument(
        "--planar", metavar="CSV", type=Path, help="planar curves (region,t_h,activity_MBq,u_MBq) to scale to one SPECT"
    )


def run(options: argparse.Namespace) -> None:
    """Compute the doses, write every output, and print the table."""
    from hevesy.cli.progress import steps
    from hevesy.stages.kinetics.curve_files import read_curves
    from hevesy.workflows.case import load_case
    from hevesy.workflows.delivery import delivering
    from hevesy.workflows.publication import publish
    from hevesy.workflows.therapy import therapy_dose

    case = load_case(options.case, options.config).choosing(options.engine, _compared(options))
    planar = {c.name: c for c in read_curves(options.planar)[0]} if options.planar else None
    with steps() as progress, delivering(options.out) as folder:
        outcome = therapy_dose(options.case, case, progress, planar)
        publish(outcome, folder, progress, case.instant("created"))
    _show(outcome.result, options.out)


def _compared(options: argparse.Namespace) -> list[str] | None:
    from hevesy.stages.dosimetry.engines import ENGINES

    if options.compare is None:
        return None
    return list(ENGINES) if options.compare == "all" else [name for name in options.compare.split(",") if name]


def _show(result: CaseResult, folder: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    from hevesy.stages.reporting.rounding import interval, plain, with_uncertainty

    others = [other.engine.name for other in result.comparisons]
    table = Table("region", "volume (mL)", "absorbed dose (Gy)", "95% interval (Gy)", "T_eff (h)", *others)
    for number, row in enumerate(result.regions):
        if row.dose is None or row.dose_interval95 is None:
            continue
        half_life = row.model.effective_half_life
        table.add_row(
            row.region.name,
            plain(row.volume.value),
            with_uncertainty(row.dose),
            interval(row.dose_interval95, row.dose.u),
            with_uncertainty(half_life, 3600.0)
            if half_life
            else ("still rising" if len(row.activity) > 1 else "one scan"),
            *(with_uncertainty(other.means[number]) for other in result.comparisons),
        )
    console = Console()
    if table.row_count:
        console.print(table)
    if result.patient_body is not None:
        body = result.patient_body
        dose = f"{with_uncertainty(body.dose)} Gy, " if body.dose else ""
        console.print(f"{body.name}: {dose}TIA {with_uncertainty(body.tia, 3.6e9)} MBq·h", highlight=False)
    for warning in result.warnings:
        console.print(f"[bold]![/bold] {warning}", highlight=False)
    console.print("For research and education; not a medical device.")
    console.print(f"Report: {folder / 'report.html'}", soft_wrap=True, highlight=False)
