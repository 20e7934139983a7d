"""The queue as a worker sees it: claim, renew, report, end; each write holds only while the claim does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from hevesy.web.site.jobs import registry
from hevesy.web.site.jobs.models import Job, State

#: how long a worker that says nothing keeps its job
LEASE = timedelta(seconds=30)
#: a job whose process died of itself this often is not begun again: it would die of the same
MAX_CRASHES = 3
#: nor one that was begun this often: a machine is rarely started anew so often in one computation, but by it
MAX_ATTEMPTS = 25
#: attempts in a moment that a kind that should take no more is given, before it is done as any other
_LIGHT_ATTEMPTS = 2
#: characters of a job's log that are kept
LOG_LIMIT = 64_000


class Lost(BaseException):
    """The claim holds no longer: another worker has the job, or it has ended. Not for a job's own code to catch."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One worker's hold on one attempt at a job."""

    job: UUID
    worker: str
    attempt: int

    def rows(self) -> QuerySet[Job]:
        """Return the job's row as long as the claim holds, else none."""
        return Job.objects.filter(pk=self.job, worker=self.worker, attempts=self.attempt, state=State.RUNNING)

    def renew(self) -> None:
        """Hold the job for another `LEASE`; raise `Lost` where it is held no more."""
        self._write(lease_until=timezone.now() + LEASE)

    def cancel_asked(self) -> bool:
        """Return whether somebody asked to cancel; raise `Lost` where the job is held no more."""
        asked = self.rows().values_list("cancel_asked", flat=True).first()
        if asked is None:
            raise Lost
        return asked

    def report(self, progress: float | None, step: str, log: str) -> None:
        """Write how far the job is; raise `Lost` where it is held no more."""
        self._write(progress=progress, progress_at=timezone.now(), step=step[:200], log=log[-LOG_LIMIT:])

    def finish(self, result: dict[str, Any], published: bool) -> None:
        """Mark the job done, and write in the same transaction what its kind writes of the result."""
        with transaction.atomic():
            self._write(state=State.DONE, result=result, progress=1.0, published=published, error="", **_ended())
            job = Job.objects.get(pk=self.job)
            commit = registry.kind(job.kind).commit
            if commit is not None:
                commit(job, result)

    def fail(self, error: str, fault: str = "") -> None:
        """Mark the job failed, with a line for the person and the fault for the administrator."""
        self._write(state=State.FAILED, error=error, fault=fault[-LOG_LIMIT:], **_ended())

    def end_cancelled(self) -> None:
        """Mark the job cancelled, as somebody asked."""
        self._write(state=State.CANCELLED, **_ended())

    def release(self) -> None:
        """Hand the job back unfinished, for another worker to begin it anew."""
        self._write(state=State.WAITING, **_forgotten())

    def crashed(self, fault: str) -> None:
        """Hand back the job whose process died of itself, or give it up when that happened too often."""
        with transaction.atomic():
            self._write(crashes=F("crashes") + 1)
            if Job.objects.get(pk=self.job).crashes < MAX_CRASHES:
                self._write(state=State.WAITING, fault=fault[-LOG_LIMIT:], **_forgotten())
            else:
                self.fail(f"The computation ended without a word {MAX_CRASHES} times. Ask the administrator.", fault)

    def _write(self, **values: Any) -> None:
        if not self.rows().update(**values):
            raise Lost


def _ended() -> dict[str, Any]:
    return {"ended_at": timezone.now(), "lease_until": None}


def _forgotten() -> dict[str, Any]:
    return {"worker": "", "lease_until": None, "progress": None, "progress_at": None, "step": ""}


def waiting(light: bool | None = None) -> QuerySet[Job]:
    """Return the jobs that wait: all, the light ones, or the others; what proved not to be light is one of these."""
    rows = Job.objects.filter(state=State.WAITING)
    if light is None:
        return rows
    is_light = Q(kind__in=registry.light_kinds(), attempts__lt=_LIGHT_ATTEMPTS)
    return rows.filter(is_light) if light else rows.exclude(is_light)


def claim(worker: str, light: bool | None = None) -> Claim | None:
    """Take the job that has waited longest, of all, of the light ones, or of the others; None where none waits."""
    rows = waiting(light)
    if not rows.exists():  # a look takes no lock; the transaction below does
        return None
    with transaction.atomic():
        job = _locked(rows).first()
        if job is None:
            return None
        now = timezone.now()
        held = {"state": State.RUNNING, "worker": worker, "lease_until": now + LEASE, "started_at": now}
        Job.objects.filter(pk=job.pk).update(attempts=F("attempts") + 1, **held)
        return Claim(job.pk, worker, job.attempts + 1)


def _locked(rows: QuerySet[Job]) -> QuerySet[Job]:
    """Lock rows that no other worker looks at; SQLite's transactions are IMMEDIATE and need no more."""
    skips = connection.features.has_select_for_update_skip_locked
    return rows.select_for_update(skip_locked=True) if skips else rows


def take_up(is_dead: Callable[[str], bool]) -> int:
    """Put back in the queue what is held by workers that died or fell silent, and return how many jobs.

    Parameters
    ----------
    is_dead : callable
        Whether a worker of this name is known to live no more; where that is not known, its lease decides.
    """
    running = Job.objects.filter(state=State.RUNNING)
    silent = Q(lease_until__lt=timezone.now())
    dead = [name for name in running.values_list("worker", flat=True).distinct() if is_dead(name)]
    lost = running.filter(silent | Q(worker__in=dead))
    if not lost.exists():
        return 0
    with transaction.atomic():
        jobs = list(_locked(lost))
        for job in jobs:
            _take_back(Claim(job.pk, job.worker, job.attempts), job.cancel_asked)
    return len(jobs)


def _take_back(lost: Claim, cancel_asked: bool) -> None:
    if cancel_asked:
        lost.end_cancelled()
    elif lost.attempt >= MAX_ATTEMPTS:
        lost.fail(f"The computation was interrupted {lost.attempt} times and is given up. Submit it again.")
    else:
        lost.release()
