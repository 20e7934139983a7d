"""Pages of the store: bringing images in, and what came of it."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_POST

from hevesy.errors import EmptyInput, HevesyError, http_status
from hevesy.web.site.access import CLINICAL, allow
from hevesy.web.site.accounts.roles import Role
from hevesy.web.site.audit.record import record
from hevesy.web.site.bodies import up_to
from hevesy.web.site.store.arrivals import Wishes, arriving
from hevesy.web.site.store.form_upload import KeepFiles
from hevesy.web.site.store.limits import GIB, Limits
from hevesy.web.site.store.models import Archive, Import, Study
from hevesy.web.site.store.roots import import_roots, require_open
from hevesy.web.site.store.tasks import start_import
from hevesy.web.site.store.uploads import Upload

#: who may have the server read its own folders
OPENERS = frozenset({Role.PHYSICIST})
#: bytes of a plain form with its files, sent where a browser runs no scripts
FORM = 4 * GIB
#: imports on the page, and lines of a report on one page
RECENT, LINES = 20, 100


@allow(*CLINICAL)
@require_GET
def importing(request: HttpRequest) -> HttpResponse:
    """Show the place where files are dropped, and the imports before."""
    return _importing(request)


@up_to(FORM)
@allow(*CLINICAL)
@require_POST
@csrf_exempt  # until the files have a place to go: the form is judged in `_take_form`, before its answer
def import_form(request: HttpRequest) -> HttpResponse:
    """Take the files of a plain form."""
    assert request.user.is_authenticated
    arrival = Import(origin=Import.Origin.UPLOAD, person=request.user)
    handler = KeepFiles(request, Upload.of(arrival))
    request.upload_handlers = [handler]
    try:
        return _take_form(request, arrival, handler)
    finally:
        if arrival.job_id is None:
            handler.upload.discard()


@csrf_protect
def _take_form(request: HttpRequest, arrival: Import, handler: KeepFiles) -> HttpResponse:
    try:
        wishes = _wishes(request)
    except HevesyError as refusal:
        return _importing(request, refusal)
    arrival.identifier, arrival.deidentified = wishes.identifier, wishes.removes_names
    if handler.refusal is not None:
        return _importing(request, handler.refusal)
    if not handler.files:
        return _importing(request, EmptyInput("No file was chosen.", "Choose a folder, an archive or files."))
    arrival.sent_files, arrival.sent_bytes = handler.files, handler.bytes
    arrival.save()
    start_import(arrival, arrival.person)
    return redirect("store:import", arrival.pk)


@allow(*OPENERS)
@require_POST
def import_folder(request: HttpRequest) -> HttpResponse:
    """Import a folder of the server."""
    assert request.user.is_authenticated
    try:
        path = require_open(request.POST.get("path", "").strip())
        arrival = arriving(Import.Origin.PATH, request.user, _wishes(request), private=str(path))
    except HevesyError as refusal:
        return _importing(request, refusal)
    arrival.save()
    start_import(arrival, request.user)
    return redirect("store:import", arrival.pk)


@allow(*CLINICAL)
@require_GET
def report(request: HttpRequest, arrival: UUID) -> HttpResponse:
    """Show what came of an import."""
    assert request.user.is_authenticated
    found = get_object_or_404(Import.objects.select_related("person", "job"), pk=arrival)
    lines = Paginator(found.remarks.all(), LINES).get_page(request.GET.get("page"))
    studies = Study.objects.worklist().filter(series__instances__arrival=found).distinct()
    record(request.user, "import.seen", str(found.pk))
    return render(request, "store/report.html", {"arrival": found, "lines": lines, "studies": studies[:LINES]})


def _wishes(request: HttpRequest) -> Wishes:
    identifier = request.POST.get("identifier", "").strip()[:64]
    return Wishes(identifier, deidentify=bool(request.POST.get("deidentify")))


def _importing(request: HttpRequest, refusal: HevesyError | None = None) -> HttpResponse:
    if not request.user.is_authenticated:
        raise PermissionDenied
    if refusal is not None:
        messages.error(request, str(refusal), extra_tags="english")
    shown = {
        "imports": Import.objects.select_related("person", "job")[:RECENT],
        "roots": import_roots() if request.user.roles & frozenset(OPENERS) else (),
        "limits": Limits(),
        "archives": Archive.objects.all(),
        "always_nameless": settings.DEIDENTIFY_IMPORT,
    }
    return render(request, "store/importing.html", shown, status=200 if refusal is None else http_status(refusal))
