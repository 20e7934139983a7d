"""A classic archive, which speaks no DICOMweb: searched, fetched from through the listener, and sent to."""

import json
import shutil
import socket
import subprocess
import tempfile
import threading
import time

import pytest
from pydicom import dcmread

from factories.listening_site import free_port
from hevesy.errors import BadConfiguration, EmptyInput, PeerFailed
from hevesy.web.site.jobs.inline import carry_out_waiting
from hevesy.web.site.store.arrivals import Wishes
from hevesy.web.site.store.dimse import Dimse
from hevesy.web.site.store.door import Door
from hevesy.web.site.store.files import FileStore
from hevesy.web.site.store.models import Archive, Import, Instance, Patient
from hevesy.web.site.store.peer_address import PeerAddress
from hevesy.web.site.store.peers import client_of
from hevesy.web.site.store.tasks import start_retrieval

pytestmark = pytest.mark.django_db(transaction=True)
needs_orthanc = pytest.mark.skipif(not shutil.which("Orthanc"), reason="Orthanc is not installed (Debian: orthanc)")


def wait_for(port, process=None):
    until = time.monotonic() + 60
    while time.monotonic() < until and (process is None or process.poll() is None):
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail(f"nothing listens at port {port}")


@pytest.fixture(scope="module")
def ports():
    return free_port(), free_port()


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory, ports):
    """Address of an Orthanc that knows this site's listener."""
    folder, (own, ours) = tmp_path_factory.mktemp("orthanc"), ports
    options = {
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "index"),
        "HttpServerEnabled": False,
        "DicomServerEnabled": True,
        "DicomAet": "PACS",
        "DicomPort": own,
        "DicomAlwaysAllowFind": True,
        "DicomModalities": {"hevesy": ["HEVESY", "127.0.0.1", ours]},
    }
    (folder / "orthanc.json").write_text(json.dumps(options), encoding="ascii")
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(["Orthanc", folder / "orthanc.json"], stdout=log, stderr=log) as server,
    ):
        try:
            wait_for(own, server)
            yield f"dicom://PACS@127.0.0.1:{own}"
        finally:
            server.terminate()
            server.wait(30)


@pytest.fixture
def listening(home, ports, monkeypatch):
    """This site's listener, for the time of a test."""
    from hevesy.web.site.store.listener import listen

    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("HEVESY_DICOM_PORT", str(ports[1]))
    monkeypatch.setenv("HEVESY_DICOM_CALLERS", "PACS")
    stop = threading.Event()
    thread = threading.Thread(target=listen, args=(Door.from_environment(), stop))
    thread.start()
    wait_for(ports[1])
    yield
    stop.set()
    thread.join(30)


@needs_orthanc
def test_a_study_is_sent_found_fetched_and_equal(orthanc, listening, physicist, make_object, tmp_path):
    archive = Archive.objects.create(name="PACS", address=orthanc)
    three = [make_object(tmp_path / f"{n}.dcm", f"1.2.3.1.{n}", StudyDescription="Kidneys") for n in (1, 2, 3)]
    client = client_of(archive)
    client.store(three)
    (found,) = client.search(PatientID="P1", PatientName="*Phantom*", StudyDate="20240301-20240331")
    assert (found.uid, found.patient, found.description) == ("1.2.3", "Phantom^One", "Kidneys")
    assert client.search(PatientID="nobody") == []
    arrival = start_retrieval(archive, found.uid, physicist, Wishes())
    carry_out_waiting()
    arrival.refresh_from_db()
    assert (arrival.job.error, arrival.new, arrival.duplicate, arrival.refused) == ("", 3, 0, 0)
    assert list(Import.objects.all()) == [arrival]
    assert arrival.ended_at
    assert set(arrival.instances.values_list("uid", flat=True)) == {"1.2.3.1.1", "1.2.3.1.2", "1.2.3.1.3"}
    store = FileStore.of_site()
    stored = [dcmread(store.path_of(one.sha256)) for one in Instance.objects.order_by("uid")]
    assert stored == [dcmread(path) for path in three]
    nameless = start_retrieval(archive, found.uid, physicist, Wishes(deidentify=True))
    carry_out_waiting()
    nameless.refresh_from_db()
    assert (nameless.new, nameless.source, nameless.sealed) == (3, "PACS", "")
    assert Patient.objects.filter(name="Phantom^One").count() == 1
    assert Patient.objects.count() == 2
    with pytest.raises((EmptyInput, PeerFailed)):  # Orthanc answers C000, others that nothing was moved
        client.move("1.2.99", 7, lambda share, step: None)


def test_an_archive_that_is_not_there_is_told_as_such():
    with pytest.raises(PeerFailed, match="does not answer"):
        Dimse(PeerAddress("PACS", "127.0.0.1", 9), "HEVESY").search(PatientID="P1")


def test_nothing_is_asked_for_where_nothing_listens(physicist, home, monkeypatch):
    monkeypatch.delenv("HEVESY_DICOM_PORT", raising=False)
    archive = Archive.objects.create(name="PACS", address="dicom://PACS@127.0.0.1:9")
    arrival = start_retrieval(archive, "1.2.3", physicist, Wishes())
    carry_out_waiting()
    arrival.refresh_from_db()
    assert "HEVESY_DICOM_PORT" in arrival.job.error


@pytest.mark.parametrize(
    "address", ["dicom://PACS", "dicom://PACS@host", "dicom://PACS@host:0", "dicom://A TITLE OF TOO MANY@h:1", "x"]
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(BadConfiguration, match="dicom://TITLE@host"):
        PeerAddress.read(address)


def test_an_administrator_names_a_classic_archive(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("somebody", role="administrator"))
    for address in ("dicom://PACS", "ftp://x", "https://a:b@x/"):
        assert client.post("/archives/", {"name": "PACS", "address": address}).status_code == 422
    assert client.post("/archives/", {"name": "PACS", "address": "dicom://PACS@pacs.example:104"}).status_code == 302
    assert client.post("/archives/", {"name": "Web", "address": "https://pacs.example/dicom-web"}).status_code == 302
    assert PeerAddress.read(Archive.objects.get(name="PACS").address) == PeerAddress("PACS", "pacs.example", 104)
