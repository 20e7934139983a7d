"""`hevesy serve` as a process: what it takes while nobody asks, how it stops, and jobs that do their worst."""

import json
import os
import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from killing import SERVER, THERE, WORKER, throw_away_site, wait_for

pytestmark = [pytest.mark.process, pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")]
#: MiB that the idle server and its worker may take together, shared libraries counted in both
IDLE = 200


def resident(number):
    """Resident memory of a process, MiB."""
    status = Path(f"/proc/{number}/status").read_text(encoding="ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def test_the_idle_site_is_small_outlives_what_its_jobs_do_and_stops_when_asked():
    with throw_away_site() as site:
        site.start()
        wait_for(lambda: any(WORKER in c for c in site.processes().values()), 20, "There is no worker")
        crash, deaf = (site.call("effects.sure:submit_one", kind) for kind in ("effects.crash", "effects.deaf"))

        def row(job):
            return site.query("SELECT state, step, crashes, error, fault FROM jobs_job WHERE id = ?", job)[0]

        wait_for(lambda: row(crash)[0] == "failed", 60, lambda: f"{row(crash)}")
        assert row(crash)[2:4] == (3, "The computation ended without a word 3 times. Ask the administrator.")
        assert "SIGSEGV" in row(crash)[4]
        assert "Fatal Python error: Segmentation fault" in row(crash)[4]
        wait_for(lambda: row(deaf)[1] == "deaf", 60, lambda: f"{row(deaf)}")
        site.call("effects.sure:cancel", deaf)
        wait_for(lambda: row(deaf)[0] == "cancelled", 15, lambda: f"{row(deaf)}")

        wait_for(lambda: len(site.processes()) == 2, 15, lambda: f"{site.processes()}")
        taken = {command: resident(number) for number, command in site.processes().items()}
        assert sum(taken.values()) < IDLE, taken
        assert {SERVER in command for command in taken} == {True, False}
        assert site.stop() == 0
        assert site.processes() == {}
        assert list((site.home / "scratch").iterdir()) == []


def test_light_jobs_go_past_a_long_one_in_one_process_that_stays_and_that_may_be_killed():
    with throw_away_site() as site:
        site.start()
        site.call("effects.sure:submit_one", "effects.deaf")
        wait_for(lambda: site.query("SELECT step FROM jobs_job") == [("deaf",)], THERE, "It does not begin")

        def process_of(number):
            job, asked = (
                site.call("effects.sure:submit_moment", number),
                "SELECT state, result FROM jobs_job WHERE id = ?",
            )
            wait_for(lambda: site.query(asked, job)[0][0] == "done", THERE, lambda: f"{site.query(asked, job)}")
            return json.loads(site.query(asked, job)[0][1])["process"]

        first = process_of(1)
        assert process_of(2) == first
        os.kill(first, signal.SIGKILL)
        assert process_of(3) != first
        assert site.stop() == 0
        assert site.processes() == {}


def test_a_job_at_work_when_the_site_stops_waits_for_the_next_start():
    with throw_away_site() as site:
        site.start()
        job = site.call("effects.sure:submit_one", "effects.deaf")
        wait_for(lambda: site.query("SELECT step FROM jobs_job") == [("deaf",)], THERE, "It does not begin")
        assert site.stop() == 0
        assert site.query("SELECT id, state, worker FROM jobs_job") == [(job, "waiting", "")]
        assert site.processes() == {}
