"""DICOM RT dose, out and in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import RTDoseStorage, RTPlanStorage

from hevesy.core import Grid, Image, Provenance, Quantity
from hevesy.errors import BadInput, MissingInformation, UnreadableFile, UnsupportedObject, WrongQuantity
from hevesy.stages.imaging.damage import read_whole
from hevesy.stages.imaging.derived import (
    DISCLAIMER,
    Planes,
    decimal,
    decimals,
    derived_object,
    derived_uid,
    frame_of_reference,
    save,
)

#: what DICOM calls the two kinds of dose (PS3.3 C.8.8.3)
DOSE_TYPE = {Quantity.ABSORBED_DOSE: "PHYSICAL", Quantity.BIOLOGICALLY_EFFECTIVE_DOSE: "EFFECTIVE"}
LARGEST = 2**16 - 1
#: frames may lie this far from even spacing, in slices
SAME_PLANE = 0.02


def write(dose: Image, sources: Sequence[Dataset], path: Path, created: datetime) -> None:
    """Write an absorbed dose as RTDOSE.

    Doses are stored as 16-bit integers, so that a value read back is within half of (largest dose)/65535. The
    summation type is PLAN, the dose of a whole treatment: DICOM has no term for an administration, and viewers know
    this one. PLAN must name its plan (type 1C); an administration has none in DICOM, so a UID that follows from the
    dose stands for it and leads nowhere.

    Parameters
    ----------
    dose : Image
        Absorbed dose or biologically effective dose, Gy.
    sources : sequence of Dataset
        Headers of the images whose patient, study and frame of reference it shares; the first one is used.
    path : Path
        File to write.
    created : datetime
        When the dose was computed.

    Raises
    ------
    WrongQuantity
        If the image is no dose.
    BadInput
        If a dose is negative.
    GridMismatch, MissingInformation
        If the sources have another frame of reference, or name none, or name no study.
    UnsupportedObject
        If the grid is skewed.
    """
    dose.require(*DOSE_TYPE)
    if dose.values.min() < 0:
        raise BadInput("A dose below zero cannot be written as RTDOSE.")
    planes = Planes.of(dose.grid)
    frames = planes.frames(dose.values).astype(np.float64)
    scaling = decimal(float(frames.max()) / LARGEST or 1.0)
    stored = np.clip(np.rint(frames / float(scaling)), 0, LARGEST).astype("<u2")
    content = stored.tobytes() + str(scaling).encode() + dose.grid.affine.tobytes()
    made = derived_object(sources[0], RTDoseStorage, "RTDOSE", content, created)
    made.SeriesDescription = "Absorbed dose" if dose.quantity is Quantity.ABSORBED_DOSE else str(dose.quantity.unit)
    made.DoseComment = DISCLAIMER
    made.FrameOfReferenceUID = frame_of_reference(sources[0], dose.grid.frame_of_reference)
    made.PositionReferenceIndicator = ""
    _describe_planes(made, planes, stored.shape)
    made.DoseUnits = "GY"
    made.DoseType = DOSE_TYPE[dose.quantity]
    made.DoseSummationType = "PLAN"
    plan = Dataset()
    plan.ReferencedSOPClassUID = RTPlanStorage
    plan.ReferencedSOPInstanceUID = derived_uid("plan", made.SOPInstanceUID)
    made.ReferencedRTPlanSequence = [plan]
    made.DoseGridScaling = scaling
    made.PixelData = stored.tobytes()
    save(made, path)


def _describe_planes(made: Dataset, planes: Planes, shape: tuple[int, ...]) -> None:
    made.ImagePositionPatient = decimals(planes.position_mm)
    made.ImageOrientationPatient = decimals(np.concatenate([planes.rows, planes.columns]))
    between_columns, between_rows, between_planes = planes.spacing_mm
    made.PixelSpacing = [decimal(between_rows), decimal(between_columns)]
    made.SliceThickness = decimal(between_planes)
    made.NumberOfFrames, made.Rows, made.Columns = shape
    made.FrameIncrementPointer = Tag("GridFrameOffsetVector")
    made.GridFrameOffsetVector = decimals(np.arange(shape[0]) * between_planes)
    made.SamplesPerPixel = 1
    made.PhotometricInterpretation = "MONOCHROME2"
    made.BitsAllocated = made.BitsStored = 16
    made.HighBit = 15
    made.PixelRepresentation = 0


def read(source: Dataset | Path) -> Image:
    """Read an RTDOSE.

    Parameters
    ----------
    source : Dataset or Path
        The object, or its file.

    Returns
    -------
    Image
        Absorbed dose, or biologically effective dose where the dose type is EFFECTIVE, Gy; axes along rows, columns
        and frames.

    Raises
    ------
    UnreadableFile
        If the file is not DICOM or its pixel data cannot be decoded.
    UnsupportedObject
        If the object is no RTDOSE, or its frames are not evenly spaced.
    WrongQuantity
        If the dose is not in Gy, or is an error.
    MissingInformation
        If the scaling or a position is absent.
    """
    dataset = source if isinstance(source, Dataset) else read_whole(source)
    if dataset.get("SOPClassUID") != RTDoseStorage:
        raise UnsupportedObject("The object is not an RT dose.")
    units, kind = dataset.get("DoseUnits"), dataset.get("DoseType")
    quantity = next((q for q, name in DOSE_TYPE.items() if name == kind), None)
    if units != "GY" or quantity is None:
        raise WrongQuantity(f"The RT dose is {kind} in {units}; expected PHYSICAL or EFFECTIVE in GY.")
    needed = ("DoseGridScaling", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")
    absent = [name for name in needed if dataset.get(name) is None]
    if absent:
        raise MissingInformation(f"The RT dose has no {' and no '.join(absent)}.")
    try:
        pixels = dataset.pixel_array.reshape(-1, dataset.Rows, dataset.Columns)
    except Exception as fault:  # decoders raise many kinds
        raise UnreadableFile("The RT dose's pixel data cannot be decoded; it may be truncated.") from fault
    values = np.ascontiguousarray(pixels.transpose(2, 1, 0)) * float(dataset.DoseGridScaling)
    return Image(values, _grid(dataset, len(pixels)), quantity, provenance=Provenance(str(dataset.SOPInstanceUID)))


def _grid(dataset: Dataset, count: int) -> Grid:
    offsets = np.array(dataset.get("GridFrameOffsetVector") or [0.0], dtype=np.float64)
    if len(offsets) != count:
        raise UnsupportedObject(f"The RT dose has {count} frames and {len(offsets)} frame offsets.")
    rows, columns = np.array(dataset.ImageOrientationPatient, dtype=np.float64).reshape(2, 3)
    normal = np.cross(rows, columns)
    offsets = offsets - offsets[0]  # they may be positions along z as well (PS3.3 C.8.8.3.2)
    step = _step(offsets, dataset)
    down, across = (float(s) for s in dataset.PixelSpacing)
    affine: NDArray[np.float64] = np.eye(4)
    affine[:3] = np.column_stack(
        [rows * across, columns * down, normal * step, np.array(dataset.ImagePositionPatient, dtype=np.float64)]
    )
    frame = dataset.get("FrameOfReferenceUID")
    return Grid((int(dataset.Columns), int(dataset.Rows), count), affine, str(frame) if frame else None)


def _step(offsets: NDArray[np.float64], dataset: Dataset) -> float:
    if len(offsets) == 1:
        if not dataset.get("SliceThickness"):
            raise MissingInformation("The RT dose has one frame and no slice thickness.")
        return float(dataset.SliceThickness)
    step = float(offsets[-1]) / (len(offsets) - 1)
    if np.abs(offsets - step * np.arange(len(offsets))).max() > SAME_PLANE * abs(step):
        raise UnsupportedObject("The RT dose's frames are not evenly spaced.")
    return step
