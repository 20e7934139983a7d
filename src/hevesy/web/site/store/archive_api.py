"""Other archives in the API: naming them, searching them, fetching from them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from django.db import transaction
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema, Status
from pydantic import Field

from hevesy.web.site.access import CLINICAL
from hevesy.web.site.accounts.models import Person
from hevesy.web.site.accounts.roles import Role
from hevesy.web.site.api import allowed, require_sound
from hevesy.web.site.audit.record import record
from hevesy.web.site.store.archive_views import ArchiveForm, SearchForm
from hevesy.web.site.store.arrivals import Wishes
from hevesy.web.site.store.models import Archive
from hevesy.web.site.store.tasks import start_retrieval

router = Router(tags=["archives"], auth=allowed(*CLINICAL))
_Text = Annotated[str, Field(max_length=500, pattern=r"^[^\x00-\x1f]*$")]


class ArchiveIn(Schema):
    """An archive to name; its password goes in and never comes out."""

    name: _Text
    #: what stands before /studies
    address: _Text
    username: _Text = ""
    password: _Text = ""


class ArchiveOut(Schema):
    """An archive."""

    id: int
    name: str
    address: str
    username: str


class FoundOut(Schema):
    """A study that an archive holds."""

    uid: str
    patient: str
    identifier: str
    description: str
    date: str
    modalities: str
    objects: str


class FetchIn(Schema):
    """A study to fetch."""

    study: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[0-9.]+$")]
    #: de-identify before anything is kept
    deidentify: bool = False


class FetchOut(Schema):
    """The import that it comes by, at ``/api/store/imports/ID``."""

    id: str


def _person(request: HttpRequest) -> Person:
    assert isinstance(request.user, Person)
    return request.user


@router.get("", response=list[ArchiveOut], auth=allowed(*CLINICAL, Role.ADMINISTRATOR), summary="The archives")
def archives(request: HttpRequest) -> Any:
    """List the archives."""
    return list(Archive.objects.all())


@router.post("", response={201: ArchiveOut}, auth=allowed(Role.ADMINISTRATOR), summary="Add an archive")
def add(request: HttpRequest, given: ArchiveIn) -> Any:
    """Add an archive."""
    form = ArchiveForm(given.model_dump())
    require_sound(form)
    with transaction.atomic():
        made = form.save()
        record(_person(request), "archive.added", made.name, address=made.address)
    return Status(201, made)


@router.delete("/{int:pk}", response={204: None}, auth=allowed(Role.ADMINISTRATOR), summary="Forget an archive")
def remove(request: HttpRequest, pk: int) -> Any:
    """Forget an archive; what was fetched from it stays."""
    found = get_object_or_404(Archive, pk=pk)
    with transaction.atomic():
        found.delete()
        record(_person(request), "archive.removed", found.name)
    return Status(204, None)


@router.get("/{int:pk}/studies", response=list[FoundOut], summary="Search an archive")
def search(
    request: HttpRequest, pk: int, identifier: _Text = "", name: _Text = "", date: _Text = "", modality: _Text = ""
) -> Any:
    """Search an archive for studies; a date is such as 20240305 or 20240301-20240331."""
    from hevesy.web.site.store.dicomweb import DicomWeb  # a server has seldom use for it

    found = get_object_or_404(Archive, pk=pk)
    form = SearchForm({"identifier": identifier, "name": name, "date": date, "modality": modality})
    require_sound(form)
    studies = DicomWeb.of(found).search(**form.filters())
    record(_person(request), "archive.searched", found.name, found=len(studies))
    return [asdict(study) for study in studies]


@router.post("/{int:pk}/fetch", response={201: FetchOut}, summary="Fetch a study from an archive")
def fetch(request: HttpRequest, pk: int, given: FetchIn) -> Any:
    """Have a worker fetch a study."""
    found = get_object_or_404(Archive, pk=pk)
    arrival = start_retrieval(found, given.study, _person(request), Wishes(deidentify=given.deidentify))
    return Status(201, {"id": str(arrival.pk)})
