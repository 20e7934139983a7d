"""DICOM objects made for tests: small, sound, and spoilt one tag at a time."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from pydicom.valuerep import DSfloat

PET = "1.2.840.10008.5.1.4.1.1.128"
CT = "1.2.840.10008.5.1.4.1.1.2"
NM = "1.2.840.10008.5.1.4.1.1.20"

F18_HALF_LIFE_S = 6586.2


def ds(value: float) -> DSfloat:
    """A decimal string that keeps to sixteen characters."""
    return DSfloat(float(value), auto_format=True)


def item(**tags: Any) -> Dataset:
    """A sequence item; values that the standard forbids are written as they are."""
    made = Dataset()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for keyword, value in tags.items():
            setattr(made, keyword, value)
    return made


def radiopharmaceutical(**tags: Any) -> Dataset:
    """An item of the Radiopharmaceutical Information Sequence: 370 MBq of F-18 at 09:00; None removes a tag."""
    facts = {
        "Radiopharmaceutical": "FDG",
        "RadiopharmaceuticalStartTime": "090000",
        "RadiopharmaceuticalStartDateTime": "20240305090000",
        "RadionuclideTotalDose": ds(370e6),
        "RadionuclideHalfLife": ds(F18_HALF_LIFE_S),
        "RadionuclideCodeSequence": [
            item(CodeValue="C-111A1", CodingSchemeDesignator="SRT", CodeMeaning="^18^Fluorine")
        ],
    }
    facts.update(tags)
    return item(**{k: v for k, v in facts.items() if v is not None})


def base(sop_class: str, modality: str, pixels: NDArray[Any], **tags: Any) -> Dataset:
    """An image object of one patient with the pixels given, stored as they are (uint16 or int16)."""
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = sop_class
    made.SOPClassUID = sop_class
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    made.Modality = modality
    made.PatientID, made.PatientName = "P1", "Phantom^One"
    made.PatientSex, made.PatientWeight, made.PatientSize = "F", ds(60), ds(1.65)
    made.StudyInstanceUID = made.SeriesInstanceUID = "1.2.3.4"
    made.FrameOfReferenceUID = "1.2.3.5"
    made.SeriesDescription = f"{modality} test"
    made.SeriesDate = made.AcquisitionDate = "20240305"
    made.SeriesTime = made.AcquisitionTime = "100000"
    stored = np.asarray(pixels)
    made.Rows, made.Columns = stored.shape[-2:]
    if stored.ndim == 3:
        made.NumberOfFrames = len(stored)
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.BitsAllocated = made.BitsStored = 16
    made.HighBit, made.PixelRepresentation = 15, int(stored.dtype.kind == "i")
    made.PixelData = stored.astype(f"<{stored.dtype.kind}2").tobytes()
    return change(made, **tags)


def change(made: Dataset, **tags: Any) -> Dataset:
    """Set tags by keyword; None removes one."""
    for keyword, value in tags.items():
        if value is not None:
            setattr(made, keyword, value)
        elif keyword in made:
            delattr(made, keyword)
    return made


def slices(
    sop_class: str,
    modality: str,
    stored: NDArray[Any],
    spacing_mm: tuple[float, float, float] = (4.0, 4.0, 3.0),
    orientation: ArrayLike = (1, 0, 0, 0, 1, 0),
    origin_mm: ArrayLike = (-20.0, -30.0, 100.0),
    **tags: Any,
) -> list[Dataset]:
    """A series from stored values (slices, rows, columns), slices along the normal; spacing is x, y, z."""
    direction = np.asarray(orientation, float)
    normal = np.cross(direction[:3], direction[3:])
    made = []
    for index, plane in enumerate(stored):
        position = np.asarray(origin_mm, float) + index * spacing_mm[2] * normal
        made.append(
            base(
                sop_class,
                modality,
                plane,
                PixelSpacing=[ds(spacing_mm[1]), ds(spacing_mm[0])],
                ImageOrientationPatient=[ds(x) for x in direction],
                ImagePositionPatient=[ds(x) for x in position],
                SliceThickness=ds(spacing_mm[2]),
                InstanceNumber=index + 1,
                **tags,
            )
        )
    return made


def pet(stored: NDArray[Any], slopes: Iterable[float] | None = None, **tags: Any) -> list[Dataset]:
    """A PET series in Bq/mL, corrected to the start of a ten-minute scan at 10:00, an hour after injection."""
    facts: dict[str, Any] = {
        "ImageType": ["ORIGINAL", "PRIMARY"],
        "Units": "BQML",
        "CorrectedImage": ["DECY", "ATTN", "SCAT"],
        "DecayCorrection": "START",
        "ActualFrameDuration": 600000,
        "FrameReferenceTime": ds(0),
        "RescaleIntercept": ds(0),
        "RescaleSlope": ds(1),
        "SeriesType": ["STATIC", "IMAGE"],
        "NumberOfSlices": len(stored),
        "RadiopharmaceuticalInformationSequence": [radiopharmaceutical()],
    }
    facts.update(tags)
    made = slices(PET, "PT", stored, **facts)
    for one, slope in zip(made, slopes or [], strict=False):
        one.RescaleSlope = ds(slope)
    return made


def ct(stored: NDArray[Any], **tags: Any) -> list[Dataset]:
    """A CT series in HU."""
    facts: dict[str, Any] = {
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
        "RescaleIntercept": ds(-1024),
        "RescaleSlope": ds(1),
        "RescaleType": "HU",
        "SeriesInstanceUID": "1.2.3.6",
    }
    facts.update(tags)
    return slices(CT, "CT", stored, **facts)


def write(folder: Path, objects: Iterable[Dataset], prefix: str = "") -> Path:
    """Write objects into a folder and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, made in enumerate(objects):
        made.save_as(folder / f"{prefix}{number:04d}.dcm", enforce_file_format=True)
    return folder


def change_all(objects: Iterable[Dataset], **tags: Any) -> list[Dataset]:
    """Set tags of every object; None removes one."""
    return [change(one, **tags) for one in objects]


def compress(folder: Path, syntax: str) -> Path:
    """Compress every object of a folder in place with GDCM: RLELossless, JPEG2000Lossless, JPEGLosslessProcess14_1."""
    import gdcm

    for path in sorted(folder.iterdir()):
        reader = gdcm.ImageReader()
        reader.SetFileName(str(path))
        assert reader.Read()
        packer = gdcm.ImageChangeTransferSyntax()
        packer.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, syntax)))
        packer.SetInput(reader.GetImage())
        assert packer.Change()
        writer = gdcm.ImageWriter()
        writer.SetFileName(str(path))
        writer.SetFile(reader.GetFile())
        writer.SetImage(packer.GetOutput())
        assert writer.Write()
    return folder
