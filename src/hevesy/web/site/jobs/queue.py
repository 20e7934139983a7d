"""The queue as those see it who hand in work: submit, look, cancel."""

from __future__ import annotations

import hashlib
import json
import time
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

import hevesy
from hevesy.web.site.accounts.models import Person
from hevesy.web.site.audit.record import record
from hevesy.web.site.jobs import disk, registry
from hevesy.web.site.jobs.models import OPEN, Job, State


@cache
def code_version() -> str:
    """Return the version of this software with a digest of its sources: other code may give other results."""
    digest = hashlib.sha256()
    package = Path(hevesy.__file__).parent
    for source in sorted(package.rglob("*.py")):
        digest.update(source.relative_to(package).as_posix().encode() + b"\0" + source.read_bytes())
    return f"{hevesy.__version__}+{digest.hexdigest()[:16]}"


def fingerprint(kind: str, arguments: dict[str, Any]) -> str:
    """Return the SHA-256 of a kind, its arguments and the version of the code, 64 hexadecimal digits."""
    content = json.dumps([kind, arguments, code_version()], sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(content.encode()).hexdigest()


def submit(kind: str, arguments: dict[str, Any], person: Person | None) -> Job:
    """Hand in work, and return its job: the one there is, where the same is waiting, running or done.

    Raises
    ------
    UnknownName
        If there is no such kind.
    NoRoom
        If the disk, or the part of it that the site may fill, is full.
    """
    registry.kind(kind)
    mark = fingerprint(kind, arguments)
    with transaction.atomic():
        job = _living(mark)
        if job is None:
            disk.require_room()
            job = _create(kind, arguments, mark, person)
        if person is not None:
            job.people.add(person)
        record(person, "job.submitted", f"{kind} {job.pk}", fingerprint=mark)
    return job


def _create(kind: str, arguments: dict[str, Any], mark: str, person: Person | None) -> Job:
    try:
        with transaction.atomic():
            return Job.objects.create(kind=kind, arguments=arguments, fingerprint=mark, submitted_by=person)
    except IntegrityError:  # somebody else has submitted the same in this moment
        job = _living(mark)
        if job is None:
            raise
        return job


def _living(mark: str) -> Job | None:
    """Return the job of a fingerprint that is to come or done, unless its result is there no more."""
    job = Job.objects.filter(fingerprint=mark, state__in=(*OPEN, State.DONE)).first()
    if job is None or not (job.state == State.DONE and job.published and not result_folder(mark).is_dir()):
        return job
    Job.objects.filter(pk=job.pk).update(state=State.REMOVED)
    return None


def result_folder(mark: str) -> Path:
    """Return where the result of a fingerprint lies, if it has been published."""
    return Path(settings.HOME.results / mark)


def cancel(job: Job, person: Person | None) -> Job:
    """Stop a job: at once while it waits; one that runs is ended by its worker within seconds.

    A job that has ended stays as it is. Who may ask is the caller's to judge (see `may_cancel`).
    """
    waiting = Job.objects.filter(pk=job.pk, state=State.WAITING)
    running = Job.objects.filter(pk=job.pk, state=State.RUNNING)
    line = f"Cancelled by {person}." if person else "Cancelled."
    asked = {"cancel_asked": True, "error": line}
    with transaction.atomic():
        if waiting.update(state=State.CANCELLED, ended_at=timezone.now(), **asked) or running.update(**asked):
            record(person, "job.cancelled", f"{job.kind} {job.pk}")
    job.refresh_from_db()
    return job


def wait_a_moment(job: Job, seconds: float = 1.5) -> Job:
    """Return a job once it has ended, or as it stands after a moment: for a page that shows what a light job found."""
    until = time.monotonic() + seconds
    while job.is_open and time.monotonic() < until:
        time.sleep(0.05)
        job.refresh_from_db()
    return job


def visible_to(person: Person) -> QuerySet[Job]:
    """Return the jobs that a person may see: their own, those of kinds open to their role; administrators all."""
    if person.administers:
        return Job.objects.all()
    shared = registry.kinds_shown_to(person.roles)
    return Job.objects.filter(Q(people=person) | Q(kind__in=shared)).distinct()


def may_cancel(job: Job, person: Person) -> bool:
    """Return whether a person may cancel a job: who asked for it, and administrators."""
    return person.administers or job.people.filter(pk=person.pk).exists()
