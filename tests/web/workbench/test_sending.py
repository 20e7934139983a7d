"""A result is sent to an archive: from its page, and by the API."""

import asyncio
import gzip
import io
import json
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer

import pydicom
import pytest

from hevesy.web.site.audit.models import Event
from hevesy.web.site.jobs.inline import carry_out_waiting
from hevesy.web.site.jobs.models import Job
from hevesy.web.site.jobs.queue import result_folder
from hevesy.web.site.store.models import Archive, Instance, Result, Signature
from hevesy.web.site.store.multipart import Parts, boundary_of

SENT = ["rtdose.dcm", "seg.dcm", "rtstruct.dcm", "dose_report.dcm", "rwvm.dcm"]


@pytest.fixture
def archive(db, tmp_path):
    """An archive on loopback that takes what is sent by STOW-RS; `received` lists the objects in their order."""
    folder = tmp_path / "archive"
    folder.mkdir()

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self):
            parts, more = Parts(self.pieces(), boundary_of(self.headers["Content-Type"])), True
            while more:
                path = folder / f"{len(list(folder.iterdir()))}.dcm"
                with path.open("wb") as file:
                    more = parts.write_next(file)
            path.unlink()
            self.send_response(200 if self.path == "/dicom-web/studies" else 404)
            self.end_headers()
            self.wfile.write(b"{}")

        def pieces(self):
            """Give the body, by its length or in chunks."""
            if "Content-Length" in self.headers:
                yield self.rfile.read(int(self.headers["Content-Length"]))
                return
            while size := int(self.rfile.readline(), 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()

        def log_message(self, *words):
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        made = Archive.objects.create(name="PACS", address=f"http://127.0.0.1:{server.server_port}/dicom-web")
        made.received = lambda: [path.read_bytes() for path in sorted(folder.iterdir())]
        yield made
        server.shutdown()
        thread.join()


@pytest.fixture
def result(administration, physicist, home):
    """A result that holds an RTDOSE alone."""
    made = Result.objects.create(administration=administration, fingerprint="f" * 64, made_by=physicist)
    folder = result_folder(made.fingerprint)
    folder.mkdir()
    (folder / "rtdose.dcm").write_bytes(b"a dose")
    return made


def test_the_dicom_of_a_dose_is_sent_from_its_page(desk, administration, archive):
    desk.post(f"/administrations/{administration.pk}/engine", {"engine": "local"})
    assert carry_out_waiting()
    computed = Result.objects.get()
    address = f"/administrations/{administration.pk}/export"
    page = desk.get(address)
    assert page.context["sendable"] == sorted(SENT)
    assert "not signed" in page.content.decode()
    answer = desk.post(address, {"result": computed.pk, "archive": archive.pk})
    assert (answer.status_code, answer["Location"]) == (302, address)
    assert [one["job"].is_open for one in desk.get(address).context["sendings"]] == [True]
    carry_out_waiting()
    sent = archive.received()
    assert sent == [(result_folder(computed.fingerprint) / name).read_bytes() for name in SENT]
    assert [(one["archive"], one["job"].state) for one in desk.get(address).context["sendings"]] == [("PACS", "done")]
    assert Event.objects.get(action="result.send-asked").details["files"] == SENT
    assert Event.objects.get(action="result.sent").details == {"archive": "PACS", "files": len(SENT)}
    shared_case(desk, administration, computed, archive)


def shared_case(desk, administration, computed, archive):
    """Make a copy of the case that names nobody, download it, and send it."""
    signed = computed.made_by
    type(signed).objects.filter(pk=signed.pk).update(first_name="Xanthippe", last_name="Drumgoold")
    signed.refresh_from_db()
    Signature.objects.create(result=computed, version=1, person=signed, sha256="0" * 64, reason="Quorble")
    address = f"/administrations/{administration.pk}/export"
    desk.post(address, {"result": computed.pk, "share": "make"})
    assert carry_out_waiting()
    page = desk.get(address)
    assert (page.context["is_shared"], page.context["sharing"].result["objects"]) == (True, 4 * (24 + 1) + 5)
    assert page.context["sharing"].result["left_out"][0].startswith("report.html and report.pdf: drawn anew")
    zipped = asyncio.run(content_of(desk.get(f"/administrations/{administration.pk}/shared.zip?result={computed.pk}")))
    with zipfile.ZipFile(io.BytesIO(zipped)) as copy:
        names = copy.namelist()
        held = {name: copy.read(name) for name in names}
    assert "case/case.yaml" in names
    assert "README.txt" in names
    made = {*SENT, "results.json", "regions.csv", "dose.nii.gz", "dose.json", "tia.nii.gz", "tia.json"}
    assert {name.removeprefix("result/") for name in names if name.startswith("result/")} == made
    patient, instances = administration.course.patient, Instance.objects.all()
    told = {
        patient.name.split("^")[0],
        signed.last_name,
        *(str(one.uid) for one in instances),
        "2024-03-05",
    }
    told |= {str(pydicom.dcmread(result_folder(computed.fingerprint) / name).SOPInstanceUID) for name in SENT}
    for name, content in held.items():
        plain = gzip.decompress(content) if name.endswith(".gz") else content
        there = (name.encode() + plain).lower()
        assert [text for text in told if text.lower().encode() in there] == [], name
    record = json.loads(held["result/results.json"])
    assert record["patient"]["identifier"] in {name.split("/")[1] for name in names if name.startswith("case/")}
    before = {*archive.received()}
    desk.post(address, {"result": computed.pk, "share": "send", "archive": archive.pk})
    carry_out_waiting()
    assert {*archive.received()} - before == {content for name, content in held.items() if name.endswith(".dcm")}


async def content_of(answer):
    return b"".join([piece async for piece in answer.streaming_content])


def test_what_was_sent_is_sent_again_when_asked_again_and_once_while_it_waits(desk, result, archive):
    address = f"/administrations/{result.administration_id}/export"
    for times in (1, 2):
        for _ in range(2):
            desk.post(address, {"result": result.pk, "archive": archive.pk})
        carry_out_waiting()
        assert archive.received() == [b"a dose"] * times
    assert Event.objects.filter(action="result.sent").count() == 2


def test_a_copy_that_was_not_made_is_neither_downloaded_nor_sent(desk, result, archive):
    api = f"/api/workbench/administrations/{result.administration_id}/shared"
    for answer in (
        desk.get(api),
        desk.get(api, {"result": result.pk}),
        desk.post(f"{api}/sending", {"archive": "PACS"}, content_type="application/json"),
    ):
        assert (answer.status_code, "no de-identified copy" in answer.json()["refused"]) == (422, True)
    answer = desk.post(api, {"result": str(result.pk)}, content_type="application/json")
    assert (answer.status_code, answer.json()["kind"]) == (200, "workbench.share")


def test_the_dicom_of_a_dose_is_sent_by_the_api(desk, result, archive):
    address = f"/api/workbench/results/{result.pk}/sending"
    answer = desk.post(address, {"archive": "PACS"}, content_type="application/json")
    assert (answer.status_code, answer.json()["kind"]) == (200, "send")
    carry_out_waiting()
    assert archive.received() == [b"a dose"]
    assert desk.post(address, {"archive": "another"}, content_type="application/json").status_code == 404


def test_an_archive_that_does_not_answer_is_told_on_the_page_and_may_be_tried_again(desk, result):
    archive = Archive.objects.create(name="PACS", address="http://127.0.0.1:9")
    address = f"/administrations/{result.administration_id}/export"
    for times in (1, 2):
        desk.post(address, {"result": result.pk, "archive": archive.pk})
        carry_out_waiting()
        assert "The archive does not answer" in desk.get(address).content.decode()
        assert Job.objects.filter(kind="send").count() == times


@pytest.mark.parametrize("archive", ["", "x", "99"])
def test_an_archive_that_there_is_not_is_refused_on_the_page(desk, result, archive):
    address = f"/administrations/{result.administration_id}/export"
    answer = desk.post(address, {"result": result.pk, "archive": archive}, follow=True)
    assert "No archive was chosen." in answer.content.decode()
    assert not Job.objects.filter(kind="send").exists()


def test_a_result_without_dicom_is_not_sent(desk, result):
    (result_folder(result.fingerprint) / "rtdose.dcm").unlink()
    archive = Archive.objects.create(name="PACS", address="http://127.0.0.1:9")
    address = f"/administrations/{result.administration_id}/export"
    assert "Send to an archive" not in desk.get(address).content.decode()
    answer = desk.post(address, {"result": result.pk, "archive": archive.pk}, follow=True)
    assert "The result holds no DICOM." in answer.content.decode()
