"""A gamma camera's reconstruction written again with what its counts are in Bq/mL (real world value mapping)."""

from __future__ import annotations

from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.valuerep import DSfloat

from hevesy.core import Measured, Quantity
from hevesy.errors import MissingInformation, WrongQuantity
from hevesy.stages.imaging import header
from hevesy.stages.imaging.camera_frames import acquisition_length_s
from hevesy.stages.imaging.derived import DISCLAIMER, derived_uid
from hevesy.stages.imaging.reconstruction import read_reconstruction, reconstruction_quantity


def write_real_world_values(source: Path, target: Path, sensitivity: Measured) -> None:
    """Copy an object and say what its stored values are in Bq/mL, by Real World Value Mapping Sequence (0040,9096).

    The pixels stay as they are; the copy has its own instance UID, in a series of its own. Both follow from the object
    and the factor, so that the same copy has the same bytes.

    Parameters
    ----------
    source, target : Path
        A reconstruction of counts in one DICOM object, and where the copy goes.
    sensitivity : Measured
        Calibration factor, ``"1/s/Bq"``.

    Raises
    ------
    WrongQuantity
        If the object does not hold counts, or the factor is in another unit.
    MissingInformation
        If the object does not say how long the scan took.
    """
    made = pydicom.dcmread(source)
    what = f"{source.name}"
    quantity = reconstruction_quantity(made, what)
    if quantity is not Quantity.COUNTS:
        raise WrongQuantity(f"{what} already holds {quantity.unit}; only counts are calibrated.")
    if sensitivity.unit != "1/s/Bq" or not sensitivity.value > 0:
        raise WrongQuantity(f"A calibration factor must be positive and in 1/s/Bq, not {sensitivity}.")
    duration, _ = acquisition_length_s(made)
    if not duration > 0:
        raise MissingInformation(f"{what} does not say how long the scan took.", "Its counts cannot be mapped.")
    image = read_reconstruction([made], [source], what)[0]
    factor = 1.0 / (duration * sensitivity.value * image.grid.voxel_volume_mL)
    slope = header.number(made, "RescaleSlope") or 1.0
    intercept = header.number(made, "RescaleIntercept") or 0.0
    made.RealWorldValueMappingSequence = [mapping(made, factor * slope, factor * intercept)]
    made.DecayCorrection = "NONE"
    if image.timing is not None and image.timing.decay_corrected_to is not None:
        # counts that the camera brought to the start of the scan stay there; START is told by the series' time
        made.DecayCorrection = "START"
        made.SeriesDate, made.SeriesTime = made.AcquisitionDate, made.AcquisitionTime
    key = (str(made.SOPInstanceUID), repr((sensitivity.value, sensitivity.u)))
    made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = derived_uid("instance", *key)
    made.SeriesInstanceUID = derived_uid("series", *key)
    made.ContentQualification = "RESEARCH"
    made.ImageComments = DISCLAIMER
    made.SeriesDescription = f"{header.text(made, 'SeriesDescription')} Bq/mL"[:64].strip()
    made.DerivationDescription = (
        f"Counts mapped to Bq/mL by {sensitivity.value * 1e6:.6g} +/- {sensitivity.u * 1e6:.2g} counts/s/MBq"
    )
    made.save_as(target, enforce_file_format=True)


def mapping(made: Dataset, slope: float, intercept: float) -> Dataset:
    """Return an item of Real World Value Mapping Sequence that makes Bq/mL of an object's stored values."""
    unit = Dataset()
    unit.CodeValue, unit.CodingSchemeDesignator, unit.CodeMeaning = "Bq/ml", "UCUM", "Becquerels/milliliter"
    mapping = Dataset()
    representation = "SS" if made.PixelRepresentation else "US"
    least = -(2 ** (made.BitsStored - 1)) if made.PixelRepresentation else 0
    mapping.add_new("RealWorldValueFirstValueMapped", representation, least)
    mapping.add_new("RealWorldValueLastValueMapped", representation, least + 2**made.BitsStored - 1)
    mapping.RealWorldValueIntercept = float(DSfloat(intercept, auto_format=True))
    mapping.RealWorldValueSlope = float(slope)
    mapping.LUTExplanation = "Activity concentration"
    mapping.LUTLabel = "BQML"
    mapping.MeasurementUnitsCodeSequence = [unit]
    return mapping
