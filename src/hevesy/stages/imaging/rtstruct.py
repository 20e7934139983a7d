"""DICOM RT structure sets, in and out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import RTStructureSetStorage

from hevesy.core import Outline, Role
from hevesy.errors import EmptyInput, UnreadableFile, UnsupportedObject
from hevesy.stages.imaging.damage import read_whole, refusing_damage
from hevesy.stages.imaging.derived import DISCLAIMER, derived_object, frame_of_reference, plain, referenced, save
from hevesy.stages.imaging.structures import Structures

#: RT ROI Interpreted Type (PS3.3 C.8.8.8.1) → role; other types say nothing about it
ROLE_OF_TYPE = {
    "EXTERNAL": Role.BODY,
    "GTV": Role.LESION,
    "CTV": Role.LESION,
    "PTV": Role.LESION,
    "ORGAN": Role.ORGAN,
    "AVOIDANCE": Role.ORGAN,
}
CONTOUR_DATA = Tag("ContourData")
#: what each role is called when written; BACKGROUND has no name of its own
TYPE_OF_ROLE = {Role.BODY: "EXTERNAL", Role.LESION: "GTV", Role.ORGAN: "ORGAN", Role.BACKGROUND: "CONTROL"}
#: study component management, by which an RTSTRUCT refers to its study (retired, and still required to be named)
DETACHED_STUDY = "1.2.840.10008.3.1.2.3.1"
#: a hue for each structure in turn
COLOURS = ((230, 60, 50), (60, 140, 230), (70, 180, 80), (240, 170, 40), (150, 90, 200), (40, 190, 190))
#: a contour this close to a slice is drawn on it
SAME_PLANE_MM = 0.05
CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")


@dataclass(frozen=True, slots=True, eq=False)
class Slices:
    """Source slices and where each lies along the normal (3,) of their stack, mm."""

    normal: NDArray[np.float64]
    places_mm: NDArray[np.float64]
    sources: tuple[Dataset, ...]

    def under(self, coordinates: bytes) -> Dataset | None:
        """Return the slice that a contour, as its text is stored, lies on; None where there is none."""
        if not self.sources:
            return None
        point = np.array(coordinates.split(b"\\", 3)[:3]).astype(np.float64)
        away = np.abs(self.places_mm - point @ self.normal)
        nearest = int(np.argmin(away))
        return self.sources[nearest] if away[nearest] < SAME_PLANE_MM else None


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
    with refusing_damage("The structure set"):
        return _read(_open(source))


def _read(dataset: Dataset) -> Structures:
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
    dataset, where = (source, "The object") if isinstance(source, Dataset) else (read_whole(source), str(source))
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
    # the stored text, where it is still as read: one decimal-string object a number takes a hundred times as long
    stored = contour.get_item(CONTOUR_DATA) if CONTOUR_DATA in contour else None
    value = stored.value if stored is not None else None
    try:
        texts = value.strip(b" \0").split(b"\\") if isinstance(value, bytes) and value else list(value or [])
        numbers = np.array(texts).astype(np.float64) if texts else np.empty(0)
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


def write(outlines: Sequence[Outline], sources: Sequence[Dataset], path: Path, created: datetime) -> None:
    """Write outlines as an RTSTRUCT, with coordinates to 0.1 µm.

    Parameters
    ----------
    outlines : sequence of Outline
        Closed planar contours in the frame of reference of the sources.
    sources : sequence of Dataset
        Headers of the images that the outlines belong to: the slices of one series, or one multi-frame object.
    path : Path
        File to write.
    created : datetime
        When the outlines were made.

    Raises
    ------
    EmptyInput
        If there is no outline or no source, or an outline has no contour.
    GridMismatch, MissingInformation
        If the outlines lie in another frame of reference than the sources, or the sources name none or no study.
    """
    if not outlines or not sources:
        raise EmptyInput("A structure set needs at least one outline and one source image.")
    frame = frame_of_reference(sources[0], *(o.frame_of_reference for o in outlines))
    texts = [[_coordinates(contour) for contour in outline.contours_mm] for outline in outlines]
    content = repr([(o.name, o.role, t) for o, t in zip(outlines, texts, strict=True)]).encode()
    made = derived_object(sources[0], RTStructureSetStorage, "RTSTRUCT", content, created)
    made.SeriesDescription = made.StructureSetName = "Regions"
    made.StructureSetLabel = "Regions"
    made.StructureSetDate, made.StructureSetTime = made.ContentDate, made.ContentTime
    del made.ContentDate, made.ContentTime
    made.StructureSetDescription = DISCLAIMER
    made.ApprovalStatus = "UNAPPROVED"
    made.FrameOfReferenceUID, made.PositionReferenceIndicator = frame, ""
    made.ReferencedFrameOfReferenceSequence = [_referenced_frame(sources, frame)]
    made.StructureSetROISequence, made.ROIContourSequence, made.RTROIObservationsSequence = [], [], []
    slices = _slices(sources)
    for number, (outline, contours) in enumerate(zip(outlines, texts, strict=True), 1):
        if not contours:
            raise EmptyInput(f"Region '{outline.name}' has no contour to write.")
        made.StructureSetROISequence.append(_named(outline, number, frame))
        made.ROIContourSequence.append(_drawn(contours, number, slices))
        made.RTROIObservationsSequence.append(_observed(outline, number))
    save(made, path)


def _coordinates(contour: NDArray[np.float64]) -> bytes:
    return "\\".join(f"{value:.4f}" for value in (np.asarray(contour).ravel() + 0.0).tolist()).encode()


def _referenced_frame(sources: Sequence[Dataset], frame: str) -> Dataset:
    series, study, item = Dataset(), Dataset(), Dataset()
    series.SeriesInstanceUID = sources[0].SeriesInstanceUID
    series.ContourImageSequence = [referenced(source) for source in sources]
    study.ReferencedSOPClassUID = DETACHED_STUDY
    study.ReferencedSOPInstanceUID = sources[0].StudyInstanceUID
    study.RTReferencedSeriesSequence = [series]
    item.FrameOfReferenceUID = frame
    item.RTReferencedStudySequence = [study]
    return item


def _named(outline: Outline, number: int, frame: str) -> Dataset:
    item = Dataset()
    item.ROINumber = number
    item.ReferencedFrameOfReferenceUID = frame
    item.ROIName = plain(outline.name)
    item.ROIGenerationAlgorithm = "SEMIAUTOMATIC"
    return item


def _slices(sources: Sequence[Dataset]) -> Slices:
    """Return the place of each source slice along the normal of the stack, mm; none for a multi-frame object."""
    if any(s.get("ImagePositionPatient") is None or s.get("NumberOfFrames") for s in sources):
        return Slices(np.zeros(3), np.empty(0), ())
    orientation = np.array(sources[0].ImageOrientationPatient, dtype=np.float64)
    normal = np.cross(orientation[:3], orientation[3:])
    places = np.array([np.array(s.ImagePositionPatient, dtype=np.float64) @ normal for s in sources])
    return Slices(normal, places, tuple(sources))


def _drawn(contours: list[bytes], number: int, slices: Slices) -> Dataset:
    item = Dataset()
    item.ROIDisplayColor = list(COLOURS[(number - 1) % len(COLOURS)])
    item.ReferencedROINumber = number
    item.ContourSequence = []
    for coordinates in contours:
        contour = Dataset()
        drawn_on = slices.under(coordinates)
        if drawn_on is not None:
            contour.ContourImageSequence = [referenced(drawn_on)]
        contour.ContourGeometricType = "CLOSED_PLANAR"
        contour.NumberOfContourPoints = (coordinates.count(b"\\") + 1) // 3
        padded = coordinates + b" " * (len(coordinates) % 2)
        contour[CONTOUR_DATA] = RawDataElement(CONTOUR_DATA, "DS", len(padded), padded, 0, True, True)
        item.ContourSequence.append(contour)
    return item


def _observed(outline: Outline, number: int) -> Dataset:
    item = Dataset()
    item.ObservationNumber = item.ReferencedROINumber = number
    item.RTROIInterpretedType = TYPE_OF_ROLE[outline.role]
    item.ROIInterpreter = ""
    return item
