"""Several workers on a PostgreSQL that the test starts, each job to one of them.

The tests of the queue in one process run on PostgreSQL by `../test_postgresql.py`.
"""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from killing import THERE, WORKER, throw_away_site, wait_for

from factories.postgresql import NEEDED, cluster

pytestmark = [pytest.mark.process, NEEDED]


def test_several_workers_take_each_job_once_and_a_killed_ones_job_again():
    with cluster() as server, throw_away_site(workers=3, server=server) as site:
        site.start()
        wait_for(lambda: sum(WORKER in c for c in site.processes().values()) == 3, THERE, "Workers are missing")
        jobs = site.call("effects.sure:submit", 9)
        wait_for(lambda: "running" in site.call("effects.sure:states"), THERE, "No job begins")
        assert site.kill(WORKER, lambda numbers: numbers[-1])
        wait_for(lambda: set(site.call("effects.sure:states")) == {"done"}, THERE, "The jobs do not end")
        assert len(jobs) <= sum(site.call("effects.sure:attempts")) <= len(jobs) + 1
        site.call("effects.sure:check", jobs)
        assert site.stop() == 0
        assert site.processes() == {}
