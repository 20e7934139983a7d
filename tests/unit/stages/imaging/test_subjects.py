"""Whose each series of a folder is: one patient's objects agree even where what they say differs or is left out."""

import pytest
from pydicom.dataset import Dataset

from hevesy.errors import ContradictoryInformation, MissingInformation
from hevesy.stages.imaging.identity import subject_of
from hevesy.stages.imaging.subjects import subjects


def head(identifier="", issuer="", study="1.2.3", name="Zyxwvut^Quorble"):
    made = Dataset()
    made.PatientID, made.IssuerOfPatientID = identifier, issuer
    made.StudyInstanceUID, made.PatientName = study, name
    return made


def test_the_spelling_of_a_name_decides_nothing():
    spelt = ("Zyxwvut^Quorble", "ZYXWVUT^QUORBLE^B", "Quorble Zyxwvut", "")
    assert len(set(subjects([[head("123", name=name)] for name in spelt]))) == 1


def test_one_number_of_two_hospitals_is_two_patients():
    two = subjects([[head("123", "North", "1.2.3")], [head("123", "South", "1.2.4")]])
    assert len(set(two)) == 2
    assert two == [subject_of(head("123", "North")), subject_of(head("123", "South"))]


@pytest.mark.parametrize("study", ["1.2.3", "1.2.4"])
def test_an_object_without_an_issuer_is_of_the_only_one_that_there_is(study):
    assert len(set(subjects([[head("123", "North")], [head("123", "", study)]]))) == 1


def test_of_two_issuers_the_one_of_the_same_study_counts():
    series = [[head("123", "North", "1.2.3")], [head("123", "South", "1.2.4")], [head("123", "", "1.2.4")]]
    north, south, unsaid = subjects(series)
    assert unsaid == south != north


def test_an_issuer_that_one_object_of_a_series_names_is_that_of_the_series():
    assert subjects([[head("123"), head("123", "North")]]) == [subject_of(head("123", "North"))]


def test_an_object_without_an_identifier_is_of_the_patient_of_its_study():
    named, unnamed = subjects([[head("123", "North")], [head(name="")]])
    assert named == unnamed


def test_names_alone_are_compared_without_case_and_marks():
    assert (
        len(set(subjects([[head(name=name)] for name in ("Zyxwvut^Quorble", "ZYXWVUT QUORBLE", "zyxwvut, quorble^")])))
        == 1
    )
    assert len(set(subjects([[head(name="Zyxwvut^Quorble")], [head(name="Zyxwvut^Drumgoold")]]))) == 2


def test_whose_a_series_is_is_not_guessed():
    two = [[head("123", "North", "1.2.3")], [head("123", "South", "1.2.4")]]
    assert isinstance(subjects([*two, [head("123", "", "1.2.5")]])[2], ContradictoryInformation)
    assert isinstance(subjects([[head("1")], [head("2")], [head("", name="")]])[2], ContradictoryInformation)
    assert isinstance(subjects([[head("1", "North"), head("1", "South")]])[0], ContradictoryInformation)
    assert isinstance(subjects([[head("", name="")]])[0], MissingInformation)
