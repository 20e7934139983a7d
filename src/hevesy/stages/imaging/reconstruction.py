"""SPECT reconstructed by a gamma camera's workstation to images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hevesy.core import Grid, Image, Provenance, Quantity, Timing
from hevesy.errors import DuplicateSlices, IncompleteSeries, MissingInformation, UnsupportedObject
from hevesy.stages.imaging import header
from hevesy.stages.imaging.camera_frames import (
    acquisition_length_s,
    camera_timing,
    frame_vectors,
    lossy_notes,
    pixel_mm,
    timing_notes,
)
from hevesy.stages.imaging.pet import UNITS, pet_timing
from hevesy.stages.imaging.pixels import rescaled, stored_pixels
from hevesy.stages.imaging.supplied import NOTHING, Supplied

#: UCUM codes of Measurement Units → meaning, and the factor to the unit inside
MEASURED_IN = {
    "Bq/ml": (Quantity.ACTIVITY_CONCENTRATION, 1.0),
    "kBq/ml": (Quantity.ACTIVITY_CONCENTRATION, 1e3),
    "MBq/ml": (Quantity.ACTIVITY_CONCENTRATION, 1e6),
    "Bq/cm3": (Quantity.ACTIVITY_CONCENTRATION, 1.0),
    "g/ml{SUVbw}": (Quantity.STANDARDISED_UPTAKE, 1.0),
    "{counts}": (Quantity.COUNTS, 1.0),
    "{propcounts}": (Quantity.PROPORTIONAL_TO_COUNTS, 1.0),
}


def read_reconstruction(
    heads: Sequence[Any], files: Sequence[Path], what: str, supplied: Supplied = NOTHING
) -> tuple[Image, ...]:
    """Read the volumes of a reconstruction: one for each energy window and gate.

    Parameters
    ----------
    heads, files : sequence of Dataset, sequence of Path
        One object with many frames. (Objects of one frame each are read like PET slices.)
    what : str
        What to call the series in a refusal.
    supplied : Supplied
        Facts that replace the header's.

    Raises
    ------
    MissingInformation
        If position, orientation or spacing of the slices is not stated, or the decay correction of an activity.
    IncompleteSeries, DuplicateSlices
        If Slice Vector leaves a slice out or names one twice.
    UnreadableFile
        If the object is damaged.
    """
    head, path = heads[0], files[0]
    quantity, scale = _meaning(head, what, supplied)
    stored = stored_pixels(path)
    stored = stored[None] if stored.ndim == 2 else stored
    vectors = frame_vectors(head)
    timing, time_notes = reconstruction_timing(head, quantity, supplied)
    provenance = Provenance(
        f"DICOM series {header.text(head, 'SeriesInstanceUID')}", notes=(*time_notes, *lossy_notes(head))
    )
    keys = np.stack([vectors["window"], vectors["interval"], vectors["slot"]], axis=1)
    images = []
    for key in np.unique(keys, axis=0):
        chosen = np.flatnonzero((keys == key).all(axis=1))
        order = chosen[np.argsort(vectors["slice"][chosen], kind="stable")]
        _require_every_slice(vectors["slice"][order], what)
        grid, backwards = reconstruction_grid(head, what, len(order))
        planes = stored[order[::-1] if backwards else order]
        values = rescaled(planes, head) if scale is None else _scaled(planes, scale)
        images.append(Image(np.ascontiguousarray(values.T), grid, quantity, timing, provenance))
    return tuple(images)


def _meaning(head: Any, what: str, supplied: Supplied) -> tuple[Quantity, tuple[float, float] | None]:
    """Return what the values mean, and slope and intercept from stored values; None means the rescale's.

    A gamma camera's reconstruction that states no unit holds counts: what a calibration factor in counts per second
    and becquerel is measured with.
    """
    units = (supplied.units or header.text(head, "Units")).upper()
    if units in UNITS:
        return UNITS[units], None
    for mapping in header.items(head, "RealWorldValueMappingSequence"):
        codes = header.items(mapping, "MeasurementUnitsCodeSequence")
        unit = header.text(codes[0], "CodeValue") if codes else ""
        slope = header.number(mapping, "RealWorldValueSlope")
        if unit not in MEASURED_IN or slope is None:
            raise UnsupportedObject(f"{what} maps its values to '{unit or 'no unit'}', which has no meaning here.")
        quantity, factor = MEASURED_IN[unit]
        return quantity, (slope * factor, (header.number(mapping, "RealWorldValueIntercept") or 0.0) * factor)
    return Quantity.COUNTS, None


def _scaled(stored: NDArray[Any], scale: tuple[float, float]) -> NDArray[np.float32]:
    return (stored.astype(np.float64) * scale[0] + scale[1]).astype(np.float32)


def reconstruction_timing(
    head: Any, quantity: Quantity, supplied: Supplied = NOTHING
) -> tuple[Timing | None, tuple[str, ...]]:
    """Find when a reconstruction was acquired and the instant that its activity refers to.

    Raises
    ------
    MissingInformation, ImpossibleTiming, ContradictoryInformation
        If values are an activity and the times are missing or impossible.
    """
    length_s, notes = acquisition_length_s(head)
    activity = quantity is Quantity.ACTIVITY_CONCENTRATION
    told = supplied.decay_corrected_to is not None or bool(header.text(head, "DecayCorrection"))
    if supplied == NOTHING and not activity and not told:
        return camera_timing(head, length_s), (*notes, *timing_notes(head))
    with_length = supplied if supplied.duration_s is not None else replace(supplied, duration_s=length_s)
    timing, more = pet_timing([head], quantity, with_length)
    return timing, (*notes, *more)


def _require_every_slice(numbers: NDArray[np.int64], what: str) -> None:
    steps = np.diff(numbers)
    if (steps == 0).any():
        raise DuplicateSlices(f"{what} names slice {numbers[:-1][steps == 0][0]} twice in Slice Vector (0054,0080).")
    if (steps > 1).any():
        raise IncompleteSeries(
            f"{what} lacks the slice after {numbers[:-1][steps > 1][0]} in Slice Vector (0054,0080)."
        )


def reconstruction_quantity(head: Any, what: str, supplied: Supplied = NOTHING) -> Quantity:
    """Tell what the values of a reconstruction mean.

    Raises
    ------
    UnsupportedObject
        If they are mapped to a unit that has no meaning here.
    """
    return _meaning(head, what, supplied)[0]


def reconstruction_grid(head: Any, what: str, slices: int | None = None) -> tuple[Grid, bool]:
    """Return the grid of a reconstruction's slices, and whether they are stored against their normal.

    Position and orientation of the first slice are in the Detector Information Sequence (PS3.3 C.8.4.15); the sign
    of Spacing Between Slices tells whether the next ones lie along the normal or against it.

    Raises
    ------
    MissingInformation
        If position, orientation or spacing is not stated.
    """
    detectors = header.items(head, "DetectorInformationSequence")
    source = detectors[0] if detectors else head
    position = header.vector(source, "ImagePositionPatient", 3)
    directions = header.vector(source, "ImageOrientationPatient", 6)
    step = header.number(head, "SpacingBetweenSlices") or header.number(head, "SliceThickness")
    if position is None or directions is None or not step:
        raise MissingInformation(
            f"{what} does not state position, orientation and spacing of its slices, so that its place is unknown."
        )
    row_mm, column_mm = pixel_mm(head, what)
    row = directions[:3] / np.linalg.norm(directions[:3])
    column = directions[3:] / np.linalg.norm(directions[3:])
    normal = np.cross(row, column)
    rows, columns = header.whole(head, "Rows"), header.whole(head, "Columns")
    slices = header.frames(head) if slices is None else slices
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = row * column_mm, column * row_mm, normal * abs(step)
    affine[:3, 3] = position + (normal * step * (slices - 1) if step < 0 else 0)
    frame = header.text(head, "FrameOfReferenceUID") or None
    return Grid((columns, rows, slices), affine, frame), step < 0
