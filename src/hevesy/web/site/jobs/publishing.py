"""A folder goes from scratch to the results in one step, after every byte of it is on the disk."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from hevesy.errors import OutputFailed


def publish(folder: Path, target: Path) -> Path:
    """Move a finished folder to where its result belongs, and return that place.

    Nobody sees the target before it is whole, also after a power cut. Where the same result has been published already,
    that one stays and the folder is removed.

    Raises
    ------
    OutputFailed
        If the folder is missing, or lies on another disk than the target.
    """
    if target.is_dir():
        shutil.rmtree(folder, ignore_errors=True)
        return target
    if not folder.is_dir():
        raise OutputFailed(f"There is no folder '{folder.name}' to publish.")
    _sync_tree(folder)
    try:
        folder.rename(target)
    except OSError as fault:
        if not target.is_dir():
            raise OutputFailed(f"The result could not be put in its place: {fault.strerror}.") from fault
        shutil.rmtree(folder, ignore_errors=True)  # another process was quicker
    _sync(target.parent)
    return target


def _sync_tree(folder: Path) -> None:
    for parent, _, names in os.walk(folder):
        for name in names:
            _sync(Path(parent, name))
        _sync(Path(parent))


def _sync(path: Path) -> None:
    if path.is_symlink():
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
