"""Folders of jobs and of results: whole or not there, and gone when nobody needs them."""

import os
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from hevesy.errors import OutputFailed
from hevesy.web.site.jobs import disk, housekeeping, queue, scratch
from hevesy.web.site.jobs.inline import carry_out_waiting
from hevesy.web.site.jobs.models import Job, State
from hevesy.web.site.jobs.publishing import publish


@pytest.fixture
def made(tmp_path):
    folder = tmp_path / "scratch" / "made"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "dose.txt").write_text("1 Gy", encoding="ascii")
    (tmp_path / "results").mkdir()
    return folder


def test_a_folder_is_published_whole_and_is_no_longer_where_it_was_made(made, tmp_path):
    target = publish(made, tmp_path / "results" / "mark")
    assert (target / "deep" / "dose.txt").read_text(encoding="ascii") == "1 Gy"
    assert not made.exists()


def test_every_file_and_folder_is_on_the_disk_before_the_result_can_be_seen(made, tmp_path, monkeypatch):
    target = tmp_path / "results" / "mark"
    synced = []

    def sync(descriptor):
        synced.append((Path(f"/proc/self/fd/{descriptor}").readlink().name, target.exists()))

    monkeypatch.setattr(os, "fsync", sync)
    publish(made, target)
    assert synced == [("made", False), ("dose.txt", False), ("deep", False), ("results", True)]


def test_the_same_result_published_again_leaves_the_first(made, tmp_path):
    target = tmp_path / "results" / "mark"
    target.mkdir()
    (target / "first").touch()
    assert publish(made, target) == target
    assert [path.name for path in target.iterdir()] == ["first"]
    assert not made.exists()


def test_a_folder_that_is_not_there_is_not_published(tmp_path):
    with pytest.raises(OutputFailed, match="no folder 'missing'"):
        publish(tmp_path / "missing", tmp_path / "mark")


def test_scratch_belongs_to_a_process_for_as_long_as_it_lives(tmp_path):
    program = (
        "import sys, pathlib; from hevesy.web.site.jobs.scratch import *\n"
        "mine = Scratch(pathlib.Path(sys.argv[1]), name_of_this_process())\n"
        "print(mine.folder.name, flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        name = other.stdout.readline().strip()
        assert not scratch.is_dead(tmp_path, name)
        assert scratch.clear(tmp_path) == []
        other.kill()
        other.wait()
        assert scratch.is_dead(tmp_path, name)
        (tmp_path / "of somebody else").mkdir()
        assert scratch.clear(tmp_path) == [name]
    assert [path.name for path in tmp_path.iterdir()] == ["of somebody else"]


def test_what_a_dead_process_left_is_cleared_next_time_where_something_still_writes_there(tmp_path, monkeypatch):
    name = f"{socket.gethostname()[:60]}-1-00000000"
    (tmp_path / f"{name}.alive").touch()
    (tmp_path / name).mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(scratch.shutil, "rmtree", lambda folder, ignore_errors: None)  # as where a file came meanwhile
        scratch.clear(tmp_path)
    assert (tmp_path / name).is_dir()
    scratch.clear(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_of_another_machines_processes_nothing_is_known(tmp_path):
    assert not scratch.is_dead(tmp_path, "another-machine-1-00000000")
    assert scratch.is_dead(tmp_path, f"{socket.gethostname()[:60]}-1-00000000")


def test_a_live_folder_is_gone_when_its_process_is_through_with_it(tmp_path):
    with scratch.Scratch(tmp_path, scratch.name_of_this_process()) as mine:
        (mine.folder / "half").touch()
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def keepers(monkeypatch):
    registered = []
    monkeypatch.setattr(housekeeping, "_KEEPERS", registered)
    return registered


@pytest.fixture
def old_jobs(person, settings):
    settings.RETENTION_DAYS = 30.0
    jobs = [queue.submit("test.echo", {"old": n}, person) for n in range(3)]
    carry_out_waiting()
    Job.objects.update(ended_at=timezone.now() - timedelta(days=31))
    Job.objects.filter(pk=jobs[2].pk).update(ended_at=timezone.now() - timedelta(days=29))
    return jobs


def test_old_results_go_but_not_those_that_a_keeper_wants_nor_the_young(old_jobs, keepers):
    kept, unwanted, young = (job.fingerprint for job in old_jobs)
    keepers.append(lambda marks: {kept})
    keepers.append(lambda marks: ())
    assert housekeeping.remove_old_results() == [unwanted]
    assert [queue.result_folder(mark).is_dir() for mark in (kept, unwanted, young)] == [True, False, True]
    old_jobs[1].refresh_from_db()
    assert old_jobs[1].state == State.REMOVED


def test_nothing_goes_where_nobody_says_what_must_stay_or_how_long(old_jobs, keepers, settings):
    assert housekeeping.remove_old_results() == []
    keepers.append(lambda marks: ())
    settings.RETENTION_DAYS = None
    assert housekeeping.remove_old_results() == []


def test_the_folder_is_measured_once_for_all_processes(settings, tmp_path, monkeypatch):
    settings.HOME = type(settings.HOME)(tmp_path / "home")
    settings.HOME.prepare()
    (settings.HOME.objects / "bytes").write_bytes(bytes(12_345))
    assert disk.room().used == 12_345
    (settings.HOME.objects / "more").write_bytes(bytes(1_000))
    assert disk.room().used == 12_345
    assert disk.measure() > 13_345 - 1
    assert disk.room().used >= 13_345


def test_what_is_left_is_the_lesser_of_budget_and_disk():
    assert disk.Room(used=3, free=10 * disk.LEAST_FREE, budget=10).left == 7
    assert disk.Room(used=30, free=10 * disk.LEAST_FREE, budget=10).left == 0
    assert disk.Room(used=3, free=disk.LEAST_FREE + 5, budget=None).left == 5
    assert disk.Room(used=3, free=disk.LEAST_FREE + 5, budget=100).left == 5
