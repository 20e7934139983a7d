"""Jobs in the API."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from ninja import Router, Schema
from pydantic import Field

from hevesy.web.site.access import EVERYBODY
from hevesy.web.site.accounts.models import Person
from hevesy.web.site.api import allowed
from hevesy.web.site.jobs import queue
from hevesy.web.site.jobs.models import Job, State

router = Router(tags=["jobs"], auth=allowed(*EVERYBODY))


class JobOut(Schema):
    """One job."""

    id: UUID
    kind: str
    state: State
    submitted_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    attempts: int
    cancel_asked: bool
    #: 0 to 1; null where nobody knows
    progress: float | None
    step: str
    remaining_s: float | None
    log: str
    result: dict[str, Any] | None
    error: str
    fingerprint: str

    @staticmethod
    def resolve_remaining_s(job: Job) -> float | None:
        """Return the time that is left in seconds."""
        return None if job.remaining is None else job.remaining.total_seconds()


def _person(request: HttpRequest) -> Person:
    assert request.user.is_authenticated
    return request.user


def _job(request: HttpRequest, job: UUID) -> Job:
    found = queue.visible_to(_person(request)).filter(pk=job).first()
    if found is None:
        raise Http404
    return found


@router.get("", response=list[JobOut], summary="The jobs that you may see, the newest first")
def jobs(
    request: HttpRequest,
    state: State | None = None,
    limit: Annotated[int, Field(ge=1, le=200)] = 50,
    offset: Annotated[int, Field(ge=0, le=1_000_000)] = 0,
) -> Any:
    """List jobs."""
    found = queue.visible_to(_person(request)).order_by("-submitted_at", "id")
    if state is not None:
        found = found.filter(state=state)
    return list(found[offset : offset + limit])


@router.get("/{uuid:job_id}", response=JobOut, summary="One job")
def job(request: HttpRequest, job_id: UUID) -> Any:
    """Return one job."""
    return _job(request, job_id)


@router.post("/{uuid:job_id}/cancel", response=JobOut, summary="Cancel a job")
def cancel(request: HttpRequest, job_id: UUID) -> Any:
    """Cancel a job that waits or runs; one that has ended stays as it is."""
    found = _job(request, job_id)
    if not queue.may_cancel(found, _person(request)):
        raise PermissionDenied
    return queue.cancel(found, _person(request))
