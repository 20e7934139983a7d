"""The disk budget: what the site's folder takes, what is left, and a refusal before it is full."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from hevesy.errors import NoRoom
from hevesy.web.site.home import Home

#: bytes that stay free on the disk whatever the budget says: a database that cannot write is worse than a job refused
LEAST_FREE = 2 * 1000**3
#: how long a measurement of the folder is good for, s
FRESH = 600.0


@dataclass(frozen=True, slots=True)
class Room:
    """What the site's folder takes and what is left for it, bytes."""

    used: int
    free: int
    #: what the site may fill; none where only the disk sets a limit
    budget: int | None

    @property
    def left(self) -> int:
        """Bytes that may still be written."""
        by_disk = self.free - LEAST_FREE
        return max(0, by_disk if self.budget is None else min(by_disk, self.budget - self.used))


def room() -> Room:
    """Return what is used and free; what the folder takes is measured at most every ten minutes."""
    home: Home = settings.HOME
    budget = None if settings.DISK_GB is None else round(settings.DISK_GB * 1000**3)
    return Room(_last_measured(home), shutil.disk_usage(home.folder).free, budget)


def require_room(needed: int = 0) -> None:
    """Refuse where `needed` more bytes do not fit.

    Raises
    ------
    NoRoom
        If the budget is spent or the disk is nearly full.
    """
    # where no budget is set the folder need not be measured
    found = room() if settings.DISK_GB is not None else Room(0, shutil.disk_usage(settings.HOME.folder).free, None)
    if found.left > needed:
        return
    if found.budget is not None and found.budget - found.used <= needed:
        raise NoRoom(
            f"The site's folder holds {_gb(found.used)} of the {_gb(found.budget)} that it may.",
            "Remove old results, or ask the administrator to raise HEVESY_DISK_GB.",
        )
    raise NoRoom(
        f"The disk has {_gb(found.free)} left; {_gb(LEAST_FREE + needed)} are needed.",
        "Make room on the disk that holds HEVESY_HOME.",
    )


def measure() -> int:
    """Add up the files in the site's folder, keep the sum for other processes, and return it, bytes."""
    home: Home = settings.HOME
    used = sum(_sizes(home.folder))
    beside = home.folder / f"disk.json.{os.getpid()}"
    beside.write_text(json.dumps({"used": used, "at": time.time()}), encoding="ascii")
    beside.replace(home.folder / "disk.json")
    return used


def _last_measured(home: Home) -> int:
    try:
        kept = json.loads((home.folder / "disk.json").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return measure()
    return int(kept["used"]) if 0 <= time.time() - kept["at"] < FRESH else measure()


def _sizes(folder: Path | str) -> Iterator[int]:
    try:
        entries = list(os.scandir(folder))
    except OSError:  # removed meanwhile
        return
    for entry in entries:
        try:
            if entry.is_dir(follow_symlinks=False):
                yield from _sizes(entry.path)
            else:
                found = entry.stat(follow_symlinks=False)
                yield found.st_size // found.st_nlink  # a job's folder shares its files with the store
        except OSError:
            continue


def _gb(count: int) -> str:
    return f"{count / 1000**3:.1f} GB"
