"""What the stored values of images are, as a DICOM Real World Value Mapping object of its own: out, in, and applied."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import RealWorldValueMappingStorage

from hevesy.core import Quantity
from hevesy.errors import EmptyInput, MissingInformation, MixedPatients, UnsupportedObject, WrongQuantity
from hevesy.stages.imaging import header
from hevesy.stages.imaging.damage import read_whole
from hevesy.stages.imaging.derived import DISCLAIMER, decimal, derived_object, referenced, save
from hevesy.stages.imaging.pet import pet_quantity
from hevesy.stages.imaging.real_world_values import mapping
from hevesy.stages.imaging.reconstruction import MEASURED_IN

Code = tuple[str, str, str]
#: what a mapping is of (PS3.16 CID 7180; a code of our own where that has none)
QUANTITY: Code = ("246205007", "SCT", "Quantity")
ACTIVITY: Code = ("ACTIVITY_CONC", "99HEVESY", "Activity concentration")
SUV: Code = ("126401", "DCM", "SUVbw")
SUV_UNIT: Code = ("g/ml{SUVbw}", "UCUM", "Standardized Uptake Value body weight")
#: the UCUM code of a quantity → Units (0054,1001) of a PET object
_PET_UNITS = {"Bq/ml": "BQML", "g/ml{SUVbw}": "GML"}


@dataclass(frozen=True, slots=True, eq=False)
class Mapped:
    """Images and what their values are.

    Parameters
    ----------
    headers : sequence of Dataset
        Of the images of one series.
    Bq_mL_per_unit : float
        Activity concentration per unit of the values that the images' own rescale gives.
    suv_per_Bq_mL : float or None
        SUV of 1 Bq/mL, g/mL; None where body mass or activity are not known.
    """

    headers: Sequence[Any] = field(repr=False)
    Bq_mL_per_unit: float
    suv_per_Bq_mL: float | None = None


def write(series: Sequence[Mapped], path: Path, created: datetime) -> Dataset:
    """Write what the stored values of images of one patient are, in Bq/mL and where it is known in SUV.

    Parameters
    ----------
    series : sequence of Mapped
        Of one patient; the object is filed in the study of the first.
    path : Path
        File to write.
    created : datetime
        When it was made.

    Returns
    -------
    Dataset
        The object.

    Raises
    ------
    EmptyInput
        If there is no image.
    WrongQuantity
        If a factor is not positive.
    MixedPatients
        If the images are of more than one patient.
    MissingInformation
        If an image names no study.
    """
    if not series or not all(one.headers for one in series):
        raise EmptyInput("A real world value mapping needs images.")
    if not all(one.Bq_mL_per_unit > 0 and (one.suv_per_Bq_mL or 1) > 0 for one in series):
        raise WrongQuantity("The factors of a real world value mapping must be positive.")
    if len({header.text(head, "PatientID") for one in series for head in one.headers}) > 1:
        raise MixedPatients("A real world value mapping is of the images of one patient.")
    items = [item for one in series for item in _items(one)]
    first = series[0].headers[0]
    content = repr([(i.RealWorldValueMappingSequence[0].RealWorldValueSlope, str(i)) for i in items]).encode()
    made = derived_object(first, RealWorldValueMappingStorage, "RWV", content, created)
    made.SeriesDescription = "Real world values"
    made.Laterality = ""
    made.ContentLabel = "REAL_WORLD_VAL"
    made.ContentDescription = DISCLAIMER
    made.ContentCreatorName = ""
    made.ReferencedImageRealWorldValueMappingSequence = items
    _refer_to(made, series)
    save(made, path)
    return made


def _items(one: Mapped) -> list[Dataset]:
    """Return one item for the images that share slope and intercept."""
    groups: dict[tuple[float, float], list[Any]] = {}
    for head in one.headers:
        groups.setdefault(_stored_scale(head), []).append(head)
    made = []
    for (slope, intercept), heads in groups.items():
        factor = one.Bq_mL_per_unit
        values = [_described(mapping(heads[0], slope * factor, intercept * factor), ACTIVITY)]
        if one.suv_per_Bq_mL is not None:
            factor *= one.suv_per_Bq_mL
            values.append(_as_suv(mapping(heads[0], slope * factor, intercept * factor)))
        item = Dataset()
        item.RealWorldValueMappingSequence = values
        item.ReferencedImageSequence = [referenced(head) for head in heads]
        made.append(item)
    return made


def _stored_scale(head: Any) -> tuple[float, float]:
    """Return slope and intercept from stored values to those that are read, before any calibration."""
    for stated in header.items(head, "RealWorldValueMappingSequence"):
        codes = header.items(stated, "MeasurementUnitsCodeSequence")
        unit = header.text(codes[0], "CodeValue") if codes else ""
        if unit in MEASURED_IN:
            scale = MEASURED_IN[unit][1]
            intercept = header.number(stated, "RealWorldValueIntercept") or 0.0
            return (header.number(stated, "RealWorldValueSlope") or 1.0) * scale, intercept * scale
    scale = pet_quantity(head, "The image")[1] if header.text(head, "Units") else 1.0
    slope = header.number(head, "RescaleSlope")
    return (1.0 if slope is None else slope) * scale, (header.number(head, "RescaleIntercept") or 0.0) * scale


def _code(code: Code) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code
    return item


def _described(made: Dataset, quantity: Code) -> Dataset:
    # the range as floating point: the kind of the whole numbers hangs on Pixel Representation, which is the images'
    made.DoubleFloatRealWorldValueFirstValueMapped = float(made.pop("RealWorldValueFirstValueMapped").value)
    made.DoubleFloatRealWorldValueLastValueMapped = float(made.pop("RealWorldValueLastValueMapped").value)
    definition = Dataset()
    definition.ValueType = "CODE"
    definition.ConceptNameCodeSequence = [_code(QUANTITY)]
    definition.ConceptCodeSequence = [_code(quantity)]
    made.QuantityDefinitionSequence = [definition]
    return made


def _as_suv(made: Dataset) -> Dataset:
    made.LUTExplanation, made.LUTLabel = "Standardised uptake, body weight", "SUVBW"
    made.MeasurementUnitsCodeSequence = [_code(SUV_UNIT)]
    return _described(made, SUV)


def _refer_to(made: Dataset, series: Sequence[Mapped]) -> None:
    """Name every image by study and series (common instance reference)."""
    own: list[Dataset] = []
    others: dict[str, list[Dataset]] = {}
    for one in series:
        item = Dataset()
        item.SeriesInstanceUID = one.headers[0].SeriesInstanceUID
        item.ReferencedInstanceSequence = [referenced(head) for head in one.headers]
        study = str(one.headers[0].get("StudyInstanceUID", ""))
        if not study:
            raise MissingInformation("An image names no study; its real world values cannot be filed.")
        (own if study == made.StudyInstanceUID else others.setdefault(study, [])).append(item)
    made.ReferencedSeriesSequence = own
    if others:
        made.StudiesContainingOtherReferencedInstancesSequence = []
    for study, items in others.items():
        elsewhere = Dataset()
        elsewhere.StudyInstanceUID = study
        elsewhere.ReferencedSeriesSequence = items
        made.StudiesContainingOtherReferencedInstancesSequence.append(elsewhere)


def read(source: Dataset | Path) -> dict[str, tuple[Dataset, ...]]:
    """Read a Real World Value Mapping object.

    Returns
    -------
    dict
        SOP Instance UID of each image to its mappings: items of Real World Value Mapping Sequence.

    Raises
    ------
    UnreadableFile
        If the file is not DICOM.
    UnsupportedObject
        If it is another object.
    """
    dataset = source if isinstance(source, Dataset) else read_whole(source)
    if dataset.get("SOPClassUID") != RealWorldValueMappingStorage:
        raise UnsupportedObject("The object is no real world value mapping.")
    found: dict[str, tuple[Dataset, ...]] = {}
    for item in header.items(dataset, "ReferencedImageRealWorldValueMappingSequence"):
        values = tuple(header.items(item, "RealWorldValueMappingSequence"))
        for image in header.items(item, "ReferencedImageSequence"):
            uid = str(image.ReferencedSOPInstanceUID)
            found[uid] = (*found.get(uid, ()), *values)
    return found


def apply(
    found: Mapping[str, Sequence[Dataset]], headers: Sequence[Any], quantity: Quantity = Quantity.ACTIVITY_CONCENTRATION
) -> list[Any]:
    """Return headers by which a series is read in what its values were mapped to; those given stay as they are.

    Parameters
    ----------
    found : mapping
        From `read`.
    headers : sequence of Dataset
        Of the images.
    quantity : Quantity
        What they shall be read as: activity concentration or standardised uptake.

    Raises
    ------
    MissingInformation
        If an image has no mapping to this quantity.
    """
    return [_read_as(head, _mapping_of(found, head, quantity)) for head in headers]


def _mapping_of(found: Mapping[str, Sequence[Dataset]], head: Any, quantity: Quantity) -> Dataset:
    for one in found.get(header.text(head, "SOPInstanceUID"), ()):
        if MEASURED_IN.get(_unit(one), (None,))[0] is quantity:
            return one
    raise MissingInformation(f"An image has no real world value mapping to {quantity.unit}.")


def _unit(one: Dataset) -> str:
    codes = header.items(one, "MeasurementUnitsCodeSequence")
    return header.text(codes[0], "CodeValue") if codes else ""


def _read_as(head: Any, one: Dataset) -> Any:
    changed = copy.copy(head)
    if header.text(head, "SOPClassUID") == "1.2.840.10008.5.1.4.1.1.20":  # NM, whose reader knows mappings itself
        changed.RealWorldValueMappingSequence = [one]
        return changed
    unit, scale = _unit(one), MEASURED_IN[_unit(one)][1]
    changed.Units = _PET_UNITS["g/ml{SUVbw}" if unit == "g/ml{SUVbw}" else "Bq/ml"]
    changed.RescaleSlope = decimal(float(one.RealWorldValueSlope) * scale)
    changed.RescaleIntercept = decimal(float(one.get("RealWorldValueIntercept") or 0.0) * scale)
    return changed
