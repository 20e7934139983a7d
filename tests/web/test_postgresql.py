"""Tests of the site once more, on PostgreSQL: a cluster that is made for them and thrown away."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

PROGRAMS = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name), default=None)
pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(PROGRAMS is None, reason="PostgreSQL is not installed (Debian: postgresql)"),
    pytest.mark.skipif("HEVESY_DATABASE" in os.environ, reason="these tests run on another database already"),
]
HERE = Path(__file__).parent
#: what asks for a database; browsers, and processes that are killed, are tried on SQLite alone
TRIED = "database and not browser and not process"


@pytest.fixture
def cluster():
    """Address of a database server of this test's own, run by somebody who is not root."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    owner = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="hevesy-postgresql-"))
    if owner:
        shutil.chown(folder, "postgres", "postgres")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = folder / "data"
    initdb = [PROGRAMS / "initdb", "--auth=trust", "--username=hevesy", "--encoding=UTF8", "--no-sync", data]
    subprocess.run(initdb, cwd=folder, check=True, capture_output=True, **owner)
    options = [f"--{key}" for key in (f"port={port}", f"unix_socket_directories={folder}", "fsync=off")]
    options += ["--listen_addresses=127.0.0.1", "--full_page_writes=off", "--synchronous_commit=off"]
    with subprocess.Popen(
        [PROGRAMS / "postgres", "-D", data, *options], cwd=folder, stderr=subprocess.DEVNULL, **owner
    ) as server:
        try:
            yield wait_for(port)
        finally:
            server.terminate()
            server.wait(30)
            shutil.rmtree(folder)


def wait_for(port):
    import psycopg

    address = f"postgresql://hevesy@127.0.0.1:{port}/postgres"
    until = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(address, connect_timeout=2).close()
        except psycopg.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return address


def test_the_site_behaves_the_same_on_postgresql(cluster, tmp_path):
    environment = os.environ | {"HEVESY_DATABASE": cluster, "HEVESY_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0", "-m", TRIED, str(HERE)]
    done = subprocess.run(command, cwd=HERE.parents[1], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "passed" in done.stdout
