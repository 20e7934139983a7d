"""Standardised uptake: the formulas, and what is refused."""

import math
from datetime import date

import numpy as np
import pytest

from factories import dicom
from hevesy.core import Patient, Quantity
from hevesy.errors import MissingInformation, UnphysicalResult, WrongQuantity
from hevesy.stages.imaging.folder import read_folder
from hevesy.stages.imaging.suv import Normalisation, read_suv, size_of

STORED = np.full((3, 4, 4), 1000, np.uint16)
DECAYED = 370e6 * math.exp2(-3600 / dicom.F18_HALF_LIFE_S)


def only(tmp_path, **tags):
    return read_folder(dicom.write(tmp_path, dicom.pet(STORED, **tags))).series[0]


@pytest.mark.parametrize(("word", "activity"), [("START", DECAYED), ("ADMIN", 370e6)])
def test_uptake_is_standardised_at_the_instant_of_decay_correction(tmp_path, word, activity):
    (image,) = read_suv(only(tmp_path, DecayCorrection=word))
    assert image.quantity is Quantity.STANDARDISED_UPTAKE
    np.testing.assert_allclose(image.values, 1000 * 60e3 / activity, rtol=1e-6)


def test_a_body_uniformly_filled_with_all_the_activity_has_an_uptake_of_one(tmp_path):
    concentration = DECAYED / 60e3
    series = only(tmp_path, RescaleSlope=dicom.ds(concentration / 1000))
    np.testing.assert_allclose(read_suv(series)[0].values, 1, rtol=1e-6)


# 60 kg, 165 cm, woman; by hand: James 1.07·60 − 148·(60/165)² = 44.630; Janmahasatian 9270·60/(8780 + 244·22.0386);
# Du Bois 0.007184·60^0.425·165^0.725 m².
@pytest.mark.parametrize(
    ("normalisation", "size"),
    [
        (Normalisation.BODY_WEIGHT, 60e3),
        (Normalisation.LEAN_BODY_MASS_JAMES, 44.62975e3),
        (Normalisation.LEAN_BODY_MASS_JANMAHASATIAN, 39.2867e3),
        (Normalisation.BODY_SURFACE, 1.6586e4),
    ],
)
def test_sizes_follow_their_published_formulas(normalisation, size):
    patient = Patient("P", "F", date(1960, 1, 1), 60, 1.65)
    assert size_of(patient, normalisation) == pytest.approx(size, rel=1e-4)


def test_a_man_has_more_lean_mass_than_a_woman_of_his_size():
    for normalisation in (Normalisation.LEAN_BODY_MASS_JAMES, Normalisation.LEAN_BODY_MASS_JANMAHASATIAN):
        man, woman = (size_of(Patient("P", sex, None, 80, 1.75), normalisation) for sex in "MF")
        assert woman < man < 80e3


def test_the_formula_of_james_is_refused_where_it_falls_below_nothing():
    with pytest.raises(UnphysicalResult, match="Janmahasatian"):
        size_of(Patient("P", "F", None, 250, 1.6), Normalisation.LEAN_BODY_MASS_JAMES)


@pytest.mark.parametrize(
    ("tag", "normalisation"),
    [
        ("PatientWeight", Normalisation.BODY_WEIGHT),
        ("PatientSize", Normalisation.BODY_SURFACE),
        ("PatientSex", Normalisation.LEAN_BODY_MASS_JAMES),
    ],
)
def test_what_is_not_known_of_the_patient_is_missed(tmp_path, tag, normalisation):
    with pytest.raises(MissingInformation):
        read_suv(only(tmp_path, **{tag: None}), normalisation)


def test_no_administered_activity_is_missing_information(tmp_path):
    rph = [dicom.radiopharmaceutical(RadionuclideTotalDose=None)]
    with pytest.raises(MissingInformation, match="Total Dose"):
        read_suv(only(tmp_path, RadiopharmaceuticalInformationSequence=rph))


def test_values_without_attenuation_or_decay_correction_are_refused(tmp_path):
    with pytest.raises(WrongQuantity, match="ATTN"):
        read_suv(only(tmp_path / "a", CorrectedImage=["DECY"]))
    with pytest.raises(WrongQuantity, match="decay-corrected"):
        read_suv(only(tmp_path / "b", CorrectedImage=["ATTN"], DecayCorrection="NONE"))


def test_counts_without_a_vendors_factor_are_refused(tmp_path):
    with pytest.raises(WrongQuantity, match="no header turns into SUV"):
        read_suv(only(tmp_path, Units="PROPCNTS"))


def test_values_already_standardised_are_converted_and_not_standardised_again(tmp_path):
    series = only(tmp_path, Units="GML", SUVType="BW")
    np.testing.assert_allclose(read_suv(series)[0].values, 1000)
    lean = read_suv(series, Normalisation.LEAN_BODY_MASS_JANMAHASATIAN)[0]
    np.testing.assert_allclose(lean.values, 1000 * 39.2867 / 60, rtol=1e-4)


def test_lean_values_of_an_unnamed_formula_are_refused(tmp_path):
    with pytest.raises(WrongQuantity, match="LBM"):
        read_suv(only(tmp_path, Units="GML", SUVType="LBM"))


def test_surface_uptake_has_its_own_unit(tmp_path):
    image = read_suv(only(tmp_path), Normalisation.BODY_SURFACE)[0]
    assert image.quantity.unit == "cm²/mL"
