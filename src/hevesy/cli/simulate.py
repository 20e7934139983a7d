"""``hevesy simulate``: what a SPECT camera would count of a known activity."""

from __future__ import annotations

import argparse
import math
from pathlib import Path


def configure(command: argparse.ArgumentParser) -> None:
    """Add the options of ``hevesy simulate``."""
    add = command.add_argument
    add("phantom", metavar="PHANTOM", type=Path, help=".npz with activity (Bq/mL), mu (1/cm) and angles_deg")
    add("--geometry", metavar="FILE", type=Path, required=True, help="JSON with voxel_cm, camera.radius_cm and psf")
    add("--seconds-per-view", metavar="S", type=float, required=True, help="how long each view is counted")
    add("--sensitivity", metavar="F", type=float, required=True, help="counts per second and becquerel of one head")
    add("--nuclide", metavar="NAME", help="such as Lu-177, for its decay during the scan; none if absent")
    add("--heads", metavar="N", type=int, default=1, help="heads that share the views (default: 1)")
    add("--step-s", metavar="S", type=float, default=0.0, help="time lost between views (default: 0)")
    add("--seed", metavar="N", type=int, default=1, help="seed of the noise (default: 1)")
    add("--radius-mm", metavar="R", type=float, help="distance of the detector from the axis of rotation")
    add("--no-attenuation", action="store_true", help="without attenuation")
    add("--no-response", action="store_true", help="without the collimator's response")
    add("--out", metavar="DIR", type=Path, default=Path(), help="folder for projections.npz (default: here)")


def run(options: argparse.Namespace) -> None:
    """Simulate and write the projections."""
    from hevesy.data.nuclides import nuclide
    from hevesy.stages.quantification.reconstruction.simulation import Acquisition
    from hevesy.workflows.projection_file import Allowances
    from hevesy.workflows.simulation import simulate_file, write_projections

    rate = nuclide(options.nuclide).decay_constant.value if options.nuclide else 0.0
    scan = Acquisition(options.seconds_per_view, options.sensitivity, options.heads, rate, options.step_s)
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
