"""``hevesy calibrate``: counts per second and becquerel, from scans of a phantom."""

from __future__ import annotations

import argparse
import json
from datetime import datetime
from pathlib import Path

from hevesy.core import Measured
from hevesy.data.nuclides import nuclide
from hevesy.errors import BadInput, MissingInformation
from hevesy.stages.imaging.supplied import Supplied
from hevesy.stages.quantification.calibration import KnownActivity, cross_calibrate
from hevesy.stages.quantification.energy_windows import WindowRequest
from hevesy.stages.quantification.planar_dead_time import DeadTime


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not an instant such as 2024-03-01T12:00") from None


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "scans", type=Path, nargs="+", metavar="SCAN", help="folder or file of each scan of the phantom"
    )
    parser.add_argument("--nuclide", required=True, help="such as Lu-177")
    parser.add_argument("--activity-MBq", type=float, required=True, metavar="A", help="in the phantom")
    parser.add_argument("--u-percent", type=float, required=True, metavar="P", help="its standard uncertainty")
    parser.add_argument("--measured-at", type=_instant, required=True, metavar="TIME", help="the instant it refers to")
    parser.add_argument(
        "--window", metavar="NAME", help="energy window of the photopeak in planar views, or its limits"
    )
    parser.add_argument(
        "--scatter", metavar="NAMES", help="windows for scatter in planar views, joined by commas, or none"
    )
    parser.add_argument("--radius-mm", type=float, metavar="R", help="count in a sphere about the centre of the counts")
    parser.add_argument("--start", type=_instant, metavar="TIME", help="of the scan, where the file lacks it")
    parser.add_argument("--duration-s", type=float, metavar="S", help="of the scan, where the file lacks it")
    parser.add_argument("--dead-time-us", type=float, metavar="T", help="of the camera a count, microseconds …")
    parser.add_argument("--dead-time-u-percent", type=float, metavar="P", help="… its standard uncertainty …")
    parser.add_argument(
        "--dead-time-model", choices=("paralysable", "non-paralysable"), help="… and whether a missed count prolongs it"
    )
    parser.add_argument("--meter-MBq", type=float, metavar="M", help="a source as your activity meter reads it …")
    parser.add_argument("--reference-MBq", type=float, metavar="M", help="… and as the reference reads it")
    parser.add_argument(
        "--reference-u-percent", type=float, default=0.0, metavar="P", help="the reference's uncertainty"
    )
    parser.add_argument(
        "--write", type=Path, metavar="FILE", help="copy the (one) scan with its values mapped to Bq/mL"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> None:
    """Print the calibration factor and the lines of case.yaml that carry it."""
    from hevesy.workflows.calibration import calibrate

    if not (options.activity_MBq > 0 and options.u_percent >= 0):
        raise BadInput("A phantom needs a positive activity and an uncertainty that is not negative.")
    activity = options.activity_MBq * 1e6
    source = nuclide(options.nuclide)
    known = KnownActivity(
        Measured(activity, activity * options.u_percent / 100, "Bq", "activity meter"),
        options.measured_at,
        source.decay_constant,
    )
    windows = WindowRequest(source, options.window, _names(options.scatter), ("--window NAME", "--scatter none"))
    supplied = Supplied(start=options.start, duration_s=options.duration_s)
    found = calibrate(options.scans, known, supplied, windows, options.radius_mm, _dead_time(options))
    factor = _on_reference(found.factor, options)
    if options.write:
        _write(options, factor)
    value, percent = factor.value * 1e6, 100 * factor.u_relative
    if options.json:
        parts = {label: 100 * u / factor.value for label, u in factor.components.items()}
        facts = {"counts_per_s_per_MBq": value, "u_percent": percent, "components_percent": parts}
        print(json.dumps({**facts, "warnings": found.warnings}, indent=2, ensure_ascii=False))
        return
    print(f"calibration factor: {value:.5g} counts/s/MBq ± {percent:.2g}%")
    for label, u in factor.components.items():
        print(f"  {label}: {100 * u / factor.value:.2g}%")
    for warning in found.warnings:
        print(f"! {warning}")
    print(f"case.yaml:\ncalibration:\n  counts_per_s_per_MBq: {value:.6g}\n  u_percent: {percent:.3g}")


def _dead_time(options: argparse.Namespace) -> DeadTime | None:
    tau, percent, model = options.dead_time_us, options.dead_time_u_percent, options.dead_time_model
    if tau is percent is model is None:
        return None
    if tau is None or percent is None or model is None:
        raise MissingInformation(
            "A dead time has a size, an uncertainty and a model, by which what was lost differs.",
            "Give --dead-time-us, --dead-time-u-percent and --dead-time-model.",
        )
    if not (tau > 0 and percent >= 0):
        raise BadInput("A dead time is positive, and its uncertainty is not negative.")
    return DeadTime(Measured(tau * 1e-6, tau * 1e-8 * percent, "s", "dead time"), model)


def _names(joined: str | None) -> tuple[str, ...] | None:
    if joined is None:
        return None
    return () if joined == "none" else tuple(name.strip() for name in joined.split(","))


def _on_reference(factor: Measured, options: argparse.Namespace) -> Measured:
    given = (options.meter_MBq, options.reference_MBq)
    if given == (None, None):
        return factor
    if None in given:
        raise BadInput("A cross-calibration needs both readings.", "Give --meter-MBq and --reference-MBq.")
    reference = options.reference_MBq * 1e6
    u = reference * options.reference_u_percent / 100
    return cross_calibrate(
        factor, Measured(options.meter_MBq * 1e6, 0.0, "Bq"), Measured(reference, u, "Bq", "reference")
    )


def _write(options: argparse.Namespace, factor: Measured) -> None:
    from hevesy.stages.imaging.real_world_values import write_real_world_values

    if len(options.scans) != 1 or not options.scans[0].is_file():
        raise BadInput("--write needs one scan that is one file.")
    if options.write.exists():
        raise BadInput(f"{options.write} exists already.", "Choose another name.")
    write_real_world_values(options.scans[0], options.write, factor)
