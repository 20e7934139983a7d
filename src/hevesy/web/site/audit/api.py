"""The record in the API, for those who answer for the site."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from hevesy.web.site.accounts.models import Person
from hevesy.web.site.accounts.roles import Role
from hevesy.web.site.api import allowed
from hevesy.web.site.audit.models import Event
from hevesy.web.site.audit.record import record, verify
from hevesy.web.site.audit.views import asked

router = Router(tags=["audit"], auth=allowed(Role.ADMINISTRATOR))


class EventOut(Schema):
    """One line: what its hash covers, and the hash."""

    number: int
    #: UTC, with microseconds
    at: str
    actor: int | None
    actor_name: str
    action: str
    subject: str
    details: dict[str, Any]
    previous: str
    hash: str


class EventFilter(Schema):
    """Which lines are asked for."""

    actor: str = ""
    action: str = ""
    #: part of it
    subject: str = ""
    since: date | None = None
    until: date | None = None
    #: the number of the last line that is known already
    after: Annotated[int, Field(ge=0, le=2**62)] = 0
    limit: Annotated[int, Field(ge=1, le=10_000)] = 1000


class ChainOut(Schema):
    """Whether each line follows the one before."""

    holds: bool
    #: the first line that is not as it was written
    broken: int | None
    last: int
    #: of the last line; keep it elsewhere, and a record that was cut off is found
    hash: str


@router.get("/events", response=list[EventOut], summary="Lines of the record, from a number on")
def events(request: HttpRequest, wanted: Query[EventFilter]) -> Any:
    """Return lines, the oldest first; that they were taken is recorded too."""
    assert isinstance(request.user, Person)
    record(request.user, "audit.exported", "api", asked=request.GET.urlencode())
    lines = asked(request.GET).filter(number__gt=wanted.after).order_by("number")[: wanted.limit]
    return [line.content() | {"hash": line.hash} for line in lines]


@router.post("/check", response=ChainOut, summary="Follow the chain")
def check(request: HttpRequest) -> Any:
    """Follow the chain from its first line to its last, and say whether it holds."""
    broken, last = verify(), Event.objects.order_by("-number").first()
    return {
        "holds": broken is None,
        "broken": broken,
        "last": last.number if last else 0,
        "hash": last.hash if last else "",
    }
