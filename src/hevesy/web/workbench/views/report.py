"""Report and export: what is signed, and what leaves the site."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import content_disposition_header
from django.views.decorators.clickjacking import xframe_options_sameorigin

from hevesy.errors import BadInput
from hevesy.web.site.accounts.models import Person
from hevesy.web.site.audit.record import record
from hevesy.web.site.jobs.models import Job, State
from hevesy.web.site.jobs.queue import fingerprint, result_folder
from hevesy.web.site.store.models import Administration, Archive, Result
from hevesy.web.workbench import acts, tasks
from hevesy.web.workbench.views.pages import find, page, show, who
from hevesy.web.workbench.way import Way
from hevesy.web.workbench.zipped import streamed, zipped

#: a report is one file that loads nothing: its own style, its own pictures, no script
REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"


@page
def report(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show the report, and take a signature under it."""
    administration = find(pk)
    way = Way(administration)
    asked = request.POST.get("result") or request.GET.get("result")
    shown = next((one for one in way.results if str(one.pk) == asked), None) if asked else way.result
    if request.method == "POST":
        result = get_object_or_404(Result, pk=shown.pk if shown else None)
        acts.sign(who(request), result, request.POST.get("password", ""), request.POST.get("reason", ""))
        return redirect("workbench:report", pk)
    context = {
        "result": shown,
        "signature": next((s for s in way.signatures if shown and s.result_id == shown.pk), None),
        "amends": bool(way.signatures),
        "has_pdf": shown is not None and (result_folder(shown.fingerprint) / "report.pdf").exists(),
    }
    return show(request, "report", administration, context, way)


@xframe_options_sameorigin
@page
def report_page(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Return the report itself."""
    result = get_object_or_404(Result, pk=pk)
    acts.saw(who(request), "report", f"result {pk}")
    answer = HttpResponse(acts.file_of(result, acts.REPORT).read_bytes(), content_type="text/html; charset=utf-8")
    answer.headers["Content-Security-Policy"] = REPORT_POLICY
    return answer


@page
def export(request: HttpRequest, pk: UUID) -> HttpResponse:
    """List the files of a result, and send its DICOM to an archive."""
    administration = find(pk)
    way = Way(administration)
    if request.method == "POST":
        _act(request, administration)
        return redirect("workbench:export", pk)
    shown = way.result or next(iter(way.results), None)
    files = list(files_of(shown)) if shown else []
    context = {
        "result": shown,
        "files": files,
        "drawn": any(one["name"].startswith("regions-") for one in files),
        "sendable": [one["name"] for one in files if one["name"] in tasks.DICOM_FILES],
        "archives": Archive.objects.all(),
        "sendings": sendings(shown.fingerprint) if shown else [],
        "is_signed": bool(shown and shown.signatures.all()),
        **_shared(administration, shown),
    }
    return show(request, "export", administration, context, way)


def _act(request: HttpRequest, administration: Administration) -> None:
    """Send a result to an archive, have its case copied without the patient's name, or send that copy."""
    result = _computed(administration, request.POST.get("result", ""))
    if request.POST.get("share") == "make":
        acts.ask_shared(who(request), administration, result)
        return
    archive = next((one for one in Archive.objects.all() if str(one.pk) == request.POST.get("archive")), None)
    if archive is None:
        raise BadInput("No archive was chosen.", "Choose one.")
    if "share" in request.POST:
        acts.send_shared(who(request), administration, result, archive)
    elif result is None:
        raise BadInput("No result was chosen.", "Choose one.")
    else:
        acts.send(who(request), result, archive)


def _shared(administration: Administration, result: Result | None) -> dict[str, Any]:
    """Return how far the de-identified copy is, and where it was sent."""
    mark = fingerprint(tasks.SHARE, acts.shared_arguments(administration, result))
    job = Job.objects.filter(fingerprint=mark).order_by("-submitted_at").first()
    ready = job is not None and job.state == State.DONE and result_folder(mark).is_dir()
    return {"sharing": job, "is_shared": ready, "shared_sendings": sendings(mark) if ready else []}


@page
def download_shared(request: HttpRequest, pk: UUID) -> StreamingHttpResponse:
    """Send the de-identified copy of a case as one archive."""
    administration = find(pk)
    _, folder = acts.shared_folder(administration, _computed(administration, request.GET.get("result", "")))
    record(who(request), "share.exported", f"administration {pk}")
    answer = StreamingHttpResponse(streamed(folder), content_type="application/zip")
    answer.headers["Content-Disposition"] = 'attachment; filename="case.zip"'
    return answer


def _computed(administration: Administration, asked: str) -> Result | None:
    return next((one for one in Way(administration).results if str(one.pk) == asked), None)


def sendings(mark: str) -> list[dict[str, Any]]:
    """Return each archive that what has a fingerprint was sent to, with the last job that did it."""
    last: dict[int, Job] = {}
    for job in Job.objects.filter(kind="send", arguments__result=mark).order_by("submitted_at"):
        last[job.arguments["archive"]] = job
    names = Archive.objects.in_bulk(last)
    return [{"archive": names[pk].name, "job": job} for pk, job in last.items() if pk in names]


def files_of(result: Result) -> Iterator[dict[str, Any]]:
    """Give name, size and SHA-256 of each file of a result."""
    folder = result_folder(result.fingerprint)
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        yield {"name": path.name, "size": path.stat().st_size, "sha256": sha256}


@page
def download(request: HttpRequest, pk: UUID, name: str) -> HttpResponse:
    """Send one file of a result."""
    return file_answer(who(request), get_object_or_404(Result, pk=pk), name)


@page
def download_all(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Send every file of a result in one archive."""
    return files_answer(who(request), get_object_or_404(Result, pk=pk))


def file_answer(person: Person, result: Result, name: str) -> HttpResponse:
    """Return one file of a result, and enter that it left the site."""
    path = acts.file_of(result, name)
    record(person, "result.exported", f"result {result.pk}", file=name)
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    kind = "application/dicom" if name.endswith(".dcm") else kind
    answer = HttpResponse(path.read_bytes(), content_type=kind)
    answer.headers["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
    return answer


def files_answer(person: Person, result: Result) -> HttpResponse:
    """Return every file of a result in one archive, and enter that they left the site."""
    acts.file_of(result, "results.json")
    record(person, "result.exported", f"result {result.pk}", file="*")
    answer = HttpResponse(zipped(result_folder(result.fingerprint)), content_type="application/zip")
    answer.headers["Content-Disposition"] = f'attachment; filename="hevesy-{str(result.pk)[:8]}.zip"'
    return answer
