"""Outputs that are whole or not there: written beside their place, then renamed."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from hevesy.errors import OutputFailed

#: the file that shows that a folder holds an earlier result and may be replaced by a new one
MARK = "results.json"


@contextlib.contextmanager
def delivering(target: Path) -> Iterator[Path]:
    """Give a temporary folder to write into, and put it in the target's place if all went well.

    Parameters
    ----------
    target : Path
        A folder that does not exist, is empty, or holds an earlier result, which is then replaced.

    Yields
    ------
    Path
        The folder to write into, on the same file system.

    Raises
    ------
    OutputFailed
        If the target holds other files, or anything could not be written; the target is as it was.
    """
    target = target.absolute()
    made: list[Path] = []
    try:
        _require_free(target)
        made = _make_parents(target.parent)
        work = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as fault:
        _remove(made)
        raise _failed(target, fault) from fault
    try:
        yield work
        work.chmod(0o755)
        _swap(work, target)
    except BaseException as fault:
        shutil.rmtree(work, ignore_errors=True)
        _remove(made)
        if isinstance(fault, OSError):
            raise _failed(target, fault) from fault
        raise


def _require_free(target: Path) -> None:
    if target.exists() and not target.is_dir():
        raise OutputFailed(f"{target} is a file.", "Give a folder with --out.")
    if target.is_dir() and any(target.iterdir()) and not (target / MARK).is_file():
        raise OutputFailed(f"{target} holds files that are not a result of hevesy.", "Give a new folder with --out.")


def _make_parents(folder: Path) -> list[Path]:
    missing = [p for p in (folder, *folder.parents) if not p.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def _remove(made: list[Path]) -> None:
    for folder in made:
        with contextlib.suppress(OSError):
            folder.rmdir()


def _swap(work: Path, target: Path) -> None:
    if not target.exists():
        work.rename(target)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent))
    aside.rmdir()
    target.rename(aside)
    try:
        work.rename(target)
    except OSError:
        aside.rename(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _failed(target: Path, fault: OSError) -> OutputFailed:
    reason = os.strerror(fault.errno) if fault.errno else str(fault)
    refused = f"{target} could not be written ({reason}); nothing was left behind."
    return OutputFailed(refused, "Free space or choose another --out.")
