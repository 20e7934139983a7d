"""Heavy jobs on a Dask cluster that the test starts: the same words, the same results, and cancelling."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from killing import throw_away_site, wait_for

from hevesy.errors import BadConfiguration
from hevesy.web.site.jobs.cluster import run_there
from hevesy.web.site.jobs.task import Order

pytestmark = pytest.mark.process

needs_dask = pytest.mark.skipif(find_spec("distributed") is None, reason="hevesy[dask] is not installed")


@pytest.fixture
def site():
    """A site with a cluster; the cluster sees the same folder, as it must."""
    with throw_away_site() as site:
        command = [sys.executable, str(Path(__file__).parent / "dask_cluster.py")]
        environment = site.environment | {"PYTHONWARNINGS": "ignore"}
        cluster = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=site.home
        )
        site.environment["HEVESY_DASK"] = cluster.stdout.readline().strip()
        yield site
        cluster.communicate()


@needs_dask
def test_a_heavy_job_is_computed_by_the_cluster_and_may_be_cancelled_there(site):
    site.start()
    done, endless = (site.call("effects.sure:submit_far", steps) for steps in (15, 100_000))
    steps = set()

    def ended():
        ((state, step, error, fault),) = site.query("SELECT state, step, error, fault FROM jobs_job WHERE id = ?", done)
        steps.add(step)
        assert not error, (error, fault)
        return state == "done"

    wait_for(ended, 60, "The job does not end")
    assert len(steps) > 2
    ((result, mark),) = site.query("SELECT result, fingerprint FROM jobs_job WHERE id = ?", done)
    assert '"where": "yes"' in result
    assert (site.home / "results" / mark / "where").read_text(encoding="ascii") == "yes"
    assert site.query("SELECT job FROM effects_effect") == [(done,)]

    wait_for(lambda: site.query("SELECT step FROM jobs_job WHERE id = ?", endless) > [("",)], 60, "It does not begin")
    site.call("effects.sure:cancel", endless)
    wait_for(lambda: site.query("SELECT state FROM jobs_job WHERE id = ?", endless) == [("cancelled",)], 20, "Runs on")
    # the worker keeps its folder; that of the cluster goes when the function there has ended
    wait_for(lambda: len(list((site.home / "scratch").glob("*.alive"))) == 1, 20, "The cluster works on")
    site.stop()


@needs_dask
def test_a_cluster_that_does_not_answer_is_named(monkeypatch):
    monkeypatch.setattr("distributed.Client.__init__", refuse)
    with pytest.raises(BadConfiguration, match=r"No Dask cluster answers at tcp://127\.0\.0\.1:9"):
        run_there(Order("effects.far", {}, "0" * 64), "tcp://127.0.0.1:9", None)


def refuse(self, address, **options):
    raise OSError("timed out")


def test_dask_is_asked_for_where_it_is_named_but_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(BadConfiguration, match=r"pip install 'hevesy\[dask\]'"):
        run_there(Order("effects.far", {}, "0" * 64), "tcp://127.0.0.1:9", None)
