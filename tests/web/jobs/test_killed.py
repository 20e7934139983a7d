"""Processes of a real site, killed: nothing lost, nothing doubled, nothing half made, no orphan."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from killing import CHILD, SERVER, THERE, WORKER, killed_at_random, throw_away_site, wait_for

pytestmark = [pytest.mark.process, pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")]


def test_jobs_survive_kills_of_server_worker_and_child_at_random_moments():
    outcome = killed_at_random("effects.sure:submit_some", "effects.sure:check", kills=6, seed=1943)
    assert outcome.at_work >= 3
    assert max(outcome.attempts) >= 2


def test_imports_and_doses_of_patients_survive_kills_too():
    tests = Path(__file__).parents[2]
    outcome = killed_at_random("patients:submit_a_pair", "patients:check", kills=4, seed=1923, paths=(tests,))
    assert outcome.at_work >= 2


def test_whichever_process_dies_what_the_job_started_dies_too():
    with throw_away_site() as site:
        site.start()
        site.call("effects.sure:submit", 1)
        for victim in (CHILD, WORKER, SERVER):
            wait_for(lambda: helpers(site) and children(site), THERE, "The job did not start its helper")
            left = helpers(site)
            assert site.kill(victim, lambda numbers: numbers[0])
            wait_for(lambda left=left: not left & helpers(site), 5, lambda: f"Orphans: {site.processes()}")


def helpers(site):
    return {number for number, command in site.processes().items() if command.startswith("sleep")}


def children(site):
    return {number for number, command in site.processes().items() if CHILD in command}
