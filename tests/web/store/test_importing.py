import shutil
import threading
import zipfile

import pytest
from django.db import connections, transaction

from hevesy.errors import BadInput, EmptyInput
from hevesy.web.site.store.files import FileStore
from hevesy.web.site.store.folders import lay_out
from hevesy.web.site.store.importing import import_path
from hevesy.web.site.store.limits import Limits
from hevesy.web.site.store.models import Attachment, Import, Instance, Patient, Series, Study
from hevesy.web.site.store.rows import _Folders

pytestmark = pytest.mark.django_db


@pytest.fixture
def incoming(home, tmp_path):
    folder = tmp_path / "incoming"
    folder.mkdir()
    return folder


@pytest.fixture
def three(incoming, make_object):
    """Three slices, each nested deeper than the one before, one without a suffix."""
    make_object(incoming / "1.dcm", "1.2.3.1.1", InstanceNumber=1)
    make_object(incoming / "a" / "2.dcm", "1.2.3.1.2", InstanceNumber=2)
    make_object(incoming / "a" / "b" / "IM3", "1.2.3.1.3", InstanceNumber=3)
    return incoming


def counts(report):
    return report.new, report.duplicate, report.refused, report.ignored


def reasons(report):
    return " ".join(reason for _, reason in report.refusals)


def test_a_folder_is_imported_however_it_is_nested(three, physicist):
    report = import_path(three, physicist)
    assert counts(report) == (3, 0, 0, 0)
    patient, study, series = Patient.objects.get(), Study.objects.get(), Series.objects.get()
    assert (patient.identifier, patient.name, patient.study_count) == ("P1", "Phantom^One", 1)
    assert (study.modalities, study.series_count, study.instance_count) == ("CT", 1, 3)
    assert study.at.isoformat() == patient.latest_at.isoformat() == "2024-03-05T10:11:12+00:00"
    assert series.instance_count == 3
    assert study.size == series.size == sum(f.stat().st_size for f in three.rglob("*") if f.is_file())


def test_every_byte_arrives(three, physicist):
    import_path(three, physicist)
    store = FileStore.of_site()
    stored = {store.path_of(i.sha256).read_bytes() for i in Instance.objects.all()}
    assert stored == {f.read_bytes() for f in three.rglob("*") if f.is_file()}


def test_a_second_import_finds_duplicates_alone(three, physicist):
    import_path(three, physicist)
    assert counts(import_path(three, physicist)) == (0, 3, 0, 0)
    assert Instance.objects.count() == 3
    assert Study.objects.get().instance_count == 3


def test_a_file_that_comes_twice_in_one_import_is_stored_once(three, physicist):
    shutil.copy(three / "1.dcm", three / "z.dcm")
    assert counts(import_path(three, physicist)) == (3, 1, 0, 0)


def test_an_import_that_is_done_again_counts_what_it_brought_as_new(three, physicist):
    arrival = Import.objects.create(origin="path", person=physicist)
    shutil.copy(three / "1.dcm", three / "z.dcm")
    for _ in range(2):
        assert counts(import_path(three, physicist, arrival=arrival)) == (3, 1, 0, 0)


def test_other_bytes_under_a_known_uid_are_refused_and_overwrite_nothing(three, physicist, make_object):
    import_path(three, physicist)
    before = Instance.objects.get(uid="1.2.3.1.1").sha256
    make_object(three / "1.dcm", "1.2.3.1.1", InstanceNumber=9)
    report = import_path(three, physicist)
    assert counts(report) == (0, 2, 1, 0)
    assert report.refusals[0][0] == "1.dcm"
    assert "stored with other content" in reasons(report)
    assert Instance.objects.get(uid="1.2.3.1.1").sha256 == before


def test_other_bytes_under_a_uid_of_the_same_import_are_refused(incoming, physicist, make_object):
    make_object(incoming / "1.dcm", "1.2.3.1.1", InstanceNumber=1)
    make_object(incoming / "2.dcm", "1.2.3.1.1", InstanceNumber=2)
    assert counts(import_path(incoming, physicist)) == (1, 0, 1, 0)


def test_an_object_that_was_sent_in_another_encoding_is_a_duplicate(three, physicist):
    import pydicom
    from pydicom.uid import ImplicitVRLittleEndian

    import_path(three, physicist)
    again = pydicom.dcmread(three / "1.dcm")
    again.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    again.save_as(three / "1.dcm", implicit_vr=True, little_endian=True)
    assert counts(import_path(three, physicist)) == (0, 3, 0, 0)


def test_what_is_no_image_is_refused_each_with_a_reason(three, physicist):
    (three / "note.txt").write_text("A note.", encoding="utf-8")
    (three / "empty.dcm").write_bytes(b"")
    (three / "named.dcm").write_bytes(b"not DICOM")
    report = import_path(three, physicist)
    assert counts(report) == (3, 0, 3, 0)
    assert {name for name, _ in report.refusals} == {"note.txt", "empty.dcm", "named.dcm"}
    assert all("no DICOM object" in reason for _, reason in report.refusals)


def test_a_dicomdir_is_passed_over(three, physicist):
    (three / "DICOMDIR").write_bytes(b"whatever")
    assert counts(import_path(three, physicist)) == (3, 0, 0, 1)


def test_an_archive_is_imported_and_one_inside_it_and_no_deeper(three, tmp_path, physicist, make_object):
    deepest = tmp_path / "deepest.zip"
    with zipfile.ZipFile(deepest, "w") as archive:
        archive.write(three / "1.dcm", "1.dcm")
    inner = tmp_path / "inner.zip"
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(three / "a/2.dcm", "2.dcm")
        archive.write(deepest, "deepest.zip")
    with zipfile.ZipFile(tmp_path / "outer.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(three / "a/b/IM3", "folder/IM3")
        archive.write(inner, "inner.zip")
    report = import_path(tmp_path / "outer.zip", physicist)
    assert counts(report) == (2, 0, 1, 0)
    assert report.refusals[0][0] == "outer.zip/inner.zip/deepest.zip"
    assert set(Instance.objects.values_list("uid", flat=True)) == {"1.2.3.1.2", "1.2.3.1.3"}


def test_nothing_to_import_is_said(incoming, physicist):
    with pytest.raises(EmptyInput):
        import_path(incoming, physicist)
    assert Import.objects.get().ended_at


def test_more_files_than_allowed_are_refused_before_any_is_stored(three, physicist):
    with pytest.raises(BadInput, match="more than 2 files"):
        import_path(three, physicist, limits=Limits(files=2))
    assert not Instance.objects.exists()
    assert Import.objects.get().remarks.count() == 1


def test_links_are_not_followed(three, physicist, tmp_path):
    (three / "link.dcm").symlink_to(three / "1.dcm")
    (three / "folder").symlink_to(tmp_path)
    report = import_path(three, physicist)
    assert counts(report) == (3, 0, 2, 0)
    assert reasons(report).count("a link") == 2


@pytest.mark.parametrize(
    ("tags", "told"),
    [
        ({"PatientBirthDate": "19700102"}, "birth date"),
        ({"PatientSex": "M"}, "sex"),
        ({"PatientID": "P2"}, "another patient"),
        ({"StudyInstanceUID": "1.2.4"}, "another study"),
    ],
)
def test_an_object_that_contradicts_what_is_stored_is_refused(incoming, physicist, make_object, tags, told):
    make_object(incoming / "1.dcm", "1.2.3.1.1", PatientBirthDate="19700101")
    import_path(incoming, physicist)
    (incoming / "1.dcm").unlink()
    make_object(incoming / "2.dcm", "1.2.3.1.2", **tags)
    report = import_path(incoming, physicist)
    assert counts(report) == (0, 0, 1, 0)
    assert told in reasons(report)
    assert [model.objects.count() for model in (Patient, Study, Series, Instance)] == [1, 1, 1, 1]


def test_two_studies_that_name_no_patient_are_not_joined(incoming, physicist, make_object):
    make_object(incoming / "1.dcm", "1.2.3.1.1", PatientID="")
    make_object(incoming / "2.dcm", "1.2.4.1.1", PatientID="", StudyInstanceUID="1.2.4", SeriesInstanceUID="1.2.4.1")
    import_path(incoming, physicist)
    assert Patient.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_who_bring_a_new_patient_at_one_moment_are_both_thanked(home, tmp_path, make_object, monkeypatch):
    """The second has looked for the patient, and not yet for the study, when the first has made both."""
    for number in (1, 2):
        make_object(tmp_path / f"{number}/{number}.dcm", f"1.2.3.1.{number}")
    look, looked, made, reports = _Folders.lock, threading.Event(), threading.Event(), []

    def look_and_wait(folders, *who):
        look(folders, *who)
        looked.set()
        assert made.wait(30)

    def bring():
        reports.append(import_path(tmp_path / "2", None))
        connections.close_all()

    second = threading.Thread(target=bring)
    with transaction.atomic():
        reports.append(import_path(tmp_path / "1", None))
        monkeypatch.setattr(_Folders, "lock", look_and_wait)
        second.start()
        looked.wait(0.5)  # in vain, where the second waits for the first
    made.set()
    second.join(60)
    assert [counts(report) for report in reports] == [(1, 0, 0, 0)] * 2, reports
    assert Study.objects.get().instance_count == 2


def test_files_that_name_no_patient_are_attached_to_the_one_beside_them(three, physicist):
    (three / "a" / "scan.json").write_text("{}", encoding="utf-8")
    (three / "case.yaml").write_text("schema: hevesy-case-1.0\n", encoding="utf-8")
    assert counts(import_path(three, physicist)) == (5, 0, 0, 0)
    assert counts(import_path(three, physicist)) == (0, 5, 0, 0)
    assert set(Attachment.objects.values_list("name", "patient__identifier")) == {
        ("a/scan.json", "P1"),
        ("case.yaml", "P1"),
    }


def test_files_that_name_no_patient_are_refused_where_nobody_says_whose_they_are(incoming, physicist, make_object):
    (incoming / "scan.nii").write_bytes(b"")
    assert "Nothing says whose" in reasons(import_path(incoming, physicist))
    make_object(incoming / "1.dcm", "1.2.3.1.1")
    make_object(incoming / "2.dcm", "1.2.4.1.1", PatientID="P2", StudyInstanceUID="1.2.4", SeriesInstanceUID="1.2.4.1")
    assert "of 2 patients" in reasons(import_path(incoming, physicist))


def test_files_that_name_no_patient_go_to_whom_the_person_named(incoming, physicist):
    (incoming / "scan.nii").write_bytes(b"volume")
    arrival = Import.objects.create(origin="path", person=physicist, identifier="P7")
    assert counts(import_path(incoming, physicist, arrival=arrival)) == (1, 0, 0, 0)
    assert Attachment.objects.get().patient.identifier == "P7"


def test_instances_are_laid_out_under_their_uids(three, physicist, tmp_path):
    (three / "case.yaml").write_text("schema: hevesy-case-1.0\n", encoding="utf-8")
    import_path(three, physicist)
    for _ in range(2):  # once more changes nothing
        lay_out(Instance.objects.select_related("series"), tmp_path / "out", Attachment.objects.all())
    laid = {p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    assert laid == {*(f"1.2.3.1/1.2.3.1.{n}.dcm" for n in (1, 2, 3)), "case.yaml"}
    assert (tmp_path / "out/1.2.3.1/1.2.3.1.1.dcm").read_bytes() == (three / "1.dcm").read_bytes()
