"""``hevesy reconstruct``: an image from SPECT projections."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hevesy.errors import MissingInformation

if TYPE_CHECKING:
    from hevesy.workflows.camera_file import Camera
    from hevesy.workflows.projection_file import Allowances
    from hevesy.workflows.reconstruction import Recipe


def configure(command: argparse.ArgumentParser) -> None:
    """Add the options of ``hevesy reconstruct``."""
    add = command.add_argument
    add("projections", metavar="PROJECTIONS", type=Path, help="DICOM file or folder, or .npz with proj, angles_deg, mu")
    add("--geometry", metavar="FILE", type=Path, help="of .npz: JSON with voxel_cm, camera.radius_cm and psf")
    add("--out", metavar="DIR", type=Path, default=Path(), help="folder for the image (default: here)")
    add("--algorithm", metavar="NAME", default="osem", help="osem (default), mlem, osl, bsrem or fbp")
    add("--iterations", metavar="N", type=int, default=4, help="passes over all views (default: 4)")
    add("--subsets", metavar="N", type=int, default=8, help="subsets of views (default: 8)")
    add("--tolerance", metavar="F", type=float, default=0.0, help="stop once an iteration changes less than this")
    add("--prior", metavar="NAME", default="relative-difference", help="relative-difference (default) or quadratic")
    add("--strength", metavar="W", type=float, default=0.0, help="weight of the prior (default: 0)")
    add("--filter-mm", metavar="FWHM", type=float, default=0.0, help="smooth the image at last (default: 0)")
    add("--radius-mm", metavar="R", type=float, help="distance of the detector from the axis of rotation")
    add("--clip-negative", action="store_true", help="of DICOM: take negative counts for 0")
    add(
        "--axis-mm", metavar="X,Y,Z", type=_place, help="of DICOM: the axis of rotation at the first row's middle (LPS)"
    )
    add("--nuclide", metavar="NAME", help="of DICOM: such as Lu-177, where the object does not say")
    add("--photon-kev", metavar="E", type=float, help="of DICOM: photon counted (default: the nuclide's strongest)")
    add("--collimator", metavar="NAME", help="of DICOM: such as 'Siemens Symbia ME'")
    add("--response", metavar="FILE", type=Path, help="of DICOM: JSON with psf as measured, instead of --collimator")
    add("--intrinsic-mm", metavar="FWHM", type=float, default=3.8, help="resolution without collimator (default: 3.8)")
    add("--scatter", metavar="NAME", default="tew", help="of DICOM: tew (default), dew, mc, esse or none")
    add("--mu", metavar="FILE", type=Path, help="of DICOM: .npz with mu, 1/cm, on the reconstruction's lattice")
    add("--ct", metavar="CT", type=Path, help="of DICOM: folder of the CT that attenuation is taken from")
    add("--ct-frame-accepted", action="store_true", help="the CT lies as the SPECT does, whatever its frame")
    add("--ct-shift-mm", metavar="X,Y,Z", type=_place, default=(0.0, 0.0, 0.0), help="move the CT onto the SPECT (LPS)")
    add("--ct-kev", metavar="E", type=float, help="effective energy of the CT's beam (default: 72, of 120 kVp)")
    add("--calibration", metavar="F", help="of DICOM: counts per second and becquerel, or a file of hevesy calibrate")
    add("--dead-time-us", metavar="T", type=float, help="of DICOM: dead time of a detector, microseconds")
    add("--dead-time-model", choices=("paralysable", "non-paralysable"), default="paralysable", help="of the detector")
    add("--replicates", metavar="N", type=int, default=0, help="of DICOM: resampled images for an uncertainty image")
    add("--within-mm", metavar="MM", type=float, help="hold activity this near to the μ-map's tissue: faster")
    add("--regions", metavar="FILE", type=Path, help="of DICOM: RTSTRUCT or SEG whose recovery coefficients are found")
    add("--no-attenuation", action="store_true", help="do not model attenuation")
    add("--no-response", action="store_true", help="do not model the collimator's response")
    add("--allow-limited-angles", action="store_true", help="go on although views do not cover 180°")
    add("--allow-truncated-mu", action="store_true", help="go on although the μ-map is cut off")


def run(options: argparse.Namespace) -> None:
    """Reconstruct and write the image."""
    from hevesy.stages.quantification.reconstruction import Schedule
    from hevesy.workflows.projection_file import Allowances, read_measurement
    from hevesy.workflows.reconstruction import Recipe, reconstruct, write_image

    schedule = Schedule(options.iterations, options.subsets, options.tolerance)
    recipe = Recipe(options.algorithm, schedule, options.prior, options.strength, options.filter_mm)
    allow = Allowances(
        options.radius_mm,
        options.allow_limited_angles,
        options.allow_truncated_mu,
        options.no_attenuation,
        options.no_response,
        options.within_mm,
    )
    with _iterations(options.iterations) as progress:
        if options.projections.suffix == ".npz":
            if options.geometry is None:
                raise MissingInformation("Arrays of projections need their geometry.", "Give it with --geometry.")
            measurement = read_measurement(options.projections, options.geometry, allow)
            target = write_image(reconstruct(measurement, recipe, progress), options.out)
        else:
            target = _from_camera(options, recipe, allow, progress)
    print(f"{target}: by {options.algorithm}")


def _from_camera(
    options: argparse.Namespace, recipe: Recipe, allow: Allowances, progress: Callable[[int], None]
) -> Path:
    from hevesy.workflows.camera_file import read_camera
    from hevesy.workflows.camera_image import make_image, read_calibration, write_spect
    from hevesy.workflows.camera_recovery import region_recovery, write_recovery
    from hevesy.workflows.delivery import delivering

    calibration = None if options.calibration is None else read_calibration(options.calibration)
    acquired = read_camera(options.projections, _camera(options), allow)
    for note in acquired.notes:
        print(f"- {note}")
    made = make_image(acquired, recipe, calibration, options.replicates, progress)
    kept = region_recovery(acquired, made.image.grid, recipe, options.regions) if options.regions else {}
    with delivering(options.out) as folder:
        write_spect(made, folder)
        if kept:
            write_recovery(kept, folder)
    return Path(options.out / "spect.dcm")


def _camera(options: argparse.Namespace) -> Camera:
    from hevesy.workflows.camera_file import Camera
    from hevesy.workflows.mu_map import Anatomy

    anatomy = None
    if options.ct is not None:
        anatomy = Anatomy(options.ct, options.ct_frame_accepted, options.ct_shift_mm, options.ct_kev)
    return Camera(
        options.photon_kev,
        options.nuclide,
        options.collimator,
        options.intrinsic_mm,
        options.scatter,
        options.mu,
        anatomy,
        options.axis_mm,
        None if options.dead_time_us is None else (options.dead_time_us * 1e-6, options.dead_time_model),
        options.clip_negative,
        options.response,
    )


def _place(text: str) -> tuple[float, float, float]:
    try:
        x, y, z = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a place or shift such as 0,-20.5,400") from None
    return x, y, z


@contextmanager
def _iterations(total: int) -> Iterator[Callable[[int], None]]:
    """Give a function that is told each iteration as it ends; a bar on a terminal, silence where output is piped."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(file=sys.stderr)
    with Progress(console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("iterations", total=total)
        yield lambda iteration: bar.update(task, completed=iteration)
