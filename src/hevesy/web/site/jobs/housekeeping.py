"""What workers do besides: measure the disk, remove old results that nobody keeps, and do the chores of others."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Iterable
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from hevesy.web.site.jobs import disk
from hevesy.web.site.jobs.models import Job, State
from hevesy.web.site.jobs.queue import result_folder

#: given fingerprints of results, returns those that must stay, such as those of signed reports
Keeper = Callable[[frozenset[str]], Iterable[str]]

#: what else is to be done in a round
Chore = Callable[[], None]

_KEEPERS: list[Keeper] = []
_CHORES: list[Chore] = []
_log = logging.getLogger(__name__)
#: s between two rounds
_ROUND = 600.0
_last_round = float("-inf")


def keeper(keep: Keeper) -> Keeper:
    """Register a function that says which results must stay; where none is registered, nothing is removed."""
    _KEEPERS.append(keep)
    return keep


def chore(work: Chore) -> Chore:
    """Register a function that every round calls."""
    _CHORES.append(work)
    return work


def tidy_when_due() -> None:
    """Make a round if the last one of this process was long ago."""
    global _last_round  # noqa: PLW0603 - when this process last did it belongs to the process
    if time.monotonic() - _last_round >= _ROUND:
        _last_round = time.monotonic()
        disk.measure()
        remove_old_results()
        for work in _CHORES:
            try:
                work()
            except Exception:  # what was not tidied today is tidied tomorrow; jobs go on
                _log.exception("A chore was not done: %s", work.__name__)


def remove_old_results() -> list[str]:
    """Remove results older than the site's retention that no keeper wants, and return their fingerprints."""
    if settings.RETENTION_DAYS is None or not _KEEPERS:
        return []
    before = timezone.now() - timedelta(days=settings.RETENTION_DAYS)
    old = Job.objects.filter(state=State.DONE, published=True, ended_at__lt=before)
    marks = frozenset(old.values_list("fingerprint", flat=True))
    kept = {mark for keep in _KEEPERS for mark in keep(marks)}
    removed = sorted(marks - kept)
    for mark in removed:
        # first nobody is given it any more, then it goes: never the other way round
        Job.objects.filter(fingerprint=mark, state=State.DONE).update(state=State.REMOVED)
        shutil.rmtree(result_folder(mark), ignore_errors=True)
    return removed
