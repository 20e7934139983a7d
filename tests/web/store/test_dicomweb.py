"""Fetching from and sending to a real Orthanc, with its DICOMweb."""

import json
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
import requests

from hevesy.errors import BadConfiguration, EmptyInput, PeerFailed, UnknownName, UnreadableFile, UnsupportedObject
from hevesy.web.site.audit.models import Event
from hevesy.web.site.jobs.inline import carry_out_waiting
from hevesy.web.site.store.arrivals import Wishes
from hevesy.web.site.store.dicomweb import DicomWeb
from hevesy.web.site.store.files import FileStore
from hevesy.web.site.store.models import Archive, Import, Instance, Study
from hevesy.web.site.store.multipart import Parts, boundary_of
from hevesy.web.site.store.sealing import seal, unseal
from hevesy.web.site.store.tasks import start_retrieval, start_sending

pytestmark = pytest.mark.django_db
FOLDERS = (Path("/usr/share/orthanc/plugins"), Path("/usr/lib/orthanc"))
PLUGIN = next((folder for folder in FOLDERS if list(folder.glob("*OrthancDicomWeb*"))), None)
needs_orthanc = pytest.mark.skipif(
    not (shutil.which("Orthanc") and PLUGIN), reason="Orthanc is not installed (Debian: orthanc orthanc-dicomweb)"
)
LOGIN = ("hevesy", "a secret of the archive")


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory):
    """Address of an Orthanc of this module's own, on loopback."""
    folder = tmp_path_factory.mktemp("orthanc")
    ports = []
    for _ in range(2):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            ports.append(free.getsockname()[1])
    options = {
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "index"),
        "Plugins": [str(PLUGIN)],
        "HttpPort": ports[0],
        "HttpBindAddresses": ["127.0.0.1"],
        "DicomServerEnabled": False,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": True,
        "RegisteredUsers": dict([LOGIN]),
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }
    (folder / "orthanc.json").write_text(json.dumps(options), encoding="ascii")
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(["Orthanc", folder / "orthanc.json"], stdout=log, stderr=log) as server,
    ):
        address = f"http://127.0.0.1:{ports[0]}/dicom-web"
        try:
            until = time.monotonic() + 60
            while not answers(address):
                assert time.monotonic() < until and server.poll() is None, (folder / "log").read_text()[-2000:]
                time.sleep(0.1)
            yield address
        finally:
            server.terminate()
            server.wait(30)


def answers(address):
    try:
        return requests.get(f"{address}/studies", auth=LOGIN, timeout=5).ok
    except requests.RequestException:
        return False


@pytest.fixture
def archive(orthanc, home):
    return Archive.objects.create(name="PACS", address=orthanc, username=LOGIN[0], sealed=seal(LOGIN[1]))


@pytest.fixture
def three(tmp_path, make_object):
    numbers = (1, 2, 3)
    return [make_object(tmp_path / f"{n}.dcm", f"1.2.3.1.{n}", StudyDescription="Kidneys") for n in numbers]


@needs_orthanc
def test_what_is_sent_is_found_fetched_imported_and_equal(archive, three, physicist):
    client = DicomWeb.of(archive)
    client.store(three)
    (found,) = client.search(PatientID="P1", ModalitiesInStudy="CT", StudyDate="20240305")
    assert (found.uid, found.patient, found.description) == ("1.2.3", "Phantom^One", "Kidneys")
    assert client.search(PatientID="nobody") == []
    start_retrieval(archive, found.uid, physicist, Wishes())
    carry_out_waiting()
    arrival = Import.objects.get()
    assert (arrival.new, arrival.refused, arrival.source) == (3, 0, "PACS · 1.2.3")
    store = FileStore.of_site()
    stored = {store.path_of(i.sha256).read_bytes() for i in Instance.objects.all()}
    assert stored == {path.read_bytes() for path in three}
    nameless = start_retrieval(archive, found.uid, physicist, Wishes(deidentify=True))
    carry_out_waiting()
    nameless.refresh_from_db()
    assert (nameless.new, nameless.source, nameless.sealed) == (3, "PACS", "")
    assert set(nameless.job.arguments) == {"import", "archive"}
    assert not {"1.2.3", "P1"} & {*Study.objects.last().uid.split(), Study.objects.last().patient.identifier}


@needs_orthanc
def test_results_are_sent_back_and_read_back_equal(archive, home, physicist, make_object, tmp_path):
    result = home.results / ("f" * 64)
    dose = make_object(result / "dose.dcm", "1.2.9.1.1", StudyInstanceUID="1.2.9", SeriesInstanceUID="1.2.9.1")
    job = start_sending(archive, result.name, ["dose.dcm"], physicist)
    carry_out_waiting()
    job.refresh_from_db()
    assert job.result == {"sent": 1}, job.error
    assert DicomWeb.of(archive).retrieve("1.2.9", tmp_path / "back", lambda fraction, step: None) == 1
    assert (tmp_path / "back/1.dcm").read_bytes() == dose.read_bytes()
    event = Event.objects.get(action="result.sent")
    assert event.actor == physicist
    assert LOGIN[1] not in json.dumps(event.details)


@needs_orthanc
def test_a_wrong_password_an_absent_study_and_what_is_no_dicom_are_told(archive, tmp_path):
    with pytest.raises(PeerFailed, match="name or password"):
        DicomWeb(archive.address, ("hevesy", "wrong")).search()
    with pytest.raises((PeerFailed, EmptyInput)):
        DicomWeb.of(archive).retrieve("1.9.9", tmp_path / "none", lambda fraction, step: None)
    (tmp_path / "no.dcm").write_bytes(b"no DICOM")
    with pytest.raises(PeerFailed):
        DicomWeb.of(archive).store([tmp_path / "no.dcm"])


@needs_orthanc
def test_a_study_is_searched_and_fetched_by_the_pages(client, archive, three, physicist):
    DicomWeb.of(archive).store(three)
    client.force_login(physicist)
    assert b"PACS" in client.get("/import/").content
    page = client.get(f"/archives/{archive.pk}/", {"name": "phantom", "modality": "ct"})
    assert b'value="1.2.3"' in page.content
    assert b"no such study" in client.get(f"/archives/{archive.pk}/", {"identifier": "nobody"}).content
    answer = client.post(f"/archives/{archive.pk}/fetch", {"study": "1.2.3"})
    carry_out_waiting()
    assert b'<dd id="new">3</dd>' in client.get(answer["Location"]).content


def test_an_administrator_names_archives_whose_passwords_are_shown_to_nobody(client, django_user_model, home):
    client.force_login(django_user_model.objects.create_user("admin", role="administrator"))
    given = {"name": "PACS", "address": "http://127.0.0.1:9/dicom-web", "username": "u", "password": LOGIN[1]}
    assert client.post("/archives/", given).status_code == 302
    archive = Archive.objects.get()
    assert DicomWeb.of(archive).login == ("u", LOGIN[1])
    page = client.get("/archives/").content.decode()
    assert "127.0.0.1:9" in page
    assert not any(secret in page for secret in (LOGIN[1], archive.sealed))
    refused = client.post("/archives/", given | {"name": "B", "address": "ftp://a/b"})
    assert (refused.status_code, LOGIN[1] in refused.content.decode()) == (422, False)
    assert client.post("/archives/", given | {"name": "C", "address": "http://u:p@a/b"}).status_code == 422
    assert client.post(f"/archives/{archive.pk}/remove").status_code == 302
    assert not Archive.objects.exists()
    told = json.dumps(list(Event.objects.values_list("action", "subject", "details")))
    assert "archive.added" in told and "archive.removed" in told
    assert LOGIN[1] not in told


def test_an_archive_that_does_not_answer_is_said_on_its_page(client, home, physicist):
    archive = Archive.objects.create(name="PACS", address="http://127.0.0.1:9")
    client.force_login(physicist)
    assert b"does not answer" in client.get(f"/archives/{archive.pk}/", {"name": "x"}).content


def test_a_server_that_is_not_there_is_told_without_its_address():
    with pytest.raises(PeerFailed, match="does not answer") as told:
        DicomWeb("http://127.0.0.1:9/dicom-web", LOGIN).search()
    assert LOGIN[1] not in str(told.value)


def test_only_uids_are_fetched_and_only_files_of_results_are_sent(home, physicist):
    archive = Archive.objects.create(name="PACS", address="http://127.0.0.1:9")
    for study in ("1.2/../../instances", "", "1.2?x=1", "x" * 70):
        with pytest.raises(UnsupportedObject):
            start_retrieval(archive, study, physicist, Wishes())
    (home.results / "a").mkdir()
    for result, name in (("a", "absent"), ("a", "../../secret-key"), ("..", "secret-key"), ("a", "/etc/passwd")):
        with pytest.raises(UnknownName):
            start_sending(archive, result, [name], physicist)


def test_a_sealed_password_is_not_in_the_row_and_opens_with_the_sites_key_alone(settings):
    sealed = seal(LOGIN[1])
    assert LOGIN[1] not in sealed
    assert unseal(sealed) == LOGIN[1]
    settings.SECRET_KEY = "another"
    with pytest.raises(BadConfiguration):
        unseal(sealed)


BODY = (
    b"--b\r\nContent-Type: application/dicom\r\n\r\none\r\n--\r\n--b\r\n\r\n\r\n--b\r\nA: 1\r\n\r\ntwo--b\r\n--b--\r\n"
)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_parts_are_told_apart_however_the_body_is_cut(tmp_path, size):
    parts = Parts((BODY[n : n + size] for n in range(0, len(BODY), size)), b"b")
    found = []
    while True:
        with (tmp_path / "part").open("wb") as file:
            more = parts.write_next(file)
        if not more:
            break
        found.append((tmp_path / "part").read_bytes())
    assert found == [b"one\r\n--", b"", b"two--b"]


@pytest.mark.parametrize("cut", range(0, len(BODY) - 4, 5))
def test_a_body_that_breaks_off_is_refused(tmp_path, cut):
    parts = Parts([BODY[:cut]], b"b")
    with pytest.raises(UnreadableFile), (tmp_path / "part").open("wb") as file:
        while parts.write_next(file):
            pass


def test_a_body_of_one_part_is_refused():
    assert boundary_of('multipart/related; type="application/dicom"; boundary="a b"') == b"a b"
    for content_type in ("application/json", "multipart/related", ""):
        with pytest.raises(UnreadableFile):
            boundary_of(content_type)
