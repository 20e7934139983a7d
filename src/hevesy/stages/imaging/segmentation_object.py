"""DICOM segmentation objects (SEG), in; and out, by ``segmentation_writer``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import SegmentationStorage

from hevesy.core import Grid, Provenance, Region, Role
from hevesy.core.region import FOUND
from hevesy.errors import (
    ContradictoryInformation,
    DuplicateSlices,
    EmptyInput,
    IncompleteSeries,
    MissingInformation,
    UnreadableFile,
    UnsupportedObject,
)
from hevesy.stages.imaging.damage import read_whole, refusing_damage
from hevesy.stages.imaging.segmentation_writer import write
from hevesy.stages.imaging.structures import Structures

__all__ = ["read_segments", "write"]

LABEL_MAP_SEGMENTATION_STORAGE = "1.2.840.10008.5.1.4.1.1.66.7"
#: frames may lie this far from the lattice of slices, in slices: positions are stored rounded
SAME_PLANE = 0.02
#: a segment further apart than this many slices is not one image
MOST_SLICES = 10_000
#: voxels at least this probable belong to a segment that states probabilities
BELONGS = 0.5
#: segmented property category or type (SNOMED CT, and SNOMED-RT in older objects) → role
ROLE_OF_CODE = {
    "49755003": Role.LESION,  # morphologically abnormal structure
    "M-01000": Role.LESION,
    "123037004": Role.ORGAN,  # anatomical structure
    "T-D000A": Role.ORGAN,
    "85756007": Role.ORGAN,  # tissue
    "T-D0050": Role.ORGAN,
    "38266002": Role.BODY,  # entire body as a whole
    "T-D0010": Role.BODY,
}


@dataclass(frozen=True, slots=True)
class _Frames:
    """The frames of a segmentation object on the lattice that they span."""

    pixels: NDArray[np.generic]  # (frame, row, column)
    slices: NDArray[np.int_]  # slice of each frame on the grid
    segments: tuple[int | None, ...]  # segment of each frame; None where its values are labels
    grid: Grid


def read_segments(source: Dataset | Path) -> Structures:
    """Read the segments of a SEG object: binary, fractional or label map, overlapping or not.

    Slices without a frame are empty. Occupancies become the covered fractions; a voxel of a segment that states
    probabilities belongs to it from 0.5 on, since a probability is not a part of a voxel. Each segment's region lies on
    the grid that the object's own frames span, which need not be the grid of the image that it was drawn on.

    Parameters
    ----------
    source : Dataset or Path
        The object, with its pixel data, or its file.

    Raises
    ------
    UnreadableFile
        If the file is not DICOM or its pixel data cannot be decoded.
    UnsupportedObject
        If the object is no SEG, or its frames do not lie on one lattice of parallel slices in the patient.
    IncompleteSeries
        If fewer frames are stored than described.
    DuplicateSlices
        If two frames of one segment lie at one position.
    MissingInformation
        If a position, orientation or spacing is absent.
    EmptyInput
        If no segment holds a voxel.
    """
    with refusing_damage("The segmentation"):
        return _read(_open(source))


def _read(dataset: Dataset) -> Structures:
    frames = _frames(dataset)
    notes: list[str] = []
    regions: list[Region] = []
    for segment in dataset.get("SegmentSequence") or ():
        number = int(segment.SegmentNumber)
        if dataset.SegmentationType == "LABELMAP" and number == int(dataset.get("PixelPaddingValue") or 0):
            continue  # what a label map calls background is what no segment covers
        name = str(segment.get("SegmentLabel") or f"Segment {number}").strip()
        if any(region.name == name for region in regions):
            notes.append(f"Two segments are named '{name}'; number {number} is called '{name} [{number}]'.")
            name = f"{name} [{number}]"
        coverage = _coverage(dataset, frames, number, name, notes)
        if coverage.any():
            made = Region.from_mask(name, frames.grid, coverage, _role(segment, name, notes))
            regions.append(replace(made, provenance=_provenance(segment)))
        else:
            notes.append(f"Segment '{name}' is empty; it was passed over.")
    label = str(dataset.get("ContentLabel") or dataset.get("SeriesDescription") or "")
    if not regions:
        raise EmptyInput(f"Segmentation '{label}' holds no voxel in any segment.", " ".join(notes))
    return Structures(
        label,
        str(dataset.get("SOPInstanceUID", "")),
        frames.grid.frame_of_reference,
        tuple(str(s.SeriesInstanceUID) for s in dataset.get("ReferencedSeriesSequence") or ()),
        regions=tuple(regions),
        notes=tuple(notes),
    )


def _open(source: Dataset | Path) -> Dataset:
    dataset, where = (source, "The object") if isinstance(source, Dataset) else (read_whole(source), str(source))
    if dataset.get("SOPClassUID") not in (SegmentationStorage, LABEL_MAP_SEGMENTATION_STORAGE):
        raise UnsupportedObject(f"{where} is not a segmentation object.")
    if dataset.get("SegmentationType") not in ("BINARY", "FRACTIONAL", "LABELMAP"):
        raise UnsupportedObject(f"{where} is a segmentation of the unknown type {dataset.get('SegmentationType')}.")
    return dataset


def _frames(dataset: Dataset) -> _Frames:
    described = list(dataset.get("PerFrameFunctionalGroupsSequence") or ())
    stored = int(dataset.get("NumberOfFrames") or 1)
    if len(described) != stored:
        raise IncompleteSeries(
            f"The segmentation describes {len(described)} frames and holds {stored}; its extent is not known.",
            "Export it again.",
        )
    try:
        pixels = dataset.pixel_array.reshape(stored, dataset.Rows, dataset.Columns)
    except Exception as fault:  # decoders raise many kinds
        raise UnreadableFile("The segmentation's pixel data cannot be decoded; it may be truncated.") from fault
    shared = (dataset.get("SharedFunctionalGroupsSequence") or [Dataset()])[0]
    grid, slices = _lattice(dataset, shared, described)
    return _Frames(pixels, slices, tuple(_segment(dataset, shared, frame) for frame in described), grid)


def _segment(dataset: Dataset, shared: Dataset, frame: Dataset) -> int | None:
    if dataset.SegmentationType == "LABELMAP":
        return None
    return int(_group(shared, frame, "SegmentIdentificationSequence").ReferencedSegmentNumber)


def _group(shared: Dataset, frame: Dataset, name: str) -> Dataset:
    for place in (frame, shared):
        if place.get(name):
            return place[name][0]
    raise MissingInformation(f"The segmentation has no {name.removesuffix('Sequence')} for a frame.")


def _lattice(dataset: Dataset, shared: Dataset, frames: Iterable[Dataset]) -> tuple[Grid, NDArray[np.int_]]:
    """Return the grid that the frames span, and each frame's slice."""
    groups = [
        (
            _numbers(_group(shared, f, "PlaneOrientationSequence"), "ImageOrientationPatient", 6),
            _numbers(_group(shared, f, "PlanePositionSequence"), "ImagePositionPatient", 3),
            _group(shared, f, "PixelMeasuresSequence"),
        )
        for f in frames
    ]
    orientation, measures = groups[0][0], groups[0][2]
    if any(np.abs(o - orientation).max() > 1e-4 or m.PixelSpacing != measures.PixelSpacing for o, _, m in groups):
        raise UnsupportedObject("The segmentation's frames differ in orientation or pixel spacing.")
    down, across = _numbers(measures, "PixelSpacing", 2)
    rows, columns = orientation[:3], orientation[3:]
    normal = np.cross(rows, columns)
    normal /= np.linalg.norm(normal)
    positions = np.array([p for _, p, _ in groups])
    heights = positions @ normal
    lowest = positions[int(np.argmin(heights))]
    aside = positions - lowest - np.outer(heights - heights.min(), normal)
    if np.abs(aside).max() > SAME_PLANE * min(down, across):
        raise UnsupportedObject("The segmentation's frames are shifted sideways against each other.")
    step, slices = _spaced(heights - heights.min(), measures)
    affine = np.eye(4)
    affine[:3] = np.column_stack([rows * across, columns * down, normal * step, lowest])
    shape = (int(dataset.Columns), int(dataset.Rows), int(slices.max()) + 1)
    frame_of_reference = dataset.get("FrameOfReferenceUID")
    return Grid(shape, affine, str(frame_of_reference) if frame_of_reference else None), slices


def _numbers(item: Dataset, name: str, count: int) -> NDArray[np.float64]:
    values = item.get(name)
    if values is None or len(values) != count:
        raise MissingInformation(f"The segmentation has no {name}.")
    return np.array(values, dtype=np.float64)


def _spaced(heights: NDArray[np.float64], measures: Dataset) -> tuple[float, NDArray[np.int_]]:
    """Return the slice spacing, mm, and the slice of each height.

    The smallest gap between frames is the spacing only where two frames are neighbours: a finer one that is stated and
    fits the positions comes first.
    """
    gaps = np.diff(np.unique(np.round(heights, 4)))
    smallest = [float(gaps.min())] if gaps.size else []
    spacing, thickness = (_stated(measures, n) for n in ("SpacingBetweenSlices", "SliceThickness"))
    finer = [t for t in thickness for gap in smallest if gap > 1.5 * t]
    for step in (*spacing, *finer, *smallest, *thickness):
        slices = np.round(heights / step).astype(int)
        fitted = float(heights.max() / slices.max()) if slices.max() else step
        if np.abs(heights - slices * fitted).max() <= SAME_PLANE * fitted and slices.max() < MOST_SLICES:
            return fitted, slices
    if not (spacing or thickness or smallest):
        raise MissingInformation("The segmentation has one slice and states no slice spacing.")
    raise UnsupportedObject("The segmentation's frames do not lie on evenly spaced slices.")


def _stated(measures: Dataset, name: str) -> list[float]:
    value = measures.get(name)
    return [abs(float(value))] if value else []


def _coverage(dataset: Dataset, frames: _Frames, number: int, name: str, notes: list[str]) -> NDArray[np.float32]:
    coverage = np.zeros(frames.grid.shape, np.float32)
    labels = dataset.SegmentationType == "LABELMAP"
    mine = [k for k, segment in enumerate(frames.segments) if labels or segment == number]
    if len(set(frames.slices[mine].tolist())) != len(mine):
        raise DuplicateSlices(f"Segment '{name}' has two frames at one position.")
    whole = 1.0
    if dataset.SegmentationType == "FRACTIONAL":
        whole = float(dataset.get("MaximumFractionalValue") or 0)
        if not whole:
            raise MissingInformation("The fractional segmentation states no maximum fractional value.")
    for k in mine:
        frame = frames.pixels[k] == number if labels else frames.pixels[k] / whole
        coverage[:, :, frames.slices[k]] = frame.T
    if coverage.max() > 1:
        raise ContradictoryInformation(f"Segment '{name}' holds values above its maximum.")
    if dataset.get("SegmentationFractionalType") == "PROBABILITY" and whole > 1:
        if ((coverage > 0) & (coverage < 1)).any():
            notes.append(
                f"Segment '{name}' states probabilities; voxels from {BELONGS:g} on were taken to belong to it."
            )
        coverage = (coverage >= BELONGS).astype(np.float32)
    return coverage


def _provenance(segment: Dataset) -> Provenance:
    """Keep that no person drew a segment, and what is said of it."""
    if segment.get("SegmentAlgorithmType") != "AUTOMATIC":
        return Provenance()
    by = str(segment.get("SegmentAlgorithmName") or "a program that is not named")
    described = str(segment.get("SegmentDescription") or "").strip()
    return Provenance().then(FOUND, by=by).noting(*([described] if described else []))


def _role(segment: Dataset, name: str, notes: list[str]) -> Role:
    for sequence in ("SegmentedPropertyTypeCodeSequence", "SegmentedPropertyCategoryCodeSequence"):
        for code in segment.get(sequence) or ():
            if code.get("CodeValue") in ROLE_OF_CODE:
                return ROLE_OF_CODE[code.CodeValue]
    notes.append(f"Segment '{name}' does not say what it is for; its role is taken as organ unless given.")
    return Role.ORGAN
