"""``hevesy curves``: time-activity curves of a case and their fits, without the dose."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any


def configure(command: argparse.ArgumentParser) -> None:
    """Add the options of ``hevesy curves``."""
    command.add_argument("case", metavar="CASE", type=Path, help="folder with the images of one administration")
    command.add_argument(
        "--config", metavar="FILE", type=Path, help="what the images do not say (default: CASE/case.yaml if there)"
    )
    command.add_argument("--json", action="store_true", help="write one JSON object instead of text")


def run(options: argparse.Namespace) -> None:
    """Measure every region, fit its curve, and list the points, the fit and the models beside it."""
    from hevesy.cli.progress import steps
    from hevesy.workflows.case import load_case
    from hevesy.workflows.curves import fit_curves, measure_curves

    case = load_case(options.case, options.config)
    with steps() as progress:
        measured = measure_curves(options.case, case, progress)
        progress("fitting time-activity curves")
        found = fit_curves(measured, case)
    print(json.dumps(found, indent=2, ensure_ascii=False) if options.json else _text(found))


def _text(found: dict[str, Any]) -> str:
    return "\n".join(line for region in found["regions"] for line in _lines(region))


def _lines(region: dict[str, Any]) -> list[str]:
    lines = [f"{region['name']} ({region['volume_mL']:.4g} mL)"]
    for point in region["points"]:
        left_out = f"  left out: {point['left_out']}" if point["left_out"] else ""
        lines.append(f"  {point['t_h']:8.2f} h  {point['activity_MBq']:10.4g} ± {point['u_MBq']:.2g} MBq{left_out}")
    if (fit := region["fit"]) is not None:
        low, high = fit["interval95_MBq_h"]
        lines.append(f"  {fit['model']}: {fit['tia_MBq_h']:.5g} MBq·h ({low:.4g} to {high:.4g}), {fit['description']}")
    else:
        lines.append(f"  {region['refusal']}")
    for model in region["models"]:
        criteria = ", ".join(f"{k.upper()} {model[k]:.2f}" for k in ("aic", "aicc") if model[k] is not None)
        lines.append(f"    {model['model']:<16}{model['tia_MBq_h']:>10.5g} MBq·h  {criteria}")
    return [*lines, ""]
