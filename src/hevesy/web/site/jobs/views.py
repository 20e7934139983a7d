"""Pages of jobs: the list, one job, and its progress as it goes on."""

from __future__ import annotations

from uuid import UUID

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.http import require_GET, require_POST

from hevesy.web.site.access import EVERYBODY, allow
from hevesy.web.site.jobs import disk, live, queue
from hevesy.web.site.jobs.models import Job

#: jobs on one page of the list
_PAGE = 50


def _job(request: HttpRequest, job: UUID) -> Job:
    """Return a job that the person may see; another one does not exist for them."""
    assert request.user.is_authenticated
    found = queue.visible_to(request.user).select_related("submitted_by").filter(pk=job).first()
    if found is None:
        raise Http404
    return found


def _is_administrator(request: HttpRequest) -> bool:
    return request.user.is_authenticated and request.user.administers


@allow(*EVERYBODY)
@require_GET
def listing(request: HttpRequest) -> HttpResponse:
    """Show the person's jobs, the newest first; an administrator sees all, and what room there is."""
    assert request.user.is_authenticated
    jobs = queue.visible_to(request.user).select_related("submitted_by").defer("log", "fault", "result", "arguments")
    page = Paginator(jobs.order_by("-submitted_at", "id"), _PAGE).get_page(request.GET.get("page"))
    room = disk.room() if _is_administrator(request) else None
    shown = {"page": page, "open": any(job.is_open for job in page.object_list), "room": room}
    return render(request, "jobs/list.html", shown)


@allow(*EVERYBODY)
@require_GET
def detail(request: HttpRequest, job: UUID) -> HttpResponse:
    """Show one job."""
    shown = {"job": _job(request, job), "administrator": _is_administrator(request)}
    return render(request, "jobs/detail.html", shown)


@allow(*EVERYBODY)
@require_GET
def state(request: HttpRequest, job: UUID) -> JsonResponse:
    """Tell once how far a job is."""
    return JsonResponse(live.message(_job(request, job)), headers={"Cache-Control": "no-store"})


@allow(*EVERYBODY)
@require_GET
def events(request: HttpRequest, job: UUID) -> HttpResponseBase:
    """Tell how far a job is for as long as it goes on, by server-sent events."""
    found = _job(request, job)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    stream = live.events(found.pk, get_language() or "en")
    return StreamingHttpResponse(stream, content_type="text/event-stream", headers=headers)


@allow(*EVERYBODY)
@require_POST
def cancel(request: HttpRequest, job: UUID) -> HttpResponse:
    """Cancel a job, and show it."""
    found = _job(request, job)
    assert request.user.is_authenticated
    if not queue.may_cancel(found, request.user):
        raise Http404
    queue.cancel(found, request.user)
    return redirect("jobs:detail", found.pk)
