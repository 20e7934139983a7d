"""Nuclide, activity and patient as headers write them."""

from datetime import date, datetime

import pytest

from factories import dicom
from hevesy.errors import MissingInformation, UnreadableFile
from hevesy.stages.imaging.administration import injected, nuclide_name, parse_nuclide, patient

SCAN = datetime(2024, 3, 5, 10)


@pytest.mark.parametrize(
    ("words", "nuclide"),
    [
        ("^18^Fluorine", "F-18"),
        ("18F", "F-18"),
        ("F-18", "F-18"),
        ("177 Lutetium", "Lu-177"),
        ("Lu177", "Lu-177"),
        ("Lutetium 177m", "Lu-177m"),
        ("^99m^Technetium", "Tc-99m"),
        ("Tc-99m", "Tc-99m"),
        ("99mTc", "Tc-99m"),
        ("131 Iodine", "I-131"),
        ("[68Ga]", "Ga-68"),
        ("Ac-225 PSMA-617", "Ac-225"),
        ("212Pb", "Pb-212"),
        ("fluorodeoxyglucose", None),
        ("", None),
    ],
)
def test_a_nuclide_is_found_however_it_is_written(words, nuclide):
    assert parse_nuclide(words) == nuclide


@pytest.mark.parametrize(("code", "nuclide"), [("C-101ED", "Lu-177"), ("447553000", "Lu-177"), ("C-163A8", "Tc-99m")])
def test_a_code_tells_the_nuclide_where_its_meaning_does_not(code, nuclide):
    item = dicom.item(RadionuclideCodeSequence=[dicom.item(CodeValue=code, CodeMeaning="see code")])
    assert nuclide_name(item) == nuclide


def header(modality="PT", **tags):
    sequence = [dicom.radiopharmaceutical(**tags)]
    return dicom.item(Modality=modality, RadiopharmaceuticalInformationSequence=sequence)


@pytest.mark.parametrize(
    ("modality", "written", "activity", "noted"),
    [
        ("PT", 370e6, 370e6, False),
        ("NM", 740, 740e6, False),
        ("PT", 370, 370e6, True),
        ("NM", 7.4e9, 7.4e9, True),
    ],
)
def test_activity_is_in_the_unit_of_the_modality_unless_nobody_gets_that_much(modality, written, activity, noted):
    found = injected(header(modality, RadionuclideTotalDose=dicom.ds(written)), SCAN)
    assert found.activity_Bq == pytest.approx(activity)
    assert bool(found.notes) is noted


def test_an_administration_needs_its_nuclide(tmp_path):
    bare = header(RadionuclideCodeSequence=None, Radiopharmaceutical="a drug")
    with pytest.raises(MissingInformation, match="does not name the radionuclide"):
        injected(bare, SCAN).administration()


def test_an_administration_carries_what_was_given_and_when():
    given = injected(header(), SCAN).administration()
    assert (given.nuclide, given.time, given.activity.value) == ("F-18", datetime(2024, 3, 5, 9), 370e6)


def test_times_of_day_that_contradict_each_other_are_noted():
    found = injected(header(RadiopharmaceuticalStartTime="083000"), SCAN)
    assert found.time == datetime(2024, 3, 5, 9)
    assert "different times of day" in found.notes[0]


def test_an_injection_too_long_ago_to_be_seen_is_not_believed():
    found = injected(header(RadiopharmaceuticalStartDateTime="20230305090000"), SCAN)
    assert found.time is None
    with pytest.raises(MissingInformation, match="too long before"):
        found.administration()


def test_a_time_that_is_no_time_is_refused():
    with pytest.raises(UnreadableFile, match="not a DICOM time"):
        injected(header(RadiopharmaceuticalStartTime="noon!!"), SCAN)


def test_what_is_not_known_of_a_patient_stays_unknown():
    found = patient(dicom.item(PatientID="P1", PatientSex="", PatientWeight="0", PatientBirthDate="00000000"))
    assert (found.sex, found.mass_kg, found.height_m, found.birth_date) == (None, None, None, None)


def test_height_in_centimetres_is_brought_to_metres():
    found = patient(dicom.item(PatientID="P1", PatientSize="172", PatientBirthDate="19500203"))
    assert found.height_m == pytest.approx(1.72)
    assert found.birth_date == date(1950, 2, 3)
