"""Words of jobs in templates."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from hevesy.errors import UnknownName
from hevesy.web.site.jobs import queue, registry
from hevesy.web.site.jobs.models import Job, State

register = template.Library()

_BADGES = {
    State.WAITING: "",
    State.RUNNING: "info",
    State.DONE: "good",
    State.FAILED: "bad",
    State.CANCELLED: "warn",
    State.REMOVED: "",
}


@register.filter
def job_title(job: Job) -> str:
    """Return what a person calls this kind of job."""
    try:
        return str(registry.kind(job.kind).title)
    except UnknownName:  # of a version that had more kinds
        return job.kind


@register.filter
def job_badge(job: Job) -> str:
    """Return the badge's class for where a job stands."""
    return _BADGES.get(State(job.state), "")


@register.filter
def percent(fraction: float) -> int:
    """Return whole percents."""
    return int(100 * fraction)


@register.filter
def in_words(duration: timedelta | None) -> str:
    """Return a duration as one says it: no finer than is of use."""
    if duration is None:
        return ""
    seconds = max(0, round(duration.total_seconds()))
    if seconds < 90:
        return ngettext("%d second", "%d seconds", seconds) % seconds
    minutes = round(seconds / 60)
    if minutes < 90:
        return ngettext("%d minute", "%d minutes", minutes) % minutes
    return _("%(hours)d h %(minutes)d min") % {"hours": minutes // 60, "minutes": minutes % 60}


@register.simple_tag(takes_context=True)
def may_cancel(context: dict[str, Any], job: Job) -> bool:
    """Return whether who looks at the page may cancel a job."""
    request = context.get("request")
    return job.is_open and request is not None and queue.may_cancel(job, request.user)
