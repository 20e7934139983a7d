"""``hevesy simulate``: what a gamma camera would count of a known activity."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING

from hevesy.cli.seed import seed

if TYPE_CHECKING:
    from hevesy.stages.quantification.reconstruction.simulation import Acquisition


def configure(command: argparse.ArgumentParser) -> None:
    """Add the options of ``hevesy simulate``."""
    add = command.add_argument
    add("phantom", metavar="PHANTOM", type=Path, help=".npz with activity (Bq/mL) and mu (1/cm)")
    add("--camera", metavar="FILE", type=Path, help="JSON of the camera; writes DICOM, of a phantom with voxel_mm")
    add("--geometry", metavar="FILE", type=Path, help="or JSON with voxel_cm, camera.radius_cm and psf; writes .npz")
    add("--view", metavar="KIND", default="tomo", help="of --camera: tomo (default), static or whole-body")
    add("--seconds-per-view", metavar="S", type=float, required=True, help="how long each view is counted")
    add("--sensitivity", metavar="F", type=float, required=True, help="counts per second and becquerel of one head")
    add("--nuclide", metavar="NAME", help="such as Lu-177, for its decay during the scan; none if absent")
    add("--heads", metavar="N", type=int, default=1, help="heads that share the views (default: 1)")
    add("--step-s", metavar="S", type=float, default=0.0, help="time lost between views (default: 0)")
    add("--seed", metavar="N", type=seed, default=1, help="seed of the noise (default: 1)")
    add("--start", metavar="TIME", help="of --camera: start of the scan, such as 2024-03-05T09:30:00")
    add("--administered", metavar="TIME", help="of --camera: time of administration; that of the start if absent")
    add("--activity-mbq", metavar="A", type=float, help="of --camera: administered activity")
    add("--drug", metavar="NAME", default="", help="of --camera: such as 'Lu-177 DOTATATE'")
    add("--patient", metavar="ID", default="SIMULATED", help="of --camera: identifier (default: SIMULATED)")
    add("--frame", metavar="UID", help="of --camera: frame of reference, which a CT shares")
    add("--radius-mm", metavar="R", type=float, help="of --geometry: distance of the detector from the axis")
    add("--no-attenuation", action="store_true", help="of --geometry: without attenuation")
    add("--no-response", action="store_true", help="of --geometry: without the collimator's response")
    add("--out", metavar="DIR", type=Path, default=Path(), help="folder for what is written (default: here)")


def run(options: argparse.Namespace) -> None:
    """Simulate and write the projections or views."""
    from hevesy.data.nuclides import nuclide
    from hevesy.errors import MissingInformation
    from hevesy.stages.quantification.reconstruction.simulation import Acquisition

    rate = nuclide(options.nuclide).decay_constant.value if options.nuclide else 0.0
    scan = Acquisition(options.seconds_per_view, options.sensitivity, options.heads, rate, options.step_s)
    if options.camera is not None:
        _to_dicom(options, scan)
    elif options.geometry is not None:
        _to_arrays(options, scan)
    else:
        raise MissingInformation("The camera is not described.", "Give it with --camera, or --geometry for arrays.")


def _to_arrays(options: argparse.Namespace, scan: Acquisition) -> None:
    from hevesy.workflows.projection_file import Allowances
    from hevesy.workflows.simulation import simulate_file, write_projections

    allow = Allowances(
        options.radius_mm,
        limited_angles=True,
        no_attenuation=options.no_attenuation,
        no_response=options.no_response,
    )
    arrays = simulate_file(options.phantom, options.geometry, scan, allow, options.seed)
    target = write_projections(arrays, options.out)
    total = float(arrays["proj"].sum(dtype=float))
    print(f"{target}: {total:.4g} counts, {math.sqrt(total) / max(total, 1):.2%} noise in their sum;")
    print(f"an image divided by {float(arrays['counts_per_unit']):.5g} is in Bq/mL at the start of the scan")


def _to_dicom(options: argparse.Namespace, scan: Acquisition) -> None:
    from dataclasses import replace

    from hevesy.errors import MissingInformation
    from hevesy.workflows.case import parse_instant
    from hevesy.workflows.delivery import delivering
    from hevesy.workflows.simulated_camera import When, read_plan, session_of, simulate_camera, write_object

    if options.start is None or options.nuclide is None:
        raise MissingInformation("A DICOM object needs a nuclide and a start.", "Give --nuclide and --start.")
    start = parse_instant(options.start, "--start")
    given = start if options.administered is None else parse_instant(options.administered, "--administered")
    session = session_of(options.patient, (options.nuclide, given, options.activity_mbq, options.drug), options.frame)
    plan = read_plan(options.camera, options.view)
    if options.view != "tomo":
        scan = replace(scan, heads=2)
    made = simulate_camera(options.phantom, plan, scan, session, When(start, options.seed))
    with delivering(options.out) as folder:
        path = write_object(made, folder)
    print(f"{options.out / path.name}: {int(made.CountsAccumulated):.4g} counts in all windows")
