"""Several workers on a PostgreSQL that the test starts, each job to one of them.

The tests of the queue in one process run on PostgreSQL by `../test_postgresql.py`.
"""

import getpass
import shutil
import socket
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from killing import THERE, WORKER, throw_away_site, wait_for

FOUND = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or [Path(shutil.which("initdb") or "")]
pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(
        not FOUND[-1].is_file() or find_spec("psycopg") is None,
        reason="PostgreSQL and psycopg are not both installed (Debian: apt-get install postgresql)",
    ),
]


@pytest.fixture(scope="module")
def server():
    """Address of a server with a database, gone afterwards; it refuses to be root, so root becomes somebody else."""
    as_other = ["runuser", "-u", "postgres", "--"] if getpass.getuser() == "root" else []
    folder = Path(tempfile.mkdtemp(prefix="hevesy-postgresql-"))
    if as_other:
        shutil.chown(folder, "postgres")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def tool(name, *arguments):
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}  # a pipe would be kept by the server
        subprocess.run([*as_other, FOUND[-1].with_name(name), *arguments], check=True, cwd=folder, **quiet)

    tool("initdb", "-D", folder / "data", "-A", "trust", "-U", "hevesy", "-N")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    tool("pg_ctl", "-D", folder / "data", "-o", options, "-w", "start")
    tool("createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "hevesy", "site")
    yield f"postgresql://hevesy@127.0.0.1:{port}/site"
    tool("pg_ctl", "-D", folder / "data", "-m", "immediate", "-w", "stop")
    shutil.rmtree(folder)


def test_several_workers_take_each_job_once_and_a_killed_ones_job_again(server):
    with throw_away_site(workers=3, HEVESY_DATABASE=server) as site:
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
