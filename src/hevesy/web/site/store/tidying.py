"""What workers clear away once a day: files that no row names, uploads that nobody goes on with, what was half made."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from hevesy.web.site.audit.record import record
from hevesy.web.site.jobs.housekeeping import chore
from hevesy.web.site.jobs.models import OPEN, Job
from hevesy.web.site.jobs.scratch import is_dead
from hevesy.web.site.store.files import OLD_S, FileStore
from hevesy.web.site.store.limits import Limits
from hevesy.web.site.store.models import Import
from hevesy.web.site.store.naming import names_beginning
from hevesy.web.site.store.uploads import Upload

#: s between two rounds of all workers together
DAY_S = 24 * 3600.0
#: s after which an upload that nothing came to is given up, and one whose import has ended
ABANDONED_S, OVER_S = 7 * DAY_S, 3600.0
_DIGITS = "0123456789abcdef"


@chore
def tidy_daily() -> None:
    """Make a round if no worker has made one for a day."""
    mark: Path = settings.HOME.folder / "tidied"
    try:
        if time.time() - mark.stat().st_mtime < DAY_S:
            return
    except FileNotFoundError:
        pass
    mark.touch(mode=0o600)
    tidy()


def tidy() -> dict[str, int]:
    """Clear away what nobody needs, and return how many of what."""
    done = {"uploads": clear_uploads(), "half_made": clear_half_made(), "files": clear_unnamed()}
    if any(done.values()):
        record(None, "store.tidied", "store", **done)
    return done


def clear_unnamed() -> int:
    """Remove files that no row names and that no job under way may still name, and return how many."""
    store = FileStore.of_site()
    begun = [time.time() - job.submitted_at.timestamp() for job in Job.objects.filter(state__in=OPEN)]
    grace_s = max([OLD_S, *(OLD_S + age for age in begun)])
    # one digit at a time: a sixteenth of the names is in memory at once
    return sum(store.remove_unnamed(names_beginning(digit), grace_s, digit) for digit in _DIGITS)


def clear_uploads() -> int:
    """Remove the files of imports that have ended or that nobody goes on with, and return of how many."""
    removed = 0
    for folder in settings.HOME.uploads.iterdir():
        idle_s = time.time() - _touched(folder)
        if folder.suffix == ".gone":
            if idle_s > OVER_S:
                shutil.rmtree(folder, ignore_errors=True)
        elif idle_s > OVER_S and _is_given_up(folder, idle_s):
            Upload(folder, Limits()).discard()
            removed += 1
    return removed


def _is_given_up(folder: Path, idle_s: float) -> bool:
    """Return whether nobody needs an upload's folder any more; an import that nobody finished is ended by this."""
    key = _key(folder.name)
    arrival = key and Import.objects.filter(pk=key).select_related("job").first()
    if not arrival:
        return idle_s > DAY_S  # a form whose server died before its row was written
    if arrival.job is not None:
        return not arrival.job.is_open
    if idle_s <= ABANDONED_S:
        return False
    with transaction.atomic():
        given_up = {"ended_at": timezone.now(), "sent_files": 0, "sent_bytes": 0}
        ended = Import.objects.filter(pk=arrival.pk, job=None).update(**given_up)
        if ended:
            record(None, "import.abandoned", str(arrival.pk))
    return bool(ended)


def clear_half_made() -> int:
    """Remove what processes left in the scratch folder that no lock tells of any more, and return how many."""
    removed = 0
    root: Path = settings.HOME.scratch
    for path in root.iterdir():
        owner = path.stem if path.suffix == ".alive" else path.name
        lives = (root / f"{owner}.alive").exists() and not is_dead(root, owner)
        if not lives and time.time() - _touched(path) > (ABANDONED_S if path.is_dir() else DAY_S):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
            removed += 1
    return removed


def _key(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None


def _touched(path: Path) -> float:
    """Return when a file, or anything in a folder, was last written; now, where it went meanwhile."""
    inside = [Path(folder, name) for folder, _, files in os.walk(path) for name in (".", *files)]
    try:
        return max(each.lstat().st_mtime for each in (path, *inside))
    except FileNotFoundError:
        return time.time()
