"""A site with its DICOM listener, in processes of their own."""

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Site:
    """A site with its listener, each in processes of their own; `rows` asks its database."""

    def __init__(self, database):
        self.home, self.rows, self.port = database.home, database.query, free_port()
        kept = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
        self.environment = kept | {
            **database.environment,
            "HEVESY_DICOM_PORT": str(self.port),
            "HEVESY_DICOM_CALLERS": "CAMERA, ARCHIVE",
        }

    @contextmanager
    def listening(self):
        command = [sys.executable, "-m", "hevesy", "listen"]
        with subprocess.Popen(command, env=self.environment, stdout=subprocess.DEVNULL) as listener:
            try:
                self.wait_until_open(listener)
                yield listener
            finally:
                listener.terminate()
                listener.wait(20)

    def wait_until_open(self, listener):
        until = time.monotonic() + 120
        while time.monotonic() < until and listener.poll() is None:
            with socket.socket() as knock:
                if knock.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        pytest.fail("the listener did not start within 120 s")

    def sender(self, files, caller="CAMERA", called="HEVESY"):
        return ["storescu", "-aet", caller, "-aec", called, "+sd", "127.0.0.1", str(self.port), str(files)]

    def send(self, files, **titles):
        return subprocess.run(self.sender(files, **titles), capture_output=True, text=True, check=False)

    def stored(self):
        return {name for (name,) in self.rows("SELECT sha256 FROM store_instance")}

    def files(self):
        return {path.name for path in (self.home / "objects").glob("??/*")}
