"""Real world values in an object of their own: applied to the stored images they give what those are read as."""

import math

import numpy as np
import pydicom
import pytest

from factories import camera, dicom
from hevesy.core import Quantity
from hevesy.errors import EmptyInput, MissingInformation, MixedPatients, UnsupportedObject, WrongQuantity
from hevesy.stages.imaging.folder import read_folder
from hevesy.stages.imaging.pet import read_pet
from hevesy.stages.imaging.real_world_value_object import Mapped, apply, read, write
from hevesy.stages.imaging.reconstruction import read_reconstruction
from hevesy.stages.imaging.supplied import Supplied
from hevesy.stages.imaging.suv import read_suv

STORED = np.arange(3 * 4 * 5).reshape(3, 4, 5).astype(np.uint16) + 7
SLOPES = (0.5, 3.25, 3.25)
DECAYED_BQ = 370e6 * math.exp2(-3600 / dicom.F18_HALF_LIFE_S)
SUV = 60e3 / DECAYED_BQ  # 60 kg


@pytest.fixture
def pet(tmp_path):
    return read_folder(dicom.write(tmp_path / "pet", dicom.pet(STORED, slopes=SLOPES))).series[0]


def test_a_pet_whose_slices_differ_in_slope_is_read_alike_from_its_mapping(pet, made_at, tmp_path):
    write([Mapped(pet.headers, 1.0, SUV)], tmp_path / "rwvm.dcm", made_at)
    changed = apply(read(tmp_path / "rwvm.dcm"), pet.headers)
    (again,) = read_pet(changed, pet.files, "the series")
    np.testing.assert_allclose(again.values, pet.image().values, rtol=1e-6)
    np.testing.assert_allclose(again.values[..., 0], STORED[0].T * 0.5, rtol=1e-6)
    assert float(pet.headers[0].RescaleSlope) == 0.5  # those given stay as they were


def test_its_uptake_is_that_which_the_vendor_neutral_rules_give(pet, made_at, tmp_path):
    write([Mapped(pet.headers, 1.0, SUV)], tmp_path / "rwvm.dcm", made_at)
    changed = apply(read(tmp_path / "rwvm.dcm"), pet.headers, Quantity.STANDARDISED_UPTAKE)
    (again,) = read_pet(changed, pet.files, "the series")
    assert again.quantity is Quantity.STANDARDISED_UPTAKE
    np.testing.assert_allclose(again.values, read_suv(pet)[0].values, rtol=1e-6)


def test_counts_of_a_gamma_camera_become_activity(made_at, tmp_path):
    folder = dicom.write(tmp_path / "nm", [camera.reconstruction(STORED, RescaleSlope="2", RescaleIntercept="0")])
    series = read_folder(folder).series[0]
    counts = series.image()
    assert counts.quantity is Quantity.COUNTS
    write([Mapped(series.headers, 12.5)], tmp_path / "rwvm.dcm", made_at)
    changed = apply(read(tmp_path / "rwvm.dcm"), series.headers)
    (again,) = read_reconstruction(changed, series.files, "it", Supplied(decay_corrected_to="none"))
    assert again.quantity is Quantity.ACTIVITY_CONCENTRATION
    np.testing.assert_allclose(again.values, counts.values * 12.5, rtol=1e-6)


def test_the_validator_finds_no_error_and_units_labels_and_quantities_are_coded(pet, made_at, tmp_path, faults):
    write([Mapped(pet.headers, 1.0, SUV)], tmp_path / "rwvm.dcm", made_at)
    made = pydicom.dcmread(tmp_path / "rwvm.dcm")
    assert faults(tmp_path / "rwvm.dcm") == []
    assert (made.SOPClassUID, made.Modality) == ("1.2.840.10008.5.1.4.1.1.67", "RWV")
    items = made.ReferencedImageRealWorldValueMappingSequence
    assert [len(item.ReferencedImageSequence) for item in items] == [1, 2]  # a slope each
    values = items[0].RealWorldValueMappingSequence
    assert [v.MeasurementUnitsCodeSequence[0].CodeValue for v in values] == ["Bq/ml", "g/ml{SUVbw}"]
    assert [v.LUTLabel for v in values] == ["BQML", "SUVBW"]
    assert values[1].QuantityDefinitionSequence[0].ConceptCodeSequence[0].CodeValue == "126401"
    (series,) = made.ReferencedSeriesSequence
    assert len(series.ReferencedInstanceSequence) == len(STORED)


def test_series_of_another_study_are_named_with_their_study(pet, made_at, tmp_path, faults):
    later = dicom.pet(STORED, StudyInstanceUID="1.2.9", SeriesInstanceUID="1.2.9.1")
    other = read_folder(dicom.write(tmp_path / "later", later)).series[0]
    write([Mapped(pet.headers, 1.0), Mapped(other.headers, 2.0)], tmp_path / "rwvm.dcm", made_at)
    made = pydicom.dcmread(tmp_path / "rwvm.dcm")
    assert faults(tmp_path / "rwvm.dcm") == []
    (elsewhere,) = made.StudiesContainingOtherReferencedInstancesSequence
    assert elsewhere.StudyInstanceUID == "1.2.9"
    assert len(read(made)) == 2 * len(STORED)


def test_what_cannot_be_mapped_is_refused(pet, made_at, tmp_path):
    path = tmp_path / "rwvm.dcm"
    with pytest.raises(EmptyInput):
        write([], path, made_at)
    with pytest.raises(WrongQuantity):
        write([Mapped(pet.headers, 0.0)], path, made_at)
    other = read_folder(dicom.write(tmp_path / "other", dicom.pet(STORED, PatientID="P2"))).series[0]
    with pytest.raises(MixedPatients):
        write([Mapped(pet.headers, 1.0), Mapped(other.headers, 1.0)], path, made_at)
    assert not path.exists()
    write([Mapped(pet.headers, 1.0)], path, made_at)
    with pytest.raises(MissingInformation, match="g/mL"):
        apply(read(path), pet.headers, Quantity.STANDARDISED_UPTAKE)
    with pytest.raises(UnsupportedObject):
        read(pet.files[0])
