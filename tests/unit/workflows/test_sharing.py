"""A folder of whom somebody knows better than its objects whose they are."""

import pydicom

from factories.dicom import write
from factories.therapy_case import scan
from hevesy.stages.imaging.identity import Pseudonyms
from hevesy.workflows.sharing import Known, share

KEY = Pseudonyms(b"a secret of 32 bytes for tests..")


def test_objects_that_disagree_are_of_the_one_patient_that_is_known(tmp_path):
    said = [{"PatientID": "123", "PatientName": "A^B"}, {"PatientID": "00123"}, {"PatientID": "", "PatientName": ""}]
    for number, whose in enumerate(said, start=1):
        write(tmp_path / f"in/{number}", scan(4.0 * number, number, SeriesDescription="Scan Ottoline", **whose)[:2])
    known = Known("row 7", ("Marchbanks^Ottoline",))
    shared = share(tmp_path / "in", tmp_path / "out", KEY, known=known)
    pseudonym = KEY.patient("row 7")
    assert shared.objects == {pseudonym: 6}
    made = [pydicom.dcmread(path) for path in sorted((tmp_path / "out").rglob("*.dcm"))]
    assert {(str(one.PatientName), one.PatientID) for one in made} == {(pseudonym, pseudonym)}
    assert len({one.StudyDate for one in made}) == 1
    assert {one.SeriesDescription for one in made} == {"Scan"}
