"""The store in the API: bringing files in, and listing what is there."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema, Status
from pydantic import Field

from hevesy.errors import EmptyInput
from hevesy.web.site.access import CLINICAL
from hevesy.web.site.accounts.models import Person
from hevesy.web.site.api import allowed
from hevesy.web.site.audit.record import record
from hevesy.web.site.store import archive_api
from hevesy.web.site.store.arrivals import Wishes, arriving
from hevesy.web.site.store.bundles import receive
from hevesy.web.site.store.models import Import, Instance, Patient, Series, Study
from hevesy.web.site.store.roots import require_open
from hevesy.web.site.store.tasks import start_import
from hevesy.web.site.store.uploads import Upload
from hevesy.web.site.store.views import OPENERS

router = Router(tags=["store"], auth=allowed(*CLINICAL))
more = {"/archives": archive_api.router}
#: what PostgreSQL and SQLite can both store, and a page can show
Plain = Annotated[str, Field(max_length=64, pattern=r"^[^\x00-\x1f]*$")]
Limit = Annotated[int, Field(ge=1, le=500)]
Offset = Annotated[int, Field(ge=0, le=1_000_000_000)]


class ImportIn(Schema):
    """An import to begin."""

    #: whom files belong to that name no patient, such as NIfTI
    identifier: Plain = ""
    #: de-identify before anything is kept
    deidentify: bool = False

    def wishes(self) -> Wishes:
        """Return what is wanted of the import."""
        return Wishes(self.identifier, self.deidentify)


class FolderIn(ImportIn):
    """A folder of the server to import."""

    path: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\x00-\x1f]+$")]


class RemarkOut(Schema):
    """A file that was refused, and why."""

    name: str
    line: str


class ImportOut(Schema):
    """An import and what came of it so far."""

    id: UUID
    origin: str
    source: str
    deidentified: bool
    started_at: datetime
    ended_at: datetime | None
    job_id: UUID | None
    sent_files: int
    sent_bytes: int
    new: int
    duplicate: int
    refused: int
    ignored: int


class ImportReport(ImportOut):
    """An import with the lines of its report."""

    remarks: list[RemarkOut]

    @staticmethod
    def resolve_remarks(arrival: Import) -> Any:
        """Return the first lines."""
        return list(arrival.remarks.all()[:1000])


class FileOut(Schema):
    """A file that is being sent: what of it is here."""

    name: str
    size: int


class PatientOut(Schema):
    """A patient."""

    id: int
    identifier: str
    issuer: str
    name: str
    sex: str
    birth_date: date | None
    latest_at: datetime
    study_count: int


class StudyOut(Schema):
    """A study."""

    uid: str
    patient_id: int
    description: str
    accession: str
    at: datetime | None
    modalities: str
    radiopharmaceutical: str
    series_count: int
    instance_count: int
    size: int


class SeriesOut(Schema):
    """A series."""

    uid: str
    modality: str
    number: int | None
    description: str
    body_part: str
    radiopharmaceutical: str
    sop_class: str
    at: datetime | None
    instance_count: int
    size: int


class InstanceOut(Schema):
    """An object: its bytes are those of this SHA-256."""

    uid: str
    sop_class: str
    transfer_syntax: str
    number: int | None
    sha256: str
    size: int


def _person(request: HttpRequest) -> Person:
    assert request.user.is_authenticated
    return request.user


def _sending(request: HttpRequest, import_id: UUID) -> Import:
    """Return an import that the person is sending files to; another's does not exist for them."""
    arrival = get_object_or_404(Import, pk=import_id, person=_person(request))
    if arrival.origin != Import.Origin.UPLOAD:
        raise Http404
    return arrival


@router.post("/imports", response={201: ImportOut}, summary="Begin an import")
def begin(request: HttpRequest, given: ImportIn) -> Any:
    """Begin an import; then send files to it, and finish it."""
    made = arriving(Import.Origin.UPLOAD, _person(request), given.wishes())
    made.save()
    return Status(201, made)


@router.post("/imports/folder", response={201: ImportOut}, auth=allowed(*OPENERS), summary="Import a server's folder")
def import_folder(request: HttpRequest, given: FolderIn) -> Any:
    """Import a folder of the server, below those that are open to it."""
    path = require_open(given.path)
    made = arriving(Import.Origin.PATH, _person(request), given.wishes(), private=str(path))
    made.save()
    start_import(made, _person(request))
    return Status(201, made)


@router.get("/imports", response=list[ImportOut], summary="Imports, the newest first")
def imports(request: HttpRequest, limit: Limit = 50, offset: Offset = 0) -> Any:
    """List imports."""
    return list(Import.objects.all()[offset : offset + limit])


@router.get("/imports/{uuid:import_id}", response=ImportReport, summary="One import's report")
def import_report(request: HttpRequest, import_id: UUID) -> Any:
    """Return an import with the reasons of what it refused."""
    return get_object_or_404(Import, pk=import_id)


@router.get("/imports/{uuid:import_id}/files", response=list[FileOut], summary="What has been sent")
def sent(request: HttpRequest, import_id: UUID) -> Any:
    """List the files that are here, whole or in part, so that sending goes on where it broke."""
    return [{"name": name, "size": size} for name, size in Upload.of(_sending(request, import_id)).received()]


@router.put(
    "/imports/{uuid:import_id}/files",
    response=list[FileOut],
    summary="Send files, or pieces of them",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
            "description": 'Pieces, each after a line such as {"name": "a/1.dcm", "offset": 0, "length": 1024}.',
        }
    },
)
def send(request: HttpRequest, import_id: UUID) -> Any:
    """Write pieces where they belong; the same may be sent again. Return what is now here of their files."""
    return [{"name": name, "size": size} for name, size in receive(_sending(request, import_id), request)]


@router.post("/imports/{uuid:import_id}/finish", response=ImportOut, summary="Import what was sent")
def finish(request: HttpRequest, import_id: UUID) -> Any:
    """Have a worker import what was sent."""
    arrival = _sending(request, import_id)
    if arrival.job_id is None:
        if not arrival.sent_files:
            raise EmptyInput("Nothing was sent.", "Send files first.")
        start_import(arrival, _person(request))
    return arrival


@router.get("/patients", response=list[PatientOut], summary="Patients, those with the newest study first")
def patients(request: HttpRequest, search: Plain = "", limit: Limit = 50, offset: Offset = 0) -> Any:
    """List patients."""
    record(_person(request), "patients.listed", search)
    return list(Patient.objects.worklist(search)[offset : offset + limit])


@router.get("/studies", response=list[StudyOut], summary="Studies, the newest first")
def studies(
    request: HttpRequest, search: Plain = "", modality: Plain = "", limit: Limit = 50, offset: Offset = 0
) -> Any:
    """List studies."""
    record(_person(request), "studies.listed", search)
    return list(Study.objects.worklist(search, modality)[offset : offset + limit])


@router.get("/studies/{uid}/series", response=list[SeriesOut], summary="The series of a study")
def series(request: HttpRequest, uid: str) -> Any:
    """List the series of a study."""
    study = get_object_or_404(Study, uid=uid.replace("\x00", ""))
    record(_person(request), "study.seen", study.uid)
    return list(Series.objects.filter(study=study).order_by("number", "id"))


@router.get("/series/{uid}/instances", response=list[InstanceOut], summary="The objects of a series")
def instances(request: HttpRequest, uid: str) -> Any:
    """List the objects of a series."""
    found = get_object_or_404(Series, uid=uid.replace("\x00", ""))
    return list(Instance.objects.filter(series=found).order_by("number", "id"))
