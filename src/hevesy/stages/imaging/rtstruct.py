"""DICOM RT structure sets, in and out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import RTStructureSetStorage

from hevesy.core import Outline, Role
from hevesy.errors import EmptyInput, UnreadableFile, UnsupportedObject
from hevesy.stages.imaging.structures import Structures

#: RT ROI Interpreted Type (PS3.3 C.8.8.8.1) → role; other types say nothing about it
ROLE_OF_TYPE = {
    "EXTERNAL": Role.BODY,
    "GTV": Role.LESION,
    "CTV": Role.LESION,
    "PTV": Role.LESION,
    "TREATED_VOLUME": Role.LESION,
    "ORGAN": Role.ORGAN,
    "AVOIDANCE": Role.ORGAN,
}
CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")


def read_structures(source: Dataset | Path) -> Structures:
    """Read the closed contours of an RTSTRUCT.

    The role comes from the RT ROI Interpreted Type alone; where that is empty the outline is an organ and a note says
    so. Regions of interest without a closed contour (points, isocentres, empty ones) are passed over with a note.

    Parameters
    ----------
    source : Dataset or Path
        The object or its file.

    Raises
    ------
    UnreadableFile
        If the file is not DICOM or a contour is damaged.
    UnsupportedObject
        If the object is not an RTSTRUCT.
    EmptyInput
        If no region of interest holds a closed contour.
    """
    dataset = _open(source)
    observed = {int(o.ReferencedROINumber): o for o in dataset.get("RTROIObservationsSequence") or ()}
    drawn = {int(c.ReferencedROINumber): c for c in dataset.get("ROIContourSequence") or ()}
    outlines: list[Outline] = []
    notes: list[str] = []
    for roi in dataset.get("StructureSetROISequence") or ():
        number = int(roi.ROINumber)
        name = _unique_name(str(roi.get("ROIName") or f"ROI {number}").strip(), number, outlines, notes)
        contours = tuple(_closed_contours(drawn.get(number), name, notes))
        if contours:
            role = _role(observed.get(number), name, notes)
            frame = roi.get("ReferencedFrameOfReferenceUID") or dataset.get("FrameOfReferenceUID")
            outlines.append(Outline(name, contours, str(frame) if frame else None, role))
    label = str(dataset.get("StructureSetLabel") or dataset.get("SeriesDescription") or "")
    if not outlines:
        raise EmptyInput(f"Structure set '{label}' holds no closed contour.", " ".join(notes))
    frames = {o.frame_of_reference for o in outlines}
    return Structures(
        label,
        str(dataset.get("SOPInstanceUID", "")),
        frames.pop() if len(frames) == 1 else None,
        _referenced_series(dataset),
        outlines=tuple(outlines),
        notes=tuple(notes),
    )


def _open(source: Dataset | Path) -> Dataset:
    if isinstance(source, Dataset):
        dataset, where = source, "The object"
    else:
        where = str(source)
        try:
            dataset = pydicom.dcmread(source, force=True)
            kind = dataset.get("SOPClassUID")
        except Exception as fault:  # pydicom raises many kinds on damaged files
            raise UnreadableFile(f"{where} cannot be read as DICOM.") from fault
        if kind is None:
            raise UnreadableFile(f"{where} cannot be read as DICOM.")
    if dataset.get("SOPClassUID") != RTStructureSetStorage:
        raise UnsupportedObject(f"{where} is not an RT structure set.")
    return dataset


def _unique_name(name: str, number: int, outlines: list[Outline], notes: list[str]) -> str:
    if all(o.name != name for o in outlines):
        return name
    unique = f"{name} [{number}]"
    notes.append(f"Two structures are named '{name}'; number {number} is called '{unique}'.")
    return unique


def _role(observation: Dataset | None, name: str, notes: list[str]) -> Role:
    kind = str(observation.get("RTROIInterpretedType") or "") if observation is not None else ""
    if kind not in ROLE_OF_TYPE:
        stated = f"the type {kind}" if kind else "no type"
        notes.append(f"Structure '{name}' states {stated}; its role is taken as organ unless given.")
    return ROLE_OF_TYPE.get(kind, Role.ORGAN)


def _closed_contours(item: Dataset | None, name: str, notes: list[str]) -> Iterator[NDArray[np.float64]]:
    contours = (item.get("ContourSequence") or ()) if item is not None else ()
    if not contours:
        notes.append(f"Structure '{name}' is empty; it was passed over.")
    passed: dict[str, int] = {}
    for contour in contours:
        kind = str(contour.get("ContourGeometricType") or "")
        points = _points(contour, name)
        if kind in CLOSED and len(points) >= 3:
            yield points
        else:
            what = f"closed contour of {len(points)} points" if kind in CLOSED else f"{kind or 'untyped'} contour"
            passed[what] = passed.get(what, 0) + 1
    for what, count in passed.items():
        notes.append(f"Structure '{name}': {count} × {what} passed over, since it encloses no area.")


def _points(contour: Dataset, name: str) -> NDArray[np.float64]:
    try:
        numbers = np.array(contour.get("ContourData") or [], dtype=np.float64)
    except ValueError as fault:
        raise UnreadableFile(f"A contour of structure '{name}' holds something that is not a number.") from fault
    if numbers.size % 3 or not np.isfinite(numbers).all():
        raise UnreadableFile(f"A contour of structure '{name}' is damaged: {numbers.size} coordinates.")
    stated = contour.get("NumberOfContourPoints")
    if stated is not None and int(stated) * 3 != numbers.size:
        raise UnreadableFile(f"A contour of structure '{name}' states {stated} points and holds {numbers.size / 3:g}.")
    return numbers.reshape(-1, 3)


def _referenced_series(dataset: Dataset) -> tuple[str, ...]:
    found = [
        str(series.SeriesInstanceUID)
        for frame in dataset.get("ReferencedFrameOfReferenceSequence") or ()
        for study in frame.get("RTReferencedStudySequence") or ()
        for series in study.get("RTReferencedSeriesSequence") or ()
        if "SeriesInstanceUID" in series
    ]
    return tuple(dict.fromkeys(found))
