"""A PostgreSQL cluster of the tests' own: made, started, and thrown away."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

#: the folder of the newest server's programs, where there is one
INSTALLED = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name), default=None)
#: mark of a test that asks for a cluster
NEEDED = pytest.mark.skipif(
    INSTALLED is None or find_spec("psycopg") is None,
    reason="PostgreSQL and psycopg are not both installed (Debian: postgresql)",
)
#: what a crash of the machine would lose is thrown away in any case
_CARELESS = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")


@contextmanager
def cluster() -> Iterator[str]:
    """Give the address of a server's database; neither server nor database is there afterwards."""
    assert INSTALLED is not None, "a test that asks for a cluster is marked NEEDED"
    owner: dict[str, Any] = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}  # it refuses root
    folder = Path(tempfile.mkdtemp(prefix="hevesy-postgresql-"))
    if owner:
        shutil.chown(folder, "postgres", "postgres")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    make = [INSTALLED / "initdb", "--auth=trust", "--username=hevesy", "--encoding=UTF8", "--no-sync"]
    subprocess.run([*make, folder / "data"], cwd=folder, check=True, capture_output=True, **owner)
    options = [f"--{key}" for key in (f"port={port}", f"unix_socket_directories={folder}", *_CARELESS)]
    command = [INSTALLED / "postgres", "-D", folder / "data", "--listen_addresses=127.0.0.1", *options]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL, **owner) as server:
        try:
            yield _answering(f"postgresql://hevesy@127.0.0.1:{port}/postgres")
        finally:
            server.send_signal(signal.SIGINT)  # does not wait for those who are connected
            server.wait(30)
            shutil.rmtree(folder)


def _answering(address: str) -> str:
    """Return the address once somebody answers there."""
    import psycopg

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
