"""What every DICOM object made here shares: whose it is, where it lies, and names that follow from its content."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.config import RAISE
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ImplicitVRLittleEndian
from pydicom.valuerep import DSfloat, validate_value

from hevesy import __version__
from hevesy.core import Grid
from hevesy.errors import GridMismatch, MissingInformation, UnsupportedObject

MANUFACTURER = "Hevesy"
#: what every object says of itself, within the 64 characters of VR LO
DISCLAIMER = "For research and education; not a medical device."
#: longest text of VR LO
LONGEST = 64
#: longest text of the kinds that are carried over
TEXT = {"PN": 64, "LO": 64, "SH": 16}
#: a source slice this close to a plane, in slices, is the one that was drawn on
SAME_PLANE = 0.02
#: DICOM axes may be this far from perpendicular (cosine)
SKEW_TOLERANCE = 1e-4
#: of the patient and the study, carried over where the source has them
CARRIED = (
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientSex",
    "PatientAge",
    "PatientSize",
    "PatientWeight",
    "PatientIdentityRemoved",
    "DeidentificationMethod",
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "StudyDescription",
    "AccessionNumber",
    "ReferringPhysicianName",
)
#: of those, what must be there even if empty
EVEN_IF_EMPTY = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
)


@dataclass(frozen=True, slots=True, eq=False)
class Planes:
    """A grid as DICOM writes it: planes along their normal.

    Parameters
    ----------
    position_mm : (3,) array
        Centre of the first voxel of the first plane, mm.
    rows, columns, normal : (3,) arrays
        Directions of a row, of a column, and from plane to plane.
    spacing_mm : tuple of float
        Between columns, between rows, between planes, mm.
    reversed : bool
        Whether the planes run against the grid's third axis.
    """

    position_mm: NDArray[np.float64]
    rows: NDArray[np.float64]
    columns: NDArray[np.float64]
    normal: NDArray[np.float64]
    spacing_mm: tuple[float, float, float]
    reversed: bool

    @classmethod
    def of(cls, grid: Grid) -> Planes:
        """Describe a grid by planes.

        Raises
        ------
        UnsupportedObject
            If the grid is skewed.
        """
        spacing = grid.spacing_mm
        directions = grid.affine[:3, :3] / spacing
        rows, columns, third = directions.T
        if np.abs(directions.T @ directions - np.eye(3)).max() > SKEW_TOLERANCE:
            raise UnsupportedObject("A skewed grid cannot be written as DICOM.", "Resample to a rectangular one.")
        normal = np.cross(rows, columns)
        backwards = bool(third @ normal < 0)
        last = grid.to_mm((0, 0, grid.shape[2] - 1))
        return cls(last if backwards else grid.affine[:3, 3], rows, columns, normal, spacing, backwards)

    def frames(self, values: NDArray[np.generic]) -> NDArray[np.generic]:
        """Turn values (n0, n1, n2) on the grid into frames (n2, n1, n0) of rows and columns."""
        frames = np.transpose(values, (2, 1, 0))
        return frames[::-1] if self.reversed else frames


def derived_uid(*content: bytes | str) -> str:
    """Return a UID that follows from content: 2.25 and 128 bits of its SHA-256 (PS3.5 B.2)."""
    digest = hashlib.sha256()
    for part in content:
        digest.update(part.encode() if isinstance(part, str) else part)
        digest.update(b"\0")
    return f"2.25.{int.from_bytes(digest.digest()[:16], 'big')}"


def decimal(value: float) -> DSfloat:
    """Return a decimal string of at most 16 characters."""
    return DSfloat(float(value), auto_format=True)


def decimals(values: NDArray[np.floating]) -> list[DSfloat]:
    """Return decimal strings of at most 16 characters."""
    return [decimal(float(value)) for value in values.ravel()]


def frame_of_reference(source: Dataset, *stated: str | None) -> str:
    """Return the one frame of reference that an object made from a source has.

    Raises
    ------
    GridMismatch
        If what is written lies in another frame than the source.
    MissingInformation
        If neither names one.
    """
    frames = {str(f) for f in (*stated, source.get("FrameOfReferenceUID")) if f}
    if len(frames) > 1:
        raise GridMismatch(
            "What is to be written lies in another frame of reference than the images that it is filed with.",
            "File it with the images whose grid it lies on.",
        )
    if not frames:
        raise MissingInformation("The source images name no frame of reference; DICOM output cannot be placed.")
    return frames.pop()


def derived_object(source: Dataset, sop_class: str, modality: str, content: bytes, created: datetime) -> Dataset:
    """Return an object of the source's patient and study, in a series of its own, without what it is about.

    Parameters
    ----------
    source : Dataset
        Header of an image that it was made from.
    sop_class, modality : str
        What it is.
    content : bytes
        What it holds; with source and time of creation it decides the UIDs.
    created : datetime
        When it was made.

    Raises
    ------
    MissingInformation
        If the source names no study.
    """
    if not source.get("StudyInstanceUID"):
        raise MissingInformation("The source images name no study; DICOM output cannot be filed with them.")
    made = _carried(source)
    made.SOPClassUID = sop_class
    key = (modality, str(source.StudyInstanceUID), created.isoformat(), content)
    made.SOPInstanceUID = derived_uid("instance", *key)
    made.SeriesInstanceUID = derived_uid("series", *key)
    made.Modality = modality
    made.SeriesNumber = made.InstanceNumber = 1
    made.OperatorsName = ""
    made.Manufacturer = made.ManufacturerModelName = MANUFACTURER
    made.SoftwareVersions = __version__
    made.ContentQualification = "RESEARCH"
    date_made(made, created)
    made.file_meta = FileMetaDataset()
    # implicit, since a long contour does not fit the two-byte length of an explicit decimal string
    made.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    return made


def _carried(source: Dataset) -> Dataset:
    """Copy what is known of patient and study, in UTF-8, without values that break DICOM's own rules."""
    made = Dataset()
    made.SpecificCharacterSet = "ISO_IR 192"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what pydicom would warn of is mended or left out below
        for name in CARRIED:
            known = source.get(name) not in (None, "", [])
            element = _mended(source[name]) if known else None
            if element is not None and _is_legal(element):
                made[name] = element
            elif name in EVEN_IF_EMPTY:
                setattr(made, name, "")
    return made


def _mended(element: DataElement) -> DataElement:
    """Return an element whose text is one value without control characters, as each of `CARRIED` is."""
    if element.VR not in TEXT:
        return element
    values = [element.value] if element.VM == 1 else list(element.value)
    words = plain("/".join(map(str, values)), TEXT[element.VR])
    return DataElement(element.tag, element.VR, _person(words) if element.VR == "PN" else words)


def _person(words: str) -> str:
    """Return a name of at most three representations of five components each (PS3.5 6.2.1), the rest in the last."""
    groups = (group.split("^", 4) for group in words.split("=", 2))
    return "=".join("^".join(part.replace("^", " ").replace("=", " ") for part in parts) for parts in groups)


def _is_legal(element: DataElement) -> bool:
    try:
        values = [element.value] if element.VM == 1 else list(element.value)
        for value in values:
            validate_value(element.VR, str(value), RAISE)
            if element.VR == "DA":
                datetime.strptime(str(value), "%Y%m%d")
    except ValueError:
        return False
    return element.keyword != "PatientSex" or element.value in ("M", "F", "O")


def plain(words: str, longest: int = LONGEST) -> str:
    """Return a text as DICOM can hold it: no backslash, which would part it in two, and no control character.

    The limit counts bytes of UTF-8: DICOM's own counts characters, but validators do not.
    """
    safe = "".join("/" if c == "\\" else c if c.isprintable() else " " for c in words)
    return safe.strip().encode()[:longest].decode(errors="ignore").rstrip()


def slices_on_planes(sources: Sequence[Dataset], planes: Planes) -> dict[int, Dataset]:
    """Return the source slice that lies on each plane, where there is one."""
    found = {}
    for source in sources:
        if source.get("ImagePositionPatient") is not None and int(source.get("NumberOfFrames") or 1) == 1:
            away = np.array(source.ImagePositionPatient, dtype=np.float64) - planes.position_mm
            plane = float(away @ planes.normal) / planes.spacing_mm[2]
            if abs(plane - round(plane)) < SAME_PLANE:
                found[round(plane)] = source
    return found


def referenced(source: Dataset) -> Dataset:
    """Return a reference to an object."""
    item = Dataset()
    item.ReferencedSOPClassUID = source.SOPClassUID
    item.ReferencedSOPInstanceUID = source.SOPInstanceUID
    return item


def date_made(made: Dataset, created: datetime) -> None:
    """Date an object: its creation, content and series."""
    day, time = created.strftime("%Y%m%d"), created.strftime("%H%M%S")
    made.InstanceCreationDate = made.ContentDate = made.SeriesDate = day
    made.InstanceCreationTime = made.ContentTime = made.SeriesTime = time


def save(made: Dataset, path: Path) -> None:
    """Write an object as a DICOM file.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    made.save_as(path, enforce_file_format=True)
