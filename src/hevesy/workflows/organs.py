"""Organs of a case that no person drew: found by uptake and CT, or by TotalSegmentator where it is installed."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hevesy.core import Image, Quantity, Region
from hevesy.core.provenance import Provenance
from hevesy.core.region import FOUND
from hevesy.errors import EmptyInput, MissingInformation, OutputFailed, OutsideValidity
from hevesy.stages.imaging import nifti, segmentation_writer
from hevesy.stages.imaging.folder import read_folder
from hevesy.stages.imaging.nifti_in import read_plain
from hevesy.stages.registration.rigid import resample
from hevesy.stages.segmentation import total_segmentator
from hevesy.stages.segmentation.body import body
from hevesy.stages.segmentation.landmarks import binned, working_grid
from hevesy.stages.segmentation.organs import find_organs
from hevesy.stages.segmentation.placement import place
from hevesy.workflows.case import Case
from hevesy.workflows.ct_agreement import misplaced
from hevesy.workflows.organ_request import TOTAL_SEGMENTATOR, Asked
from hevesy.workflows.scans import Course, Scan, gather, reference_scan

#: what a CT shows where it does not reach
_AIR_HU = -1000.0
#: room around the body, voxels: an organ at the edge of the image would be refused
_MARGIN = 2

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class Organs:
    """What was found on one scan.

    Parameters
    ----------
    scan : Scan
        The reference scan.
    number : int
        Its index among the scans.
    regions : tuple of Region
        On its grid, marked as found automatically.
    notes : tuple of str
        Why what else was asked for was not found.
    """

    scan: Scan
    number: int
    regions: tuple[Region, ...]
    notes: tuple[str, ...]


def segment_case(
    folder: Path,
    case: Case,
    asked: Asked,
    progress: Progress = lambda step: None,
    poll: Callable[[], None] = lambda: None,
) -> Organs:
    """Find organs on the reference scan of a case.

    Parameters
    ----------
    folder : Path
        The case's folder.
    case : Case
        What the images do not say.
    asked : Asked
        Which organs, and how.
    progress : callable, optional
        Told each step as it starts.
    poll : callable, optional
        Called while another program works; what it raises ends that.

    Raises
    ------
    HevesyError
        If the case cannot be read, has no CT with the scan or one that lies elsewhere, or the program that was asked
        for is not there or fails.
    """
    progress("reading headers")
    course = gather(read_folder(folder), case, progress)
    if not course.scans:
        raise EmptyInput(f"{folder} holds no scan to find organs on.")
    return find(course, case, asked, progress, poll)


def find(
    course: Course, case: Case, asked: Asked, progress: Progress, poll: Callable[[], None] = lambda: None
) -> Organs:
    """Find organs on the reference scan of a course; see `segment_case`."""
    number = reference_scan(course.scans, case)
    scan = course.scans[number]
    frame = scan.activity.grid.frame_of_reference
    if course.anatomy is None or course.anatomy.grid.frame_of_reference != frame:
        raise MissingInformation(
            f"No CT lies in the frame of reference of {scan.label}, so that no organ can be found on it.",
            "Add its CT, or draw the organs.",
        )
    if line := misplaced(scan.label, scan.activity, course.anatomy):
        raise OutsideValidity(
            f"{line} No organ is found with it.", "Add a CT that belongs to the scan, or draw the organs."
        )
    progress("finding organs")
    if asked.by == TOTAL_SEGMENTATOR:
        found, notes = _by_total_segmentator(course.anatomy, asked, poll)
    else:
        found, notes = _by_uptake(scan.activity, course.anatomy, asked.names)
    placed = tuple(place(region, scan.activity.grid, cut=True) for region in found)
    return Organs(scan, number, placed, notes)


def with_organs(course: Course, case: Case, progress: Progress) -> Course:
    """Return a course with the organs that case.yaml asks for, but for those that a person drew."""
    asked = Asked.of(case)
    if asked is None:
        return course
    scan = course.scans[reference_scan(course.scans, case)]
    wanted = tuple(n for n in asked.names if n not in scan.drawn and not case.region(n).get("skip"))
    if not wanted:
        return course
    found = find(course, case, replace(asked, organs=wanted), progress)
    drawn = {**scan.drawn, **{region.name: region for region in found.regions}}
    scans = tuple(replace(one, drawn=drawn) if one is scan else one for one in course.scans)
    return replace(course, scans=scans, notes=(*course.notes, *found.notes))


def write_organs(found: Organs, path: Path) -> None:
    """Write what was found as a SEG of its scan, dated with the scan.

    Raises
    ------
    EmptyInput
        If nothing was found.
    OutputFailed
        If it cannot be written; nothing is left behind.
    """
    if not found.regions:
        raise EmptyInput("No organ was found.", " ".join(found.notes))
    headers = sorted(found.scan.series.headers, key=lambda head: str(head.get("SOPInstanceUID", "")))
    timing = found.scan.activity.timing
    assert timing is not None  # a scan without a time is refused when it is read
    beside = path.with_name(f".{path.name}.part")
    try:
        segmentation_writer.write(found.regions, headers, beside, timing.start.replace(microsecond=0, tzinfo=None))
        beside.replace(path)
    except OSError as fault:
        beside.unlink(missing_ok=True)
        raise OutputFailed(
            f"{path.name} could not be written: {fault.strerror}.", "Nothing was left behind."
        ) from fault


def _by_uptake(activity: Image, anatomy: Image, names: Sequence[str]) -> tuple[tuple[Region, ...], tuple[str, ...]]:
    """Find organs on a grid of about 3.5 mm around the body."""
    grid = working_grid(activity.grid)
    ct = resample(binned(anatomy), grid, beyond=_AIR_HU)
    shown = body(ct).box
    box = tuple(
        slice(max(s.start - _MARGIN, 0), min(s.stop + _MARGIN, n)) for s, n in zip(shown, grid.shape, strict=True)
    )
    part = grid.part((box[0], box[1], box[2]))
    uptake = resample(binned(activity), part)
    found = find_organs(uptake, Image(ct.values[box], part, Quantity.HOUNSFIELD), names)
    notes = tuple(f"{name.capitalize()} was not found automatically: {why}." for name, why in found.refused.items())
    return tuple(one.region for one in found.found), notes


def _by_total_segmentator(
    anatomy: Image, asked: Asked, poll: Callable[[], None]
) -> tuple[tuple[Region, ...], tuple[str, ...]]:
    with tempfile.TemporaryDirectory(prefix="hevesy-organs-") as name:
        scratch = Path(name)
        nifti.write(anatomy, scratch / "ct.nii.gz")
        masks = total_segmentator.segment(
            scratch / "ct.nii.gz", scratch, asked.names, fast=asked.fast, limit_s=asked.limit_s, poll=poll
        )
        read = {name: _read_classes(masks, name, anatomy) for name in asked.names}
    notes = tuple(
        f"{name.capitalize()} was not found by TotalSegmentator." for name, one in read.items() if one is None
    )
    return tuple(one for one in read.values() if one is not None), notes


def _read_classes(masks: Path, organ: str, anatomy: Image) -> Region | None:
    """Join the classes of an organ, on the grid that they were written on; None where all are empty."""
    images = [read_plain(masks / f"{one}.nii.gz", Quantity.LABEL) for one in total_segmentator.CLASSES[organ]]
    mask = np.any([image.values > 0 for image in images], axis=0)
    if not mask.any():
        return None
    grid = replace(images[0].grid, frame_of_reference=anatomy.grid.frame_of_reference)
    provenance = Provenance().then(FOUND, by="TotalSegmentator")
    if any(bool(np.take(mask, [0, -1], axis=axis).any()) for axis in range(3)):
        provenance = provenance.noting("It reaches the edge of the CT; a part of it may be missing.")
    return replace(Region.from_mask(organ, grid, mask), provenance=provenance)
