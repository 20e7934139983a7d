import json
import os

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from hevesy.web.site.audit.models import Event
from hevesy.web.site.jobs.inline import carry_out_waiting
from hevesy.web.site.store.limits import Limits
from hevesy.web.site.store.models import Attachment, Import, Instance, Study
from hevesy.web.site.store.uploads import Upload

pytestmark = pytest.mark.django_db

API = "/api/store/imports"
CLIMBING = ("../x", "a/../../x", "..", "/", "", "a\\..\\..\\x")
UNWRITABLE = ("x\x00y", "x\ny", "\ud800", "n" * 256, "d/" * 40 + "x", "é" * 200)
ODD = ("/etc/x", "./a//x", '<svg onload="alert(1)">.html', "a b/ü €.dcm", "a\\b\\x", "con.", "~")


@pytest.fixture
def signed_in(client, physicist, home):
    client.force_login(physicist)
    return client


def begin(client, **given):
    answer = client.post(API, given, content_type="application/json")
    assert answer.status_code == 201
    return answer.json()["id"]


def bundle(*pieces):
    return b"".join(
        json.dumps({"name": name, "offset": offset, "length": len(content)}).encode() + b"\n" + content
        for name, offset, content in pieces
    )


def send(client, key, *pieces):
    return client.put(f"{API}/{key}/files", bundle(*pieces), content_type="application/octet-stream")


def test_files_are_sent_in_pieces_and_imported(signed_in, make_object, tmp_path):
    content = make_object(tmp_path / "1.dcm").read_bytes()
    key = begin(signed_in)
    assert send(signed_in, key, ("a/1.dcm", 0, content[:100]), ("note.txt", 0, b"x")).status_code == 200
    assert send(signed_in, key, ("a/1.dcm", 100, content[100:])).json() == [{"name": "a/1.dcm", "size": len(content)}]
    here = {f["name"]: f["size"] for f in signed_in.get(f"{API}/{key}/files").json()}
    assert here == {"a/1.dcm": len(content), "note.txt": 1}
    job = signed_in.post(f"{API}/{key}/finish").json()["job_id"]
    assert signed_in.post(f"{API}/{key}/finish").json()["job_id"] == job
    carry_out_waiting()
    report = signed_in.get(f"{API}/{key}").json()
    assert (report["new"], report["refused"], report["sent_files"]) == (1, 1, 2)
    assert report["sent_bytes"] == len(content) + 1
    assert report["remarks"][0]["name"] == "note.txt"
    assert Instance.objects.get().arrival_id == Import.objects.get().pk
    assert not Upload.of(Import.objects.get()).folder.exists()
    assert Event.objects.filter(action="import.ended", actor__username="physicist").count() == 1


def test_a_piece_that_is_sent_again_is_written_once(signed_in):
    key = begin(signed_in)
    for _ in range(2):
        assert send(signed_in, key, ("a", 0, b"12345"), ("a", 5, b"678")).status_code == 200
    assert send(signed_in, key, ("a", 3, b"4")).json() == [{"name": "a", "size": 8}]
    assert Import.objects.get().sent_bytes == 8
    assert (Upload.of(Import.objects.get()).folder / "a").read_bytes() == b"12345678"


def test_a_piece_whose_beginning_has_not_arrived_is_refused_with_what_is_here(signed_in):
    key = begin(signed_in)
    answer = send(signed_in, key, ("a", 5, b"678"))
    assert answer.status_code == 422
    assert "0 bytes of a are here, not 5" in answer.json()["refused"]


@pytest.mark.parametrize(
    "body",
    [
        b"no line",
        b"{}\n",
        b"[]\nx",
        b'{"name": 1, "offset": 0, "length": 1}\nx',
        b'{"name": "a", "offset": -1, "length": 1}\nx',
        b'{"name": "a", "offset": 0, "length": true}\nx',
        b'{"name": "a", "offset": 0, "length": 9}\nx',
        b"[" * 10_000,
        b'{"name": "a", "offset": 0, "length": 1e3}\nx',
    ],
)
def test_a_body_of_another_form_is_refused(signed_in, body):
    key = begin(signed_in)
    assert signed_in.put(f"{API}/{key}/files", body, content_type="application/octet-stream").status_code == 422


@pytest.mark.parametrize("name", [*CLIMBING, *UNWRITABLE])
def test_a_name_that_leads_elsewhere_or_nowhere_is_refused(signed_in, home, name):
    key = begin(signed_in)
    assert send(signed_in, key, (name, 0, b"x")).status_code == 422
    assert not [p for p in home.folder.rglob("*") if p.is_file() and p.read_bytes() == b"x"]


@pytest.mark.parametrize(
    "name", ["/etc/x", "./a//x", '<svg onload="alert(1)">.html', "a b/ü €.dcm", "a\\b\\x", "con.", "~"]
)
def test_an_odd_name_stays_below_the_uploads_folder(signed_in, home, name):
    key = begin(signed_in)
    assert send(signed_in, key, (name, 0, b"only this")).status_code == 200
    (found,) = (p for p in home.folder.rglob("*") if p.is_file() and p.read_bytes() == b"only this")
    assert home.uploads / key in found.parents


def test_a_name_that_is_a_folder_already_is_refused(signed_in):
    key = begin(signed_in)
    assert send(signed_in, key, ("a/b", 0, b"x")).status_code == 200
    assert "is a folder already" in send(signed_in, key, ("a", 0, b"x")).json()["refused"]
    assert "is a file" in send(signed_in, key, ("a/b/c", 0, b"x")).json()["refused"]


@pytest.mark.parametrize("limits", [Limits(files=2), Limits(total=2), Limits(file=2)])
def test_more_than_is_allowed_is_refused_while_it_is_sent(signed_in, monkeypatch, limits):
    monkeypatch.setattr("hevesy.web.site.store.uploads.Limits", lambda: limits)
    key = begin(signed_in)
    assert send(signed_in, key, *((str(n), 0, b"xxx") for n in range(3))).status_code == 422


def test_nobody_sends_to_the_import_of_another_or_to_one_that_is_closed(signed_in, client, django_user_model):
    key = begin(signed_in)
    assert signed_in.post(f"{API}/{key}/finish").status_code == 422
    send(signed_in, key, ("a", 0, b"x"))
    signed_in.post(f"{API}/{key}/finish")
    assert "closed" in send(signed_in, key, ("a", 0, b"y")).json()["refused"]
    client.force_login(django_user_model.objects.create_user("other", role="physician"))
    assert send(client, key, ("a", 0, b"y")).status_code == 404


@pytest.mark.parametrize("role", ["learner", "teacher", "radiochemist"])
def test_other_roles_neither_import_nor_list(client, django_user_model, home, role):
    client.force_login(django_user_model.objects.create_user("somebody", role=role))
    for address in ("/import/", API, "/api/store/patients", "/api/store/studies"):
        assert client.get(address).status_code == 403
    assert client.post("/import/form").status_code == 403
    assert client.post("/import/folder", {"path": "/"}).status_code == 403


def test_a_plain_form_without_script_imports_too(signed_in, make_object, tmp_path):
    files = [make_object(tmp_path / f"{n}/IM1", f"1.2.3.1.{n}", InstanceNumber=n) for n in (1, 2)]
    sent = [SimpleUploadedFile(f.name, f.read_bytes()) for f in files]
    answer = signed_in.post("/import/form", {"files": sent, "folder": SimpleUploadedFile("case.yaml", b"{}")})
    assert answer.status_code == 302
    carry_out_waiting()
    page = signed_in.get(answer["Location"])
    assert (Instance.objects.count(), Attachment.objects.count()) == (2, 1)
    assert b'<dd id="new">3</dd>' in page.content


def test_a_form_without_files_or_beyond_the_limits_is_told_so(signed_in, home, monkeypatch):
    answer = signed_in.post("/import/form", {"identifier": ""})
    assert (answer.status_code, b"No file was chosen" in answer.content) == (422, True)
    monkeypatch.setattr("hevesy.web.site.store.uploads.Limits", lambda: Limits(total=10))
    answer = signed_in.post("/import/form", {"files": SimpleUploadedFile("a", b"x" * 100)})
    assert (answer.status_code, b"More than" in answer.content) == (422, True)
    assert not Import.objects.exists()
    assert list(home.uploads.iterdir()) == []


def test_a_form_from_another_site_is_refused(physicist, home):
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(physicist)
    assert strict.post("/import/form", {"files": SimpleUploadedFile("a", b"x")}).status_code == 403
    assert strict.put(f"{API}/00000000-0000-0000-0000-000000000000/files", b"").status_code == 403
    assert not Import.objects.exists()
    assert list(home.uploads.iterdir()) == []


def test_a_folder_of_the_server_is_imported_below_the_roots_alone(signed_in, make_object, tmp_path, monkeypatch):
    make_object(tmp_path / "open/in/1.dcm")
    (tmp_path / "open/out").symlink_to("/etc")
    monkeypatch.setenv("HEVESY_IMPORT_ROOTS", f"{tmp_path / 'open'}{os.pathsep}{tmp_path / 'absent'}")
    for path in (
        "/etc",
        str(tmp_path),
        f"{tmp_path}/open/../",
        f"{tmp_path}/open/out",
        f"{tmp_path}/openly",
        "",
        "\x00",
    ):
        answer = signed_in.post("/import/folder", {"path": path})
        assert (answer.status_code, b"no folder that may be imported from" in answer.content) == (422, True), path
    answer = signed_in.post(f"{API}/folder", {"path": str(tmp_path / "open/in")}, content_type="application/json")
    assert answer.status_code == 201
    carry_out_waiting()
    assert Study.objects.get().instance_count == 1


def test_no_folder_is_open_where_no_root_is_named(signed_in, tmp_path, monkeypatch):
    monkeypatch.delenv("HEVESY_IMPORT_ROOTS", raising=False)
    assert signed_in.post("/import/folder", {"path": str(tmp_path)}).status_code == 422


def test_physicians_do_not_open_the_servers_folders(client, django_user_model, home):
    client.force_login(django_user_model.objects.create_user("somebody", role="physician"))
    assert client.post("/import/folder", {"path": "/"}).status_code == 403


def test_scripts_in_names_and_texts_are_shown_and_not_run(signed_in, make_object, tmp_path):
    script = "<script>alert(1)</script>"
    tags = {"PatientName": script, "StudyDescription": script, "AccessionNumber": "<b>x", "SeriesDescription": script}
    content = make_object(tmp_path / "1.dcm", **tags).read_bytes()
    key = begin(signed_in, identifier="<i>P</i>")
    names = ('<img src=x onerror="alert(1)">.txt', "<svg onload=alert(1)>.dcm")
    send(signed_in, key, (names[0], 0, b"x"), (names[1], 0, content))
    signed_in.post(f"{API}/{key}/finish")
    carry_out_waiting()
    for address in (f"/import/{key}/", "/import/", "/"):
        page = signed_in.get(address).content.decode()
        assert not any(mark in page for mark in (script, "<img src=x", "<svg onload", "<b>x", "<i>P"))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in signed_in.get(f"/import/{key}/").content.decode()


def test_patients_studies_and_series_are_listed(signed_in, make_object, tmp_path):
    from hevesy.web.site.store.importing import import_path

    make_object(tmp_path / "in/1.dcm", StudyDescription="Kidneys", SeriesNumber=4)
    import_path(tmp_path / "in", None)
    (patient,) = signed_in.get("/api/store/patients", {"search": "phantom"}).json()
    assert (patient["identifier"], patient["study_count"]) == ("P1", 1)
    (study,) = signed_in.get("/api/store/studies", {"search": "kidn", "modality": "CT"}).json()
    assert signed_in.get("/api/store/studies", {"search": "liver"}).json() == []
    (series,) = signed_in.get(f"/api/store/studies/{study['uid']}/series").json()
    assert (series["number"], series["modality"]) == (4, "CT")
    (instance,) = signed_in.get(f"/api/store/series/{series['uid']}/instances").json()
    assert instance["sha256"] == Instance.objects.get().sha256
    assert signed_in.get("/api/store/studies/9.9/series").status_code == 404
