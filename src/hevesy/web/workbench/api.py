"""The workbench for programs: every act of its pages, and the numbers that its viewer draws."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from ninja import Body, Router, Schema
from pydantic import Field, FiniteFloat

from hevesy.errors import MissingInformation, UnknownName
from hevesy.web.site.access import CLINICAL
from hevesy.web.site.accounts.models import Person
from hevesy.web.site.api import allowed
from hevesy.web.site.audit.record import record
from hevesy.web.site.jobs.models import Job, State
from hevesy.web.site.jobs.queue import result_folder
from hevesy.web.site.store.files import FileStore
from hevesy.web.site.store.models import Administration, Archive, Course, Patient, Result, Signature, Study
from hevesy.web.workbench import acts, finding, results_api
from hevesy.web.workbench.drawing import View, addressed, edit, image_prefix, mask_url
from hevesy.web.workbench.models import RegionSet
from hevesy.web.workbench.tasks import IMAGES
from hevesy.web.workbench.views.course import counted, summed
from hevesy.web.workbench.way import Way
from hevesy.web.workbench.zipped import streamed
from hevesy.workflows.organ_request import UPTAKE, USUAL, Asked

router = Router(tags=["workbench"], auth=allowed(*CLINICAL))
more = {"/patients": results_api.courses, "/results": results_api.results}
Point = tuple[FiniteFloat, FiniteFloat, FiniteFloat]
#: a file of the viewer's: named by its content
_STORED = re.compile(r"[0-9a-f]{64}\.z")
_A_YEAR = "private, max-age=31536000, immutable"


class BeginIn(Schema):
    """Studies that followed an administration; of a course that there is, or of a new one."""

    studies: list[str]
    course: UUID | None = None


class AdministrationOut(Schema):
    """One cycle of a course of treatment."""

    id: UUID
    cycle: int
    settings: dict[str, Any]


class JobOut(Schema):
    """How far a job is, and what came of it."""

    id: UUID
    kind: str
    state: str
    progress: float | None = None
    step: str = ""
    error: str = ""
    result: dict[str, Any] | None = None


class ResultOut(Schema):
    """One result: a folder of files that never changes."""

    id: UUID
    made_at: Any
    summary: dict[str, Any]


class EditIn(Schema):
    """One edit of the viewer: docs/reference/viewer.md says which tool carries what."""

    tool: str
    regionId: str | None = None
    baseVersion: int | None = None
    version: int | None = None
    volumeId: str = ""
    timePoint: int | None = None
    centreMm: Point | None = None
    seedMm: Point | None = None
    registration: UUID | None = None
    radiusMm: FiniteFloat = 0.0
    method: str = ""
    threshold: FiniteFloat | None = None
    set: tuple[tuple[int, int], ...] = ()
    clear: tuple[tuple[int, int], ...] = ()
    name: str | None = None
    role: str | None = None


class OrgansIn(Schema):
    """Which organs shall be found, and how: docs/reference/case.md, organs."""

    find: Annotated[tuple[Annotated[str, Field(max_length=40)], ...], Field(min_length=1, max_length=20)] = USUAL
    by: str = UPTAKE


class VersionOut(Schema):
    """A version of the regions."""

    version: int
    change: str


class SignIn(Schema):
    """A signature: the password again, and why an earlier version is amended."""

    password: str
    reason: str = ""


class SendIn(Schema):
    """Where a result is sent: the name that an administrator gave the archive."""

    archive: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+$")]


class ShareIn(Schema):
    """The result whose DICOM goes along with a de-identified copy of its case; none where it is left out."""

    result: UUID | None = None


class SendSharedIn(ShareIn, SendIn):
    """A de-identified copy, and where it is sent."""


class SignatureOut(Schema):
    """What was signed."""

    version: int
    sha256: str
    reason: str


def _person(request: HttpRequest) -> Person:
    assert isinstance(request.user, Person)
    return request.user


def _find(pk: UUID) -> Administration:
    return get_object_or_404(Administration.objects.select_related("course__patient"), pk=pk)


@router.post("/patients/{pk}/administrations", response=AdministrationOut)
def begin(request: HttpRequest, pk: int, given: BeginIn) -> Administration:
    """Begin an administration."""
    patient = get_object_or_404(Patient, pk=pk)
    course = get_object_or_404(Course, pk=given.course) if given.course else None
    return acts.begin_administration(_person(request), patient, Study.objects.filter(uid__in=given.studies), course)


@router.get("/administrations/{pk}", response=AdministrationOut)
def administration(request: HttpRequest, pk: UUID) -> Administration:
    """Return an administration with its settings: the tree of its case.yaml."""
    acts.saw(_person(request), "settings", f"administration {pk}")
    return _find(pk)


@router.put("/administrations/{pk}/settings", response=AdministrationOut)
def put_settings(request: HttpRequest, pk: UUID, settings: Body[dict[str, Any]]) -> Administration:
    """Replace the settings: everything that is asked for on the pages, from what is missing to the engine."""
    found = _find(pk)
    acts.change_settings(_person(request), found, settings)
    return found


@router.post("/administrations/{pk}/check", response=JobOut)
def check(request: HttpRequest, pk: UUID) -> Job:
    """Ask what a dose still needs."""
    return acts.ask_check(_person(request), _find(pk), again=True)


@router.post("/administrations/{pk}/curves", response=JobOut)
def curves(request: HttpRequest, pk: UUID) -> Job:
    """Ask for the curves: first the measurement is returned, and once that is done the fits."""
    return acts.ask_fits(_person(request), _find(pk), again=True)


@router.post("/administrations/{pk}/images", response=JobOut)
def images(request: HttpRequest, pk: UUID) -> Job:
    """Ask for the images as the viewer reads them."""
    return acts.ask_images(_person(request), _find(pk), again=True)


@router.post("/administrations/{pk}/dose", response=JobOut)
def dose(request: HttpRequest, pk: UUID) -> Job:
    """Ask for the dose."""
    return acts.ask_dose(_person(request), _find(pk))


@router.get("/administrations/{pk}/results", response=list[ResultOut])
def results(request: HttpRequest, pk: UUID) -> list[Result]:
    """List the results, the newest first; each has its files at ``results/ID/files``."""
    found = _find(pk)
    acts.saw(_person(request), "results", f"administration {pk}")
    return Way(found).results


@router.get("/courses/{pk}/sum", response=dict[str, Any])
def course_sum(request: HttpRequest, pk: UUID) -> dict[str, Any]:
    """Return what the cycles of a course add up to, with limits in use."""
    found = get_object_or_404(Course, pk=pk)
    acts.saw(_person(request), "course", f"course {pk}")
    return summed(counted(found)) or {"cycles": 0, "regions": []}


@router.post("/results/{pk}/signature", response=SignatureOut)
def sign(request: HttpRequest, pk: UUID, given: SignIn) -> Signature:
    """Sign the report of a result."""
    return acts.sign(_person(request), get_object_or_404(Result, pk=pk), given.password, given.reason)


@router.post("/results/{pk}/sending", response=JobOut)
def send(request: HttpRequest, pk: UUID, given: SendIn) -> Job:
    """Send RTDOSE, SEG, RTSTRUCT, SR and RWVM of a result to an archive."""
    result = get_object_or_404(Result, pk=pk)
    return acts.send(_person(request), result, get_object_or_404(Archive, name=given.archive))


@router.post("/administrations/{pk}/shared", response=JobOut)
def share(request: HttpRequest, pk: UUID, given: ShareIn) -> Job:
    """Have a case, and the DICOM of a result of it, copied without anything that names the patient."""
    found = _find(pk)
    return acts.ask_shared(_person(request), found, _result_of(found, given.result))


@router.get("/administrations/{pk}/shared", response={200: None})
def shared(request: HttpRequest, pk: UUID, result: UUID | None = None) -> StreamingHttpResponse:
    """Return the de-identified copy as one archive, once it is made: ``hevesy dose`` on it gives the same dose."""
    found = _find(pk)
    _, folder = acts.shared_folder(found, _result_of(found, result))
    record(_person(request), "share.exported", f"administration {pk}")
    return StreamingHttpResponse(streamed(folder), content_type="application/zip")


@router.post("/administrations/{pk}/shared/sending", response=JobOut)
def send_shared(request: HttpRequest, pk: UUID, given: SendSharedIn) -> Job:
    """Send every object of the de-identified copy to an archive."""
    found, archive = _find(pk), get_object_or_404(Archive, name=given.archive)
    return acts.send_shared(_person(request), found, _result_of(found, given.result), archive)


def _result_of(found: Administration, pk: UUID | None) -> Result | None:
    return get_object_or_404(Result, pk=pk, administration=found) if pk else None


@router.get("/administrations/{pk}/view", response=dict[str, Any])
def view(request: HttpRequest, pk: UUID, result: UUID | None = None) -> dict[str, Any]:
    """Return the viewer's manifest: images, regions as they are now, and the dose of a result if one is named."""
    found = _find(pk)
    acts.saw(_person(request), "images", f"administration {pk}")
    shown = _view(request, found)
    shown.place()
    prefix = image_prefix(found, shown.job)
    volumes = [addressed(shown.placing.shown(one), prefix) for one in shown.manifest["volumes"]]
    if result is not None:
        volumes.append(_dose_volume(request, found, result))
    said = found.settings.get("regions", {})
    placed = [shown.placing.shown(one) for one in shown.regions()]
    regions = [_region_out(found, one, said.get(one["name"], {}), prefix) for one in placed]
    facts = {"timePoints": shown.times(), "registration": shown.placing.registration}
    return {**facts, "volumes": volumes, "regions": regions}


def _region_out(found: Administration, region: dict[str, Any], said: dict[str, Any], prefix: str) -> dict[str, Any]:
    """Return a region as the manifest has it: with the role that the settings give it, and where its voxels are."""
    shown = {key: value for key, value in region.items() if key not in ("sha256", "url")}
    shown["role"] = said.get("role", region["role"])
    if region.get("sha256"):
        shown["url"] = mask_url(found, region["sha256"])
    elif region.get("url"):
        shown["url"] = prefix + region["url"]
    return shown


def _view(request: HttpRequest, found: Administration) -> View:
    job = acts.ask_images(_person(request), found)
    if job.state != State.DONE:
        raise MissingInformation("The images are not ready.", "Open the page of the regions, and wait for them.")
    return View(found, job)


def _dose_volume(request: HttpRequest, found: Administration, result: UUID) -> dict[str, Any]:
    row = get_object_or_404(Result, pk=result, administration=found)
    job = acts.ask_dose_image(_person(request), row)
    if job.state != State.DONE or job.result is None:
        raise MissingInformation("The dose map is not ready.", "Open the page of the dose, and wait for it.")
    return addressed(job.result, f"/api/workbench/administrations/{found.pk}/dose-images/{row.pk}/")


@router.get("/administrations/{pk}/images/{job}/{name}", response={200: None})
def image(request: HttpRequest, pk: UUID, job: UUID, name: str) -> HttpResponse:
    """Return the numbers of an image or of a region that came with it, as the manifest says.

    What the manifest names has been asked for, computed and entered in the record: a file is all that is left to find.
    """
    made = Job.objects.filter(pk=job, kind=IMAGES, state=State.DONE, arguments__administration=str(pk)).first()
    return _packed(request, _stored(made, name), name)


@router.get("/administrations/{pk}/dose-images/{result}/{name}", response={200: None})
def dose_image(request: HttpRequest, pk: UUID, result: UUID, name: str) -> HttpResponse:
    """Return the numbers of the dose map of a result."""
    row = get_object_or_404(Result, pk=result, administration_id=pk)
    job = acts.ask_dose_image(_person(request), row)
    if job.result is None:
        raise MissingInformation("The dose map is not ready.", "Ask again in a moment.")
    return _packed(request, _stored(job, name), name)


def _stored(job: Job | None, name: str) -> Path:
    """Return a file that a job wrote for the viewer."""
    path = result_folder(job.fingerprint) / name if job and _STORED.fullmatch(name) else None
    if path is None or not path.is_file():
        raise UnknownName("There is no such image.", "The manifest names them.")
    return path


@router.get("/administrations/{pk}/masks/{sha256}", response={200: None})
def mask(request: HttpRequest, pk: UUID, sha256: str) -> HttpResponse:
    """Return a region's voxels, as drawn in any version."""
    versions = RegionSet.objects.filter(administration_id=pk).values_list("regions", flat=True)
    if not any(one["sha256"] == sha256 for regions in versions.iterator() for one in regions):
        raise UnknownName("There is no such mask.", "The manifest names them.")
    return _packed(request, FileStore.of_site().path_of(sha256), sha256)


def _packed(request: HttpRequest, path: Path, mark: str) -> HttpResponse:
    """Send a compressed file, which never changes under its address."""
    if request.headers.get("If-None-Match") == f'"{mark}"':
        return HttpResponse(status=304)
    answer = HttpResponse(path.read_bytes(), content_type="application/octet-stream")
    for name, value in (("Content-Encoding", "deflate"), ("ETag", f'"{mark}"'), ("Cache-Control", _A_YEAR)):
        answer.headers[name] = value
    return answer


@router.post("/administrations/{pk}/regions", response=dict[str, Any])
def edit_regions(request: HttpRequest, pk: UUID, asked: EditIn) -> dict[str, Any]:
    """Apply one edit of the viewer as a new version of the regions."""
    found = _find(pk)
    return edit(_person(request), _view(request, found), asked.model_dump(exclude_unset=True))


@router.get("/administrations/{pk}/regions", response=list[dict[str, Any]])
def region_versions(request: HttpRequest, pk: UUID) -> list[dict[str, Any]]:
    """List the versions of the regions, the newest first: who changed what, and when."""
    acts.saw(_person(request), "regions", f"administration {pk}")
    sets = RegionSet.objects.filter(administration=_find(pk)).select_related("author")
    return [{"version": s.version, "by": s.author.username, "at": s.at.isoformat(), "change": s.change} for s in sets]


@router.post("/administrations/{pk}/organs", response=JobOut)
def find_organs(request: HttpRequest, pk: UUID, asked: OrgansIn) -> Job:
    """Have organs found, which become a new version of the regions, to be confirmed."""
    found = _find(pk)
    request_of = Asked(asked.find, asked.by)
    return finding.ask_organs(_person(request), found, acts.ask_images(_person(request), found), request_of)


@router.post("/administrations/{pk}/regions/{version}/restoration", response=VersionOut)
def restore_regions(request: HttpRequest, pk: UUID, version: Annotated[int, Field(ge=1, le=10**6)]) -> RegionSet:
    """Make an earlier version of the regions the newest."""
    return finding.restore(_person(request), _find(pk), version)
