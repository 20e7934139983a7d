"""The record, for those who answer for the site."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from hevesy.web.site.access import allow
from hevesy.web.site.accounts.models import Person
from hevesy.web.site.accounts.roles import Role
from hevesy.web.site.audit.export import csv_lines, json_lines
from hevesy.web.site.audit.models import Event
from hevesy.web.site.audit.record import record, verify

_ON_A_PAGE = 100
_FORMS = {"jsonl": (json_lines, "application/x-ndjson"), "csv": (csv_lines, "text/csv; charset=utf-8")}


@allow(Role.ADMINISTRATOR)
def record_page(request: HttpRequest) -> HttpResponse:
    """Show the record, newest first, as far as it was asked for."""
    events = asked(request.GET).order_by("-number")
    context = {
        "page": Paginator(events, _ON_A_PAGE).get_page(request.GET.get("page")),
        "asked": {name: request.GET.get(name, "") for name in ("actor", "action", "subject", "since", "until")},
        "actions": Event.objects.order_by("action").values_list("action", flat=True).distinct(),
    }
    return render(request, "audit/record.html", context)


@allow(Role.ADMINISTRATOR)
@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """Follow the chain from its first line to its last, and say whether it holds."""
    broken = verify()
    last = Event.objects.order_by("-number").first()
    return render(request, "audit/check.html", {"broken": broken, "last": last})


@allow(Role.ADMINISTRATOR)
def export(request: HttpRequest, form: str) -> HttpResponse:
    """Send what was asked for of the record as a file; that it was taken is recorded too."""
    if form not in _FORMS:
        raise Http404(_("The record is given as jsonl or csv."))
    lines, kind = _FORMS[form]
    assert isinstance(request.user, Person)
    record(request.user, "audit.exported", form, asked=request.GET.urlencode())
    # whole, not streamed: a slow reader must hold no connection to the database
    answer = HttpResponse("".join(lines(asked(request.GET).order_by("number"))), content_type=kind)
    answer.headers["Content-Disposition"] = f'attachment; filename="audit.{form}"'
    return answer


def asked(given: Mapping[str, str]) -> QuerySet[Event]:
    """Return the lines that a filter leaves: actor, action, part of the subject, since and until."""
    events = Event.objects.all()
    for field, lookup in (("actor", "actor_name__iexact"), ("action", "action"), ("subject", "subject__icontains")):
        text = given.get(field, "").strip().replace("\0", "")
        if text:
            events = events.filter(**{lookup: text})
    since, until = _day(given.get("since", "")), _day(given.get("until", ""))
    if since:
        events = events.filter(at__gte=since)
    if until:
        events = events.filter(at__lt=until + timedelta(days=1))
    return events


def _day(text: str) -> datetime | None:
    try:
        day = parse_date(text)
    except ValueError:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None
