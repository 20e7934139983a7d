"""Imports that are de-identified: nothing that names the patient is kept, and numbers stay."""

import json
import os
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from factories import dicom
from factories.databases import database_of
from factories.listening_site import Site
from hevesy.web.site.jobs.inline import carry_out_waiting
from hevesy.web.site.jobs.models import Job
from hevesy.web.site.store.arrivals import Wishes, arriving
from hevesy.web.site.store.importing import import_path
from hevesy.web.site.store.models import Import, Instance, Patient, Remark, Series

pytestmark = pytest.mark.django_db

NAME, IDENTIFIER = "Zyxwvut^Quorble", "QX-77041"
#: what of the patient must be found nowhere: parts of the name, the identifier, the day of birth, a UID
TELLING = (b"zyxwvut", b"quorble", b"qx-77041", b"19610517", b"1961-05-17", b"1.2.3.77041")


def scan(folder, **tags):
    """Write a PET of two slices that names its patient wherever headers, folders and file names do."""
    facts = {"PatientID": IDENTIFIER, "PatientName": NAME, "PatientBirthDate": "19610517", "StudyDate": "20240305"}
    facts |= {"StudyInstanceUID": "1.2.3.77041", "SeriesInstanceUID": "1.2.3.77041.1", "StudyDescription": NAME}
    made = dicom.pet(np.arange(512, dtype=np.uint16).reshape(2, 16, 16), **{**facts, **tags})
    for number, one in enumerate(made, start=1):
        one.SOPInstanceUID = one.file_meta.MediaStorageSOPInstanceUID = f"{one.SeriesInstanceUID}.{number}"
    return dicom.write(folder, made)


def spoilt(folder):
    """Write what is refused, each file for another reason, under names that tell."""
    scan(folder / "captured", SOPClassUID="1.2.840.10008.5.1.4.1.1.7", SeriesInstanceUID="1.2.3.77041.2")
    whole = next(folder.rglob("*.dcm")).read_bytes()
    (folder / "Quorble-torn.dcm").write_bytes(whole[:-50])
    (folder / "Quorble-notes.txt").write_text(NAME)
    (folder / "Quorble.nii").write_bytes(b"Quorble")
    with zipfile.ZipFile(folder / "Quorble.zip", "w") as archive:
        archive.writestr("../Quorble", whole)


def found_in(folder, database=b""):
    """Return the telling texts that a folder holds, in bytes or in names, each with the first place of it."""
    places = {text: "the database" for text in TELLING if text in database.lower()}
    for path in sorted(folder.rglob("*")):
        held = str(path.relative_to(folder)).encode() + (path.read_bytes() if path.is_file() else b"")
        places.update({text: str(path) for text in TELLING if text in held.lower() and text not in places})
    return places


def found_at(site):
    """Return the telling texts that a site's folder and database hold."""
    return found_in(site.home, site.beside_the_folder())


PROGRAM = """
import json, os, sys
from pathlib import Path
import django
os.environ["DJANGO_SETTINGS_MODULE"] = "hevesy.web.site.settings"
django.setup()
from django.core.management import call_command
from django.test import Client
from django.test.utils import setup_test_environment
setup_test_environment()
call_command("migrate", verbosity=0)
from hevesy.web.site.accounts.models import Person
from hevesy.web.site.jobs.inline import carry_out_waiting
from hevesy.web.site.store.models import Import
client = Client()
client.force_login(Person.objects.create_user("physicist", role="physicist"))
incoming, wish = Path(sys.argv[1]), {"deidentify": True}
api = "/api/store/imports"
key = client.post(api, wish, content_type="application/json").json()["id"]
pieces = []
for path in sorted(p for p in incoming.rglob("*") if p.is_file()):
    said = {"name": str(path.relative_to(incoming.parent)), "offset": 0, "length": path.stat().st_size}
    pieces.append(json.dumps(said).encode() + b"\\n" + path.read_bytes())
assert client.put(f"{api}/{key}/files", b"".join(pieces), content_type="application/octet-stream").status_code == 200
assert client.post(f"{api}/{key}/finish").status_code == 200
carry_out_waiting()
again = client.post(f"{api}/folder", {"path": str(incoming), **wish}, content_type="application/json").json()["id"]
carry_out_waiting()
client.post("/import/folder", {"path": str(incoming), "deidentify": "1"})
carry_out_waiting()
for row in Import.objects.order_by("started_at"):
    assert client.get(f"/import/{row.pk}/").status_code == 200
from django.db import connection
connection.close()
print("copy me", flush=True)
sys.stdin.readline()
client.post("/import/folder", {"path": str(incoming)})
carry_out_waiting()
counts = [[r.new, r.duplicate, r.refused] for r in Import.objects.order_by("started_at")]
print(json.dumps({"counts": counts, "ended": all(r.ended_at for r in Import.objects.all())}))
"""


def send_by_dicom(database, folder):
    """Send a scan to a site whose rule it is to de-identify, and find nothing of the patient there."""
    site = Site(database)
    site.environment["HEVESY_DEIDENTIFY_IMPORT"] = "1"
    with site.listening():
        assert site.send(folder).returncode == 0
    assert site.rows("SELECT new, duplicate FROM store_import WHERE origin = 'association'") == [(0, 2)]
    assert found_at(database) == {}


@pytest.mark.process
def test_no_byte_of_the_sites_folder_names_the_patient(tmp_path):
    incoming = tmp_path / "incoming/Quorble"
    scan(incoming / "Zyxwvut")
    spoilt(incoming)
    with database_of(tmp_path / "home") as database:
        environment = os.environ | database.environment | {"HEVESY_IMPORT_ROOTS": str(incoming.parent)}
        command = [sys.executable, "-c", PROGRAM, str(incoming)]
        with subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as program:
            assert program.stdout.readline() == "copy me\n"
            with database_of(tmp_path / "copy", like=database) as copy:
                told, _ = program.communicate("go on\n")
                assert_nothing_names_the_patient(copy, incoming)
        assert program.returncode == 0
        # the last import kept names, and the search finds every one
        assert set(found_at(database)) == set(TELLING)
    report = json.loads(told.splitlines()[-1])
    assert report["ended"]
    assert report["counts"][:3] == [[2, 0, 6], [0, 2, 6], [0, 2, 6]]


def assert_nothing_names_the_patient(site, incoming):
    assert found_at(site) == {}
    assert len(list((site.home / "objects").glob("??/*"))) == 2
    assert list((site.home / "uploads").iterdir()) == []
    if shutil.which("storescu"):
        send_by_dicom(site, incoming / "Zyxwvut")


def nameless(path):
    arrival = arriving(Import.Origin.PATH, None, Wishes(deidentify=True))
    arrival.save()
    return import_path(path, None, arrival=arrival)


def test_a_patient_who_comes_again_has_the_same_pseudonym_and_the_same_shift(home, tmp_path):
    import pydicom

    from hevesy.web.site.store.files import FileStore

    scan(tmp_path / "in/first")
    later = {"StudyInstanceUID": "1.2.3.77042", "SeriesInstanceUID": "1.2.3.77042.1"}
    given = dicom.radiopharmaceutical(RadiopharmaceuticalStartDateTime="20240307090000")
    dates = dict.fromkeys(("StudyDate", "SeriesDate", "AcquisitionDate"), "20240307")
    scan(tmp_path / "in/later", **later, **dates, RadiopharmaceuticalInformationSequence=[given])
    assert (nameless(tmp_path / "in/first").new, nameless(tmp_path / "in/later").new) == (2, 2)
    again = nameless(tmp_path / "in")
    assert (again.new, again.duplicate, again.refused) == (0, 4, 0)
    patient = Patient.objects.get()
    assert (patient.identifier, patient.birth_date, patient.study_count) == (patient.name, None, 2)
    days = [
        pydicom.dcmread(FileStore.of_site().path_of(one.sha256)).AcquisitionDate
        for one in Instance.objects.order_by("series__study__listed_at", "number")
    ]
    first, last = (np.datetime64(f"{d[:4]}-{d[4:6]}-{d[6:]}") for d in (min(days), max(days)))
    assert last - first == np.timedelta64(2, "D")
    assert max(days) < "20230306"


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (1, 2, 0)])
def test_objects_of_one_study_are_one_patients_though_some_leave_out_whose_they_are(home, tmp_path, order):
    said = [
        {"IssuerOfPatientID": "North", "PatientName": NAME},
        {"PatientName": "QUORBLE ZYXWVUT"},
        {"PatientID": "", "PatientName": "Quorble, Z."},
    ]
    for number in order:
        uids = {"SeriesInstanceUID": f"1.2.3.77041.{number}"}
        assert nameless(scan(tmp_path / f"in{number}", **uids, **said[number])).new == 2
    patient = Patient.objects.get()
    assert (patient.identifier, patient.study_count) == (patient.name, 1)


def test_one_number_of_two_hospitals_is_two_patients(home, tmp_path):
    for number, issuer in enumerate(("North", "South")):
        uids = {"StudyInstanceUID": f"1.2.3.77041.{number}", "SeriesInstanceUID": f"1.2.3.77041.{number}.1"}
        nameless(scan(tmp_path / issuer, IssuerOfPatientID=issuer, **uids))
    one, two = Patient.objects.all()
    assert one.identifier != two.identifier
    assert (one.issuer, two.issuer) == ("", "")
    assert one.studies.get().at.date() != two.studies.get().at.date()


def test_factors_to_suv_and_of_decay_are_those_of_the_original(home, tmp_path):
    import pydicom

    from hevesy.stages.imaging.unmoved import facts
    from hevesy.web.site.store.files import FileStore

    before = [pydicom.dcmread(path) for path in sorted(scan(tmp_path / "in").glob("*"))]
    nameless(tmp_path / "in")
    rows = Instance.objects.order_by("number")
    after = [pydicom.dcmread(FileStore.of_site().path_of(row.sha256)) for row in rows]
    told = facts(before)
    assert told == facts(after)
    assert isinstance(told["the factor to SUV"], float)
    assert isinstance(told["the decay factors and times (s)"][3], float)
    assert [one.PixelData for one in after] == [one.PixelData for one in before]


def test_what_is_refused_is_told_by_number_and_reason(home, tmp_path):
    scan(tmp_path / "in", SOPClassUID="1.2.840.10008.5.1.4.1.1.7")
    assert nameless(tmp_path / "in").refused == 2
    assert not Instance.objects.exists()
    assert not list(home.objects.glob("??/*"))
    names, lines = zip(*Remark.objects.values_list("name", "line"), strict=True)
    assert names == ("file 1", "file 2")
    assert all("secondary capture" in line for line in lines)


def test_a_fault_of_the_software_is_told_without_its_words(client, physicist, home, tmp_path, monkeypatch):
    def fail(*arguments):
        raise ValueError(f"odd value {NAME}")

    monkeypatch.setattr("hevesy.web.site.store.importing.Importer._take", fail)
    monkeypatch.setenv("HEVESY_IMPORT_ROOTS", str(tmp_path))
    scan(tmp_path / "in")
    client.force_login(physicist)
    client.post("/import/folder", {"path": str(tmp_path / "in"), "deidentify": "1"})
    carry_out_waiting()
    job = Job.objects.get()
    assert job.state == "failed"
    told = json.dumps(list(Job.objects.filter(pk=job.pk).values()), default=str)
    assert "ValueError" in told
    assert "Quorble" not in told


def test_whoever_is_to_be_nameless_is_not_named_on_the_form(client, physicist, home):
    client.force_login(physicist)
    given = {"identifier": "P1", "deidentify": True}
    assert client.post("/api/store/imports", given, content_type="application/json").status_code == 422
    assert client.post("/import/form", {"identifier": "P1", "deidentify": "1"}).status_code == 422
    assert not Import.objects.exists()


def test_the_rule_of_the_site_needs_no_wish(client, physicist, home, settings):
    settings.DEIDENTIFY_IMPORT = True
    client.force_login(physicist)
    assert client.post("/api/store/imports", {}, content_type="application/json").json()["deidentified"] is True
    assert b"checked disabled" in client.get("/import/").content


def test_a_site_that_cannot_de_identify_imports_nothing_of_it(home, tmp_path, monkeypatch):
    monkeypatch.setattr("hevesy.web.site.store.deidentifying._KNOWN", [])
    assert nameless(scan(tmp_path / "in")).refused == 2
    assert not Series.objects.exists()
