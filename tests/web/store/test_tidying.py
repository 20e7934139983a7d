"""What nobody names or goes on with is cleared away, and never what is about to be named."""

import os
import time

import pytest
from django.apps import apps
from django.db import models

from hevesy.web.site.audit.models import Event
from hevesy.web.site.jobs import disk
from hevesy.web.site.jobs.housekeeping import _CHORES
from hevesy.web.site.jobs.inline import carry_out_waiting
from hevesy.web.site.jobs.models import Job
from hevesy.web.site.store import tidying
from hevesy.web.site.store.files import FileStore
from hevesy.web.site.store.importing import import_path
from hevesy.web.site.store.models import Administration, Attachment, Course, Import, Instance, Patient
from hevesy.web.site.store.naming import judged_columns, names_beginning
from hevesy.web.site.store.uploads import Upload
from hevesy.web.workbench.models import RegionSet

pytestmark = pytest.mark.django_db
LONG_AGO = time.time() - 30 * 24 * 3600


def put(path, content):
    path.write_bytes(content)
    name = FileStore.of_site().put(path)
    os.utime(FileStore.of_site().path_of(name), (LONG_AGO, LONG_AGO))
    return name


def aged(path, when=LONG_AGO):
    for each in (path, *(path.rglob("*") if path.is_dir() else ())):
        os.utime(each, (when, when))
    return path


def kept():
    return {path.name for path in FileStore.of_site().folder.glob("??/*")}


def test_every_column_that_may_name_a_file_has_been_judged():
    found = {
        f"{model._meta.app_label}.{model.__name__}.{field.name}"
        for model in apps.get_models()
        if model.__module__.startswith("hevesy.")
        for field in model._meta.get_fields()
        if isinstance(field, models.JSONField) or "sha256" in field.name
    }
    assert {"store.Instance.sha256", "workbench.RegionSet.regions"} <= found
    assert found == judged_columns()


def test_what_instances_attachments_and_drawings_name_stays_and_the_rest_goes(home, tmp_path, make_object, physicist):
    import_path(make_object(tmp_path / "in/1.dcm"), None)
    patient = Patient.objects.get()
    attached, drawn, lost = (put(tmp_path / "x", content) for content in (b"attached", b"drawn", b"lost"))
    Attachment.objects.create(patient=patient, name="a.csv", sha256=attached, size=8)
    course = Course.objects.create(patient=patient, name="Course", created_by=physicist)
    administration = Administration.objects.create(course=course, cycle=1)
    regions = [{"name": "Liver", "sha256": drawn}, {"name": "came along"}, {"name": "empty", "sha256": None}]
    RegionSet.objects.create(administration=administration, version=1, author=physicist, regions=regions)
    image = Instance.objects.get().sha256
    aged(FileStore.of_site().path_of(image))
    assert lost in kept()
    assert tidying.clear_unnamed() == 1
    assert kept() == {image, attached, drawn}
    assert names_beginning(drawn[:1]) >= {drawn}


def test_files_of_an_import_that_were_uploaded_long_ago_stay_until_their_rows_are_written(
    home, tmp_path, make_object, monkeypatch
):
    """The worst moment: bytes are in the store, no row names them, and every worker tidies."""
    from hevesy.web.site.store import importing

    incoming = aged(make_object(tmp_path / "in/1.dcm").parent)
    moments = []

    def write(batch, arrival):
        moments.append((tidying.clear_unnamed(), kept()))
        return importing_write(batch, arrival)

    importing_write = importing.write
    monkeypatch.setattr(importing, "write", write)
    arrival = Import.objects.create(origin=Import.Origin.UPLOAD)
    import_path(incoming, None, arrival=arrival)  # an upload: its files are linked, not copied
    assert moments == [(0, {Instance.objects.get().sha256})]


def test_a_file_that_is_put_while_names_are_being_read_stays(home, tmp_path, monkeypatch):
    name = put(tmp_path / "x", b"old and unnamed")

    def reading(start):
        FileStore.of_site().put(tmp_path / "x")
        return set()

    monkeypatch.setattr(tidying, "names_beginning", reading)
    assert tidying.clear_unnamed() == 0
    assert kept() == {name}


def test_nothing_that_a_job_under_way_may_have_put_is_removed_however_long_it_takes(home, tmp_path):
    name = put(tmp_path / "x", b"put by a job")
    job = Job.objects.create(kind="import", fingerprint="f" * 64, state="running")
    Job.objects.filter(pk=job.pk).update(submitted_at="2001-01-01T00:00Z")
    assert tidying.clear_unnamed() == 0
    Job.objects.filter(pk=job.pk).update(state="failed")
    assert tidying.clear_unnamed() == 1
    assert name not in kept()


def sent(home, **row):
    arrival = Import.objects.create(origin=Import.Origin.UPLOAD, **row)
    folder = Upload.of(arrival).folder / "a"
    folder.mkdir(parents=True)
    (folder / "1.dcm").write_bytes(b"x" * 1000)
    return arrival, Upload.of(arrival).folder


def test_uploads_go_once_nobody_goes_on_with_them(home):
    _, begun = sent(home)
    idle, abandoned = sent(home, sent_files=1, sent_bytes=1000)
    waiting = Job.objects.create(kind="import", fingerprint="a" * 64, state="waiting")
    failed = Job.objects.create(kind="import", fingerprint="b" * 64, state="failed")
    (_, queued), (_, useless) = sent(home, job=waiting), sent(home, job=failed)
    (gone := home.uploads / "x.gone").mkdir()
    (nobodys := home.uploads / "01234567-89ab-cdef-0123-456789abcdef").mkdir()
    for folder in (abandoned, queued, useless, gone, nobodys):
        aged(folder)
    assert tidying.clear_uploads() == 3
    assert {path.name for path in home.uploads.iterdir()} == {begun.name, queued.name}
    idle.refresh_from_db()
    assert (bool(idle.ended_at), idle.sent_bytes) == (True, 0)
    assert Event.objects.get(action="import.abandoned").subject == str(idle.pk)


def test_a_file_that_came_today_keeps_the_whole_upload(home):
    _, folder = sent(home)
    aged(folder)
    (folder / "a/2.dcm").write_bytes(b"y")
    assert tidying.clear_uploads() == 0
    assert folder.is_dir()


def test_what_dead_processes_left_in_scratch_goes_and_what_living_ones_hold_stays(home):
    from hevesy.web.site.jobs.scratch import Scratch, name_of_this_process

    with Scratch(home.scratch, name_of_this_process()) as mine:
        (mine.folder / "held-1").write_bytes(b"x")
        aged(mine.folder)
        aged_file = home.scratch / "held-2-abcd"
        aged_file.write_bytes(b"x")
        aged(aged_file)
        (home.scratch / "held-3-abcd").write_bytes(b"x")
        (home.scratch / "elsewhere-1-2").mkdir()
        aged(home.scratch / "elsewhere-1-2")
        assert tidying.clear_half_made() == 2
        assert (mine.folder / "held-1").exists()
    assert [path.name for path in home.scratch.iterdir()] == ["held-3-abcd"]


def test_the_budget_counts_uploads_and_what_is_half_made_and_shared_files_once(home, tmp_path):
    before = disk.measure()
    sent(home)
    (home.uploads / "y.gone").write_bytes(b"x" * 100)
    (home.scratch / "held-1").write_bytes(b"x" * 10)
    os.link(home.scratch / "held-1", home.scratch / "held-2")
    (home.folder / "disk.json").unlink()
    assert disk.measure() - before + (home.folder / "disk.json").stat().st_size == pytest.approx(1110, abs=200)


def test_one_worker_a_day_makes_the_round(home, tmp_path):
    assert tidying.tidy_daily in _CHORES
    put(tmp_path / "x", b"1")
    tidying.tidy_daily()
    assert kept() == set()
    put(tmp_path / "x", b"2")
    tidying.tidy_daily()
    assert len(kept()) == 1
    aged(home.folder / "tidied")
    tidying.tidy_daily()
    assert kept() == set()
    assert Event.objects.filter(action="store.tidied").count() == 2


def test_an_upload_that_was_refused_as_a_whole_leaves_no_file(client, physicist, home, monkeypatch):
    from hevesy.web.site.store.limits import Limits

    client.force_login(physicist)
    key = client.post("/api/store/imports", {}, content_type="application/json").json()["id"]
    body = b'{"name": "a", "offset": 0, "length": 1}\nx{"name": "b", "offset": 0, "length": 1}\nx'
    client.put(f"/api/store/imports/{key}/files", body, content_type="application/octet-stream")
    client.post(f"/api/store/imports/{key}/finish")
    monkeypatch.setattr("hevesy.web.site.store.importing.Limits", lambda: Limits(files=1))
    carry_out_waiting()
    assert Job.objects.get().state == "failed"
    assert list(home.uploads.iterdir()) == []
