"""``hevesy deidentify``: a whole case made nameless gives the same doses, and refusals leave nothing behind."""

import gzip
import json
import re
import stat

import pydicom
import pytest

from factories.dicom import change_all, write
from factories.therapy_case import LESION, ORGAN, scan, structures, write_case
from hevesy.cli import main
from hevesy.stages.imaging.identity import elements_within
from hevesy.workflows.sharing import read_key

#: what names the patient, the people and the places around them, in the usual elements
NAMED = {
    "PatientName": "Zyxwvut^Quorble",
    "PatientID": "QX-77",
    "IssuerOfPatientID": "Nordklinik",
    "PatientBirthDate": "19310417",
    "AccessionNumber": "ACC-4477",
    "InstitutionName": "Sanktvorbis",
    "StationName": "VORBIS1",
    "DeviceSerialNumber": "SN-99123",
    "OperatorsName": "Drumgoold^Xanthippe",
    "ReferringPhysicianName": "Marchbanks^Ottoline",
    "StudyDescription": "Therapy of Quorble, 5 March 2024",
}


def deidentify(folder, out, *more):
    return main(["deidentify", str(folder), "--out", str(out), *more])


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    """Return a case of two scans, each of a study of its own, with names in all usual places."""
    folder = tmp_path_factory.mktemp("case")
    for number, hours in enumerate((4.0, 96.0), start=1):
        whose = {**NAMED, "StudyInstanceUID": f"1.2.3.44771.{number}"}
        images = scan(hours, number, **whose)
        drawn = structures(images, number, organ=ORGAN, lesion=LESION)
        change_all([drawn], **whose)
        write(folder / f"Quorble{number}", images)
        write(folder / f"Quorble{number}", [drawn], "rs")
    (folder / "case.yaml").write_text(
        "created: 2024-03-20T12:00:00\n"
        "administration: {time: '2024-03-05T09:00:00', radiopharmaceutical: Lu-177 DOTATATE for Quorble}\n"
        "scans: [{series: 1.2.3.10, label: Quorble}, {series: Scan 2}]\n"
    )
    return folder


@pytest.fixture(scope="module")
def computed(named, tmp_path_factory):
    """Return what `hevesy dose` wrote of the case."""
    out = tmp_path_factory.mktemp("of Quorble") / "out"
    assert main(["dose", str(named), "--out", str(out)]) == 0
    return out


@pytest.fixture(scope="module")
def shared(named, computed, tmp_path_factory):
    """Return the case and its results once they name nobody."""
    folder = tmp_path_factory.mktemp("copy")
    (folder / "key").write_bytes(b"a secret of 32 bytes for tests..")  # no date is among its digits by chance
    key = str(folder / "key")
    assert deidentify(named, folder / "shared", "--key", key, "--results", str(computed)) == 0
    return folder / "shared"


def told_by(*folders):
    """Return every name, identifier, date and UID of the originals that no copy may hold, in lower case."""
    found = {
        part for value in NAMED.values() for part in re.split(r"[\^, ]", value) if len(part) > 4 and part != "Therapy"
    }
    for path in (path for folder in folders for path in folder.rglob("*.dcm")):
        for element in elements_within(pydicom.dcmread(path, stop_before_pixels=True)):
            text = str(element.value)
            if element.VR == "UI" and not text.startswith("1.2.840.10008"):
                found.add(text)
            if element.VR in ("DA", "DT") and text:
                found |= {text[:8], f"{text[:4]}-{text[4:6]}-{text[6:8]}", f"{text[6:8]}.{text[4:6]}.{text[:4]}"}
    return {text.lower().encode() for text in found}


def plain(path):
    """Return the name and the bytes of a file, decompressed."""
    content = path.read_bytes()
    return path.name.encode() + (gzip.decompress(content) if path.suffix == ".gz" else content)


def test_no_byte_of_a_copy_with_results_names_the_patient_a_person_a_place_a_date_or_a_uid(named, computed, shared):
    told = told_by(named, computed)
    assert {b"quorble", b"qx-77", b"19310417", b"acc-4477", b"20240305", b"2024-03-05", b"1.2.3.10"} <= told
    files = sorted(path for path in shared.rglob("*") if path.is_file())
    assert {path.name for path in (shared / "result").iterdir()} == {
        *("results.json", "regions.csv", "dose.nii.gz", "dose.json", "tia.nii.gz", "tia.json"),
        *("rtdose.dcm", "seg.dcm", "rtstruct.dcm", "dose_report.dcm", "rwvm.dcm"),
    }
    for path in files:
        content = plain(path).lower()
        assert [text for text in told if text in content] == [], path
    named_in = b"".join(
        plain(path).lower() for folder in (named, computed) for path in folder.rglob("*") if path.is_file()
    )
    spelt = {text for text in told if re.fullmatch(rb"\d{4}-\d\d-\d\d|\d\d\.\d\d\.\d{4}", text)}
    assert [text for text in told - spelt if text not in named_in] == []  # the search finds what is there


def test_references_between_the_objects_of_a_copy_lead_to_them(shared):
    made = [pydicom.dcmread(path, stop_before_pixels=True) for path in sorted(shared.rglob("*.dcm"))]
    there = {str(one.SOPInstanceUID) for one in made}
    assert len(there) == len(made) == 2 * 25 + 5
    assert len({(one.PatientID, one.PatientName) for one in made}) == 1
    referred = {
        str(element.value)
        for one in made
        if one.Modality in ("SR", "SEG", "RTDOSE", "RWV")
        for element in elements_within(one)
        if element.keyword == "ReferencedSOPInstanceUID"
    }
    dose = next(one for one in made if one.Modality == "RTDOSE")
    referred -= {dose.ReferencedRTPlanSequence[0].ReferencedSOPInstanceUID}  # there is no plan; a dose must name one
    assert len(referred) >= 2 * 24 + 1
    assert referred - there == set()
    frames = {str(one.FrameOfReferenceUID) for one in made if "FrameOfReferenceUID" in one}
    assert len(frames) == 1


def test_a_copy_gives_the_doses_that_its_results_say_to_the_last_digit(named, computed, shared, tmp_path):
    assert main(["dose", str(shared / "case"), "--out", str(tmp_path / "again")]) == 0
    before, copied, again = (
        json.loads((folder / "results.json").read_text())
        for folder in (computed, shared / "result", tmp_path / "again")
    )
    for one in (copied, again):
        assert numbers_in(one) == numbers_in(before)
    assert copied["administered_at"] == again["administered_at"] != before["administered_at"]
    assert copied["provenance"]["inputs"] == again["provenance"]["inputs"]
    assert (shared / "result/regions.csv").read_bytes() == (tmp_path / "again/regions.csv").read_bytes()
    for name in ("dose.nii.gz", "tia.nii.gz"):
        assert plain(shared / "result" / name) == plain(tmp_path / "again" / name) == plain(computed / name)
    case = (shared / "case/case.yaml").read_text()
    assert "2024-" not in case
    assert "radiopharmaceutical: Lu-177 DOTATATE\n" in case


def numbers_in(value):
    """Return every number of results.json, in order."""
    if isinstance(value, dict):
        return [number for key, each in value.items() if key != "settings" for number in numbers_in(each)]
    if isinstance(value, list):
        return [number for each in value for number in numbers_in(each)]
    return [value] if isinstance(value, (int, float)) else []


def test_the_validator_finds_no_error_in_the_objects_of_a_result(shared, faults):
    for path in sorted((shared / "result").glob("*.dcm")):
        assert faults(path) == [], path.name


def test_results_of_another_patient_are_refused(computed, tmp_path, capsys):
    named, other = tmp_path / "named", tmp_path / "other"
    write(named, scan(4.0, 1, **NAMED)[:2])
    other.mkdir()
    text = (computed / "results.json").read_text()
    (other / "results.json").write_text(text.replace('"identifier": "QX-77"', '"identifier": "QX-78"'))
    assert deidentify(named, tmp_path / "out", "--results", str(other)) == 2
    assert "not of the patient" in capsys.readouterr().err
    assert deidentify(named, tmp_path / "out", "--results", str(tmp_path / "none")) == 3
    (other / "results.json").write_text(text.replace('"regions"', '"region"'))
    assert deidentify(named, tmp_path / "out", "--results", str(other)) == 4
    assert not (tmp_path / "out").exists()


def test_the_same_key_gives_the_same_bytes_and_no_key_others(named, tmp_path):
    for name in ("a", "b"):
        assert deidentify(named, tmp_path / name, "--key", str(tmp_path / "key")) == 0
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    one, two = (sorted(p for p in (tmp_path / n).rglob("*.dcm")) for n in ("a", "b"))
    assert [p.relative_to(tmp_path / "a") for p in one] == [p.relative_to(tmp_path / "b") for p in two]
    assert all(a.read_bytes() == b.read_bytes() for a, b in zip(one, two, strict=True))
    assert deidentify(named, tmp_path / "c") == 0
    assert {p.name for p in (tmp_path / "c").iterdir()} != {p.name for p in (tmp_path / "a").iterdir()}


def test_a_secondary_capture_refuses_the_folder_or_is_left_out_by_name(named, tmp_path, capsys):
    folder = tmp_path / "case"
    captured = scan(4.0, 3, SOPClassUID="1.2.840.10008.5.1.4.1.1.7", SeriesDescription="Dose report")[:1]
    write(folder, captured)
    write(folder / "scan", scan(4.0, 1))
    (folder / "notes.txt").write_text("Quorble")
    assert deidentify(folder, tmp_path / "out") == 4
    assert "secondary capture" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert deidentify(folder, tmp_path / "out", "--leave-out") == 0
    shown = capsys.readouterr().out
    assert "Left out: 'Dose report' is a secondary capture" in shown
    assert "1 file that are no images were not copied" in shown or "1 file" in shown
    assert len(list((tmp_path / "out").rglob("*.*"))) == 24


def test_what_cannot_be_done_is_refused_in_one_line_and_nothing_is_written(tmp_path, capsys):
    write(tmp_path / "nameless", scan(4.0, 1, PatientID="", PatientName=""))
    assert deidentify(tmp_path / "nameless", tmp_path / "out") == 5
    (tmp_path / "short").write_bytes(b"abc")
    write_case(tmp_path / "case", hours=(4.0,))
    assert deidentify(tmp_path / "case", tmp_path / "out", "--key", str(tmp_path / "short")) == 2
    (tmp_path / "full").mkdir()
    (tmp_path / "full/other.txt").write_text("x")
    assert deidentify(tmp_path / "case", tmp_path / "full") == 9
    assert [len(line) > 0 for line in capsys.readouterr().err.splitlines()] == [True] * 3
    assert not (tmp_path / "out").exists()
    assert [p.name for p in (tmp_path / "full").iterdir()] == ["other.txt"]


def test_two_patients_go_into_folders_of_their_own(tmp_path):
    write(tmp_path / "in/a", scan(4.0, 1, PatientID="A-1"))
    write(tmp_path / "in/b", scan(4.0, 1, PatientID="B-1"))
    assert deidentify(tmp_path / "in", tmp_path / "out") == 0
    dates = {pydicom.dcmread(next(p.rglob("*.dcm"))).AcquisitionDate for p in (tmp_path / "out").iterdir()}
    assert len(list((tmp_path / "out").iterdir())) == len(dates) == 2


def test_one_patient_stays_one_however_the_objects_name_them_and_two_hospitals_numbers_stay_two(tmp_path):
    north = {"PatientID": "123", "IssuerOfPatientID": "North", "StudyInstanceUID": "1.2.3.1"}
    write(tmp_path / "in/a", scan(4.0, 1, **north, PatientName="Zyxwvut^Quorble")[:2])
    write(tmp_path / "in/b", scan(24.0, 2, PatientID="123", StudyInstanceUID="1.2.3.1", PatientName="QUORBLE")[:2])
    write(tmp_path / "in/c", scan(96.0, 3, PatientID="", StudyInstanceUID="1.2.3.1", PatientName="")[:2])
    assert deidentify(tmp_path / "in", tmp_path / "one") == 0
    assert len(list((tmp_path / "one").iterdir())) == 1
    made = [pydicom.dcmread(path) for path in sorted((tmp_path / "one").rglob("*.dcm"))]
    assert len({one.PatientID for one in made}) == len({one.StudyDate for one in made}) == 1
    south = {"PatientID": "123", "IssuerOfPatientID": "South", "StudyInstanceUID": "1.2.3.4"}
    write(tmp_path / "in/d", scan(4.0, 4, **south)[:2])
    assert deidentify(tmp_path / "in", tmp_path / "two") == 0
    assert len(list((tmp_path / "two").iterdir())) == 2


def test_a_key_is_whole_or_not_there_and_is_never_written_over(tmp_path, monkeypatch):
    key = tmp_path / "key"
    monkeypatch.setattr("hevesy.workflows.sharing.secrets.token_bytes", lambda size: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        read_key(key)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    first = read_key(key).patient("A")
    assert read_key(key).patient("A") == first
    assert [p.name for p in tmp_path.iterdir()] == ["key"]
