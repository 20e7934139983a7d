"""``hevesy listen``: take in what scanners and archives send."""

from __future__ import annotations

import argparse
import os
import signal
from threading import Event

from hevesy.cli.serve import prepare_site
from hevesy.errors import BadConfiguration


def configure(command: argparse.ArgumentParser) -> None:
    """Add the options of ``hevesy listen``: none, the environment says all."""


def run(options: argparse.Namespace) -> None:
    """Listen until stopped.

    Raises
    ------
    BadConfiguration
        If the environment names no port or nobody who may call.
    """
    prepare_site()
    from hevesy.web.site.jobs.guard import die_with_parent
    from hevesy.web.site.jobs.supervisor import LIFELINE
    from hevesy.web.site.store.door import Door
    from hevesy.web.site.store.listener import listen

    lifeline = os.environ.pop(LIFELINE, None)
    if lifeline is not None:
        die_with_parent(os.getppid(), int(lifeline))
    door = Door.from_environment()
    if door is None:
        raise BadConfiguration("HEVESY_DICOM_PORT is not set.", "Give the port to listen at, such as 11112.")
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    print(f"Hevesy takes in DICOM as {door.title} at {door.address}:{door.port} (stop with Ctrl+C)", flush=True)
    listen(door, stop)
