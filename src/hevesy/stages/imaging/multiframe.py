"""Enhanced CT and MR, and parametric maps, to images: one object, many frames, headers in functional groups."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from hevesy.core import Image, Provenance, Quantity
from hevesy.errors import MissingInformation, UnreadableFile, UnsupportedObject
from hevesy.stages.imaging import header
from hevesy.stages.imaging.anatomy import anatomy_timing
from hevesy.stages.imaging.pixels import rescaled, stored_pixels
from hevesy.stages.imaging.reconstruction import MEASURED_IN
from hevesy.stages.imaging.volume import stack_slices

#: functional group → what of it a slice's header holds in single-frame objects
GROUPS = {
    "PixelMeasuresSequence": ("PixelSpacing", "SliceThickness"),
    "PlaneOrientationSequence": ("ImageOrientationPatient",),
    "PlanePositionSequence": ("ImagePositionPatient",),
    "PixelValueTransformationSequence": ("RescaleSlope", "RescaleIntercept", "RescaleType"),
    "FrameContentSequence": ("TemporalPositionIndex", "StackID"),
    "MREchoSequence": ("EffectiveEchoTime",),
    "MRDiffusionSequence": ("DiffusionBValue",),
    "CardiacSynchronizationSequence": ("NominalCardiacTriggerDelayTime",),
    "RealWorldValueMappingSequence": (
        "RealWorldValueSlope",
        "RealWorldValueIntercept",
        "MeasurementUnitsCodeSequence",
    ),
}

#: what tells the volumes of one object apart
VOLUME_KEYS = (
    "StackID",
    "TemporalPositionIndex",
    "EffectiveEchoTime",
    "DiffusionBValue",
    "NominalCardiacTriggerDelayTime",
)

HOUNSFIELD_CODES = ("[hnsf'U]", "HU")


def read_multiframe(head: Any, path: Path, what: str) -> tuple[Image, ...]:
    """Read the volumes of an enhanced object: one for each stack, time, echo, b-value and cardiac phase.

    Raises
    ------
    MissingInformation
        If the object has no functional groups, or a frame no place.
    UnsupportedObject
        If its values mean nothing here, such as a colour-mapped perfusion.
    IncompleteSeries, DuplicateSlices, MixedSeries, UnreadableFile
        If the frames do not form volumes.
    """
    frames = frame_headers(head, what)
    quantity, mapped = _meaning(head, frames[0], what)
    stored = stored_pixels(path)
    stored = stored[None] if stored.ndim == 2 else stored
    if len(stored) != len(frames):
        raise UnreadableFile(f"{what} holds {len(stored)} frames and describes {len(frames)}.")
    groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for index, frame in enumerate(frames):
        groups[tuple(header.text(frame, key) for key in VOLUME_KEYS)].append(index)
    images = []
    for key in sorted(groups):
        members = groups[key]
        stack = stack_slices([frames[i] for i in members], what)
        planes = [_values(stored[members[i]], frames[members[i]], mapped) for i in stack.order]
        source = f"DICOM series {header.text(head, 'SeriesInstanceUID')}"
        values = np.ascontiguousarray(np.stack(planes).T)
        images.append(
            Image(values, stack.grid, quantity, anatomy_timing([head]), Provenance(source, notes=stack.notes))
        )
    return tuple(images)


def frame_headers(head: Any, what: str) -> list[Any]:
    """Return for every frame a header such as a single-frame object has.

    Raises
    ------
    MissingInformation
        If there are no functional groups.
    """
    shared = header.items(head, "SharedFunctionalGroupsSequence")
    own = header.items(head, "PerFrameFunctionalGroupsSequence")
    if not own and not shared:
        raise MissingInformation(f"{what} has no functional groups, so that the place of its frames is unknown.")
    frames = []
    for number in range(header.frames(head)):
        frame = Dataset()
        for keyword in ("Rows", "Columns", "FrameOfReferenceUID", "Modality"):
            if keyword in head:
                setattr(frame, keyword, head[keyword].value)
        for groups in (*shared[:1], *own[number : number + 1]):
            _copy_groups(groups, frame)
        frames.append(frame)
    return frames


def _copy_groups(groups: Any, frame: Any) -> None:
    for sequence, keywords in GROUPS.items():
        for item in header.items(groups, sequence)[:1]:
            for keyword in keywords:
                if keyword in item:
                    setattr(frame, keyword, item[keyword].value)


def _meaning(head: Any, frame: Any, what: str) -> tuple[Quantity, bool]:
    """Return what the values mean, and whether the real-world mapping, not the rescale, leads to it."""
    codes = header.items(frame, "MeasurementUnitsCodeSequence")
    unit = header.text(codes[0], "CodeValue") if codes else ""
    if unit in MEASURED_IN:
        return MEASURED_IN[unit][0], True
    if unit in HOUNSFIELD_CODES:
        return Quantity.HOUNSFIELD, True
    kind = header.text(frame, "RescaleType").upper()
    if (
        header.text(head, "Modality") == "CT"
        and kind in ("HU", "")
        and header.number(frame, "RescaleSlope") is not None
    ):
        return Quantity.HOUNSFIELD, False
    if unit and unit not in ("1", "{unity}", "no units", "[arb'U]"):
        raise UnsupportedObject(f"{what} holds values in '{unit}', which have no meaning here.")
    if header.text(head, "Modality") == "CT":
        raise UnsupportedObject(f"{what} is a CT rescaled to {kind or 'nothing'}, not to HU.")
    return Quantity.RELATIVE, bool(unit)


def _values(stored: NDArray[Any], frame: Any, mapped: bool) -> NDArray[np.float32]:
    if not mapped:
        return rescaled(stored, frame)
    codes = header.items(frame, "MeasurementUnitsCodeSequence")
    factor = MEASURED_IN.get(header.text(codes[0], "CodeValue"), (None, 1.0))[1]
    slope = header.number(frame, "RealWorldValueSlope")
    intercept = header.number(frame, "RealWorldValueIntercept") or 0.0
    values = stored.astype(np.float64) * (1.0 if slope is None else slope) + intercept
    return (values * factor).astype(np.float32)
