"""A reconstruction as a gamma camera's workstation would store it: one NM object, RECON TOMO."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRLittleEndian, NuclearMedicineImageStorage

from hevesy.core import EnergyWindow, Image, Quantity
from hevesy.errors import WrongQuantity
from hevesy.stages.imaging import header
from hevesy.stages.imaging.axis_of_rotation import patient_position
from hevesy.stages.imaging.camera_frames import energy_windows
from hevesy.stages.imaging.derived import (
    Planes,
    decimal,
    decimals,
    derived_object,
    frame_of_reference,
    referenced,
    save,
)
from hevesy.stages.imaging.real_world_values import mapping

LARGEST = 65535
#: of the acquisition, carried over where the projections have them
OF_ACQUISITION = (
    "AcquisitionDate",
    "AcquisitionTime",
    "AcquisitionDateTime",
    "TimezoneOffsetFromUTC",
    "InstitutionName",
    "StationName",
    "BodyPartExamined",
    "PatientOrientationCodeSequence",
    "PatientGantryRelationshipCodeSequence",
    "RadiopharmaceuticalInformationSequence",
    "InterventionDrugInformationSequence",
    "RotationInformationSequence",
    "TypeOfDetectorMotion",
    "AcquisitionTerminationCondition",
)
#: sequences that must be there even if empty
EVEN_IF_EMPTY = (
    "PatientOrientationCodeSequence",
    "PatientGantryRelationshipCodeSequence",
    "RadiopharmaceuticalInformationSequence",
    "EnergyWindowInformationSequence",
)
#: PS3.16 CID 20 and 21, for projections that state Patient Position in place of codes
LYING = {
    "S": ("40199007", "supine"),
    "P": ("1240000", "prone"),
    "DR": ("102536004", "right lateral decubitus"),
    "DL": ("102535000", "left lateral decubitus"),
}
ENTERING = {"HF": ("102540008", "headfirst"), "FF": ("102541007", "feet-first")}
#: of a detector, carried over
OF_DETECTOR = ("CollimatorType", "CollimatorGridName", "FieldOfViewShape", "FieldOfViewDimensions", "FocalDistance")


@dataclass(frozen=True, slots=True)
class Making:
    """How an image was made from projections.

    Parameters
    ----------
    window : EnergyWindow
        The photopeak's.
    method : str
        Algorithm and settings in words.
    corrections : tuple of str
        Words of Corrected Image (0028,0051): ATTN, SCAT, DTIM.
    created : datetime
        When it was made.
    """

    window: EnergyWindow
    method: str
    corrections: tuple[str, ...]
    created: datetime


def write_reconstruction(image: Image, source: Dataset, making: Making, path: Path) -> str:
    """Write an image of counts or of activity concentration.

    An activity is in Bq/mL by Real World Value Mapping Sequence (0040,9096); the same scale is in Rescale Slope, for
    software that reads no more than that. Values are the mean over the acquisition, not corrected for decay.

    Parameters
    ----------
    image : Image
        Counts, or Bq/mL; in the frame of reference that the object is to have.
    source : Dataset
        Header of the projections, whose patient, study, times and radiopharmaceutical are carried over.
    making : Making
        How it was made.
    path : Path
        File to write.

    Returns
    -------
    str
        Its Series Instance UID.

    Raises
    ------
    WrongQuantity
        If the image holds something else, or values below zero.
    MissingInformation
        If neither names a frame of reference, or the source no study.
    UnsupportedObject
        If the grid is skewed.
    """
    image.require(Quantity.COUNTS, Quantity.ACTIVITY_CONCENTRATION)
    if image.values.min() < 0:
        raise WrongQuantity("A reconstruction with values below zero is not written as DICOM.")
    planes = Planes.of(image.grid)
    frames = planes.frames(image.values).astype(np.float64)
    slope = decimal(float(frames.max()) / LARGEST or 1.0)
    stored = np.clip(np.rint(frames / float(slope)), 0, LARGEST).astype("<u2")
    content = stored.tobytes() + str(slope).encode() + image.grid.affine.tobytes()
    made = derived_object(source, NuclearMedicineImageStorage, "NM", content, making.created)
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    _carry(made, source, making)
    stated = image.grid.frame_of_reference
    made.FrameOfReferenceUID = stated or frame_of_reference(source)
    made.PositionReferenceIndicator = ""
    _describe_frames(made, source, planes, stored)
    made.RescaleIntercept, made.RescaleSlope = decimal(0.0), slope
    if image.quantity is Quantity.ACTIVITY_CONCENTRATION:
        made.RealWorldValueMappingSequence = [mapping(made, float(slope), 0.0)]
        made.DecayCorrection = "NONE"
    unit = "Bq/mL" if image.quantity is Quantity.ACTIVITY_CONCENTRATION else "counts"
    made.SeriesDescription = f"{header.text(source, 'SeriesDescription')[:40]} SPECT {unit}".strip()
    save(made, path)
    return str(made.SeriesInstanceUID)


def _carry(made: Dataset, source: Dataset, making: Making) -> None:
    for name in OF_ACQUISITION:
        if source.get(name) not in (None, ""):
            made[name] = source[name]
    position = patient_position(source)
    if position and not made.get("PatientOrientationCodeSequence"):
        recumbent = _code("102538003", "recumbent")
        recumbent.PatientOrientationModifierCodeSequence = [_code(*LYING[position[2:]])]
        made.PatientOrientationCodeSequence = [recumbent]
        made.PatientGantryRelationshipCodeSequence = [_code(*ENTERING[position[:2]])]
    for name in EVEN_IF_EMPTY:
        if name not in made:
            setattr(made, name, [])
    items = header.items(source, "EnergyWindowInformationSequence")
    chosen = [i for i, w in zip(items, energy_windows(source), strict=True) if w == making.window]
    made.EnergyWindowInformationSequence = chosen[:1]
    made.NumberOfEnergyWindows = 1
    made.SourceImageSequence = [referenced(source)]
    made.ImageType = ["DERIVED", "PRIMARY", "RECON TOMO", "EMISSION"]
    before = [word for word in header.words(source, "CorrectedImage") if word != "DECY"]
    made.CorrectedImage = [*dict.fromkeys((*before, *making.corrections))]
    made.DerivationDescription = making.method[:1024]
    made.CountsAccumulated = source.get("CountsAccumulated")
    made.Laterality = ""
    if "RotationInformationSequence" in made:  # where the length of the acquisition is stated
        made.NumberOfRotations = len(made.RotationInformationSequence)


def _describe_frames(made: Dataset, source: Dataset, planes: Planes, stored: NDArray[Any]) -> None:
    detector = Dataset()
    first = header.items(source, "DetectorInformationSequence")
    for name in OF_DETECTOR:
        if first and first[0].get(name) not in (None, ""):
            detector[name] = first[0][name]
    if "CollimatorType" not in detector:
        detector.CollimatorType = ""
    detector.ImagePositionPatient = decimals(planes.position_mm)
    detector.ImageOrientationPatient = decimals(np.concatenate([planes.rows, planes.columns]))
    made.DetectorInformationSequence, made.NumberOfDetectors = [detector], 1
    between_columns, between_rows, between_planes = planes.spacing_mm
    made.PixelSpacing = [decimal(between_rows), decimal(between_columns)]
    made.SliceThickness = made.SpacingBetweenSlices = decimal(between_planes)
    made.NumberOfFrames, made.Rows, made.Columns = stored.shape
    made.NumberOfSlices = len(stored)
    made.FrameIncrementPointer = Tag("SliceVector")
    made.SliceVector = list(range(1, len(stored) + 1))
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.BitsAllocated = made.BitsStored = 16
    made.HighBit, made.PixelRepresentation = 15, 0
    made.PixelData = stored.tobytes()
    made["PixelData"].VR = "OW"


def _code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "SCT", meaning
    return item
