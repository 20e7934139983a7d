"""Scratch folders that belong to a living process: one file lock says so, and the system lets go of it at any death."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
from pathlib import Path
from uuid import uuid4


def name_of_this_process() -> str:
    """Return a name that no other process has, nor will have, and that tells the machine."""
    return f"{socket.gethostname()[:60]}-{os.getpid()}-{uuid4().hex[:8]}"


class Scratch:
    """A folder under a process's name, for as long as the process lives.

    Parameters
    ----------
    root : Path
        The site's scratch folder.
    name : str
        From `name_of_this_process`.
    """

    def __init__(self, root: Path, name: str) -> None:
        self.folder = root / name
        self._lock = root / f"{name}.alive"
        self._descriptor = _hold(self._lock)
        self.folder.mkdir(mode=0o700)

    def __enter__(self) -> Scratch:
        return self

    def __exit__(self, *fault: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.unlink(missing_ok=True)
        os.close(self._descriptor)


def is_dead(root: Path, name: str) -> bool:
    """Return whether the process of a name is known to live no more; of another machine's nothing is known."""
    if name.rsplit("-", 2)[0] != socket.gethostname()[:60]:
        return False
    try:
        descriptor = os.open(root / f"{name}.alive", os.O_RDWR)
    except FileNotFoundError:
        return True
    try:
        return _locked(descriptor)
    finally:
        os.close(descriptor)


def clear(root: Path) -> list[str]:
    """Remove the folders of this machine's dead processes, and return their names.

    A child may outlive its worker by a moment and still write: then the name stays, and the next time clears the rest.
    """
    dead = [lock.stem for lock in root.glob("*.alive") if is_dead(root, lock.stem)]
    for name in dead:
        shutil.rmtree(root / name, ignore_errors=True)
        if not (root / name).exists():
            (root / f"{name}.alive").unlink(missing_ok=True)
    return dead


def _hold(lock: Path) -> int:
    """Lock a file for good; one that clears may take it away in between, so look whether it is still there."""
    while True:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return descriptor
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
