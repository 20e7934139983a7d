"""``hevesy deidentify``: a whole case made nameless gives the same doses, and refusals leave nothing behind."""

import json
import stat

import pydicom
import pytest

from factories.dicom import change_all, write
from factories.therapy_case import LESION, ORGAN, scan, structures, write_case
from hevesy.cli import main
from hevesy.workflows.sharing import read_key


def deidentify(folder, out, *more):
    return main(["deidentify", str(folder), "--out", str(out), *more])


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    """Return a case of two scans, each of a study of its own, with names in all usual places."""
    folder = tmp_path_factory.mktemp("case")
    for number, hours in enumerate((4.0, 96.0), start=1):
        images = scan(
            hours, number, StudyInstanceUID=f"1.2.3.{number}", PatientName="Zyxwvut^Quorble", PatientID="QX-77"
        )
        drawn = structures(images, number, organ=ORGAN, lesion=LESION)
        change_all([drawn], PatientName="Zyxwvut^Quorble", PatientID="QX-77", StudyInstanceUID=f"1.2.3.{number}")
        write(folder / f"Quorble{number}", images)
        write(folder / f"Quorble{number}", [drawn], "rs")
    (folder / "case.yaml").write_text(
        "created: 2024-03-20T12:00:00\n"
        "administration: {time: '2024-03-05T09:00:00', radiopharmaceutical: Lu-177 DOTATATE for Quorble}\n"
        "scans: [{series: 1.2.3.10, label: Quorble}, {series: Scan 2}]\n"
    )
    return folder


def doses(folder, out):
    assert main(["dose", str(folder), "--out", str(out)]) == 0
    record = json.loads((out / "results.json").read_text())
    return {r["name"]: r["absorbed_dose_Gy"]["value"] for r in record["regions"]}, record["administered_activity_MBq"]


def test_a_case_gives_the_same_doses_once_it_names_nobody(named, tmp_path, capsys):
    assert deidentify(named, tmp_path / "shared", "--key", str(tmp_path / "key")) == 0
    assert "times between injection and scan are unchanged" in capsys.readouterr().out
    assert doses(tmp_path / "shared", tmp_path / "b") == doses(named, tmp_path / "a")
    files = [path for path in (tmp_path / "shared").rglob("*") if path.is_file()]
    assert len(files) == 51
    case = (tmp_path / "shared/case.yaml").read_text()
    assert "2024" not in case
    assert "radiopharmaceutical: Lu-177 DOTATATE\n" in case
    for path in files:
        assert b"quorble" not in (str(path).encode() + path.read_bytes()).lower()


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
