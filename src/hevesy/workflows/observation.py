"""What the images of a case show, before any curve is fitted: scans on one grid, and activity in every region."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hevesy.core import Curve
from hevesy.errors import EmptyInput
from hevesy.stages.imaging.folder import Folder, read_folder
from hevesy.workflows.case import Case
from hevesy.workflows.measurement import Measurement, Series4D, align, measure, measure_body
from hevesy.workflows.motions import KnownMotions
from hevesy.workflows.organs import with_organs
from hevesy.workflows.planar_curves import PlanarCurves, planar_curves
from hevesy.workflows.scans import Course, check_region_names, gather


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """What the images of one administration show.

    Parameters
    ----------
    folder : Folder
        What the case's folder holds.
    course : Course
        Patient, nuclide, administration and scans.
    series : Series4D
        The scans on one grid.
    measured : tuple of Measurement
        Every region, the whole body last.
    shapes : PlanarCurves
        Planar curves that give the regions of one SPECT their shape; empty without planar views.
    """

    folder: Folder
    course: Course
    series: Series4D
    measured: tuple[Measurement, ...]
    shapes: PlanarCurves


def observe(
    folder: Path,
    case: Case,
    progress: Callable[[str], None],
    planar: Mapping[str, Curve] | None = None,
    motions: KnownMotions | None = None,
) -> Observation:
    """Read a case, bring its scans onto one grid, and measure its regions.

    Parameters
    ----------
    folder : Path
        The case's folder.
    case : Case
        What the images do not say.
    progress : callable
        Told each step as it starts.
    planar : mapping of str to Curve, optional
        Planar curves that were measured elsewhere.
    motions : KnownMotions, optional
        Found before for this case; nothing is registered then.

    Raises
    ------
    HevesyError
        If anything that a number depends on is missing, contradictory or impossible.
    """
    progress("reading headers")
    found = read_folder(folder)
    course = gather(found, case, progress)
    if not course.scans:
        raise EmptyInput(f"{folder} holds no scan to take a dose from.")
    check_region_names(case, course.scans)
    course = with_organs(course, case, progress)
    series = align(course.scans, course.anatomy, case, progress, motions)
    progress("measuring regions")
    measured = (*measure(course.scans, series, case), measure_body(course.scans, series, case))
    if planar is not None:
        shapes = PlanarCurves(planar)
    else:
        shapes = planar_curves(found, case, course, series, measured) if case.get("planar") else PlanarCurves({})
    return Observation(found, course, series, measured, shapes)
