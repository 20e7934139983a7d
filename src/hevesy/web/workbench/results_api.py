"""Courses of treatment and results for programs: what there is, and its files."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Router, Schema

from hevesy.web.site.access import CLINICAL
from hevesy.web.site.accounts.models import Person
from hevesy.web.site.api import allowed
from hevesy.web.site.store.models import Patient, Result
from hevesy.web.workbench import acts
from hevesy.web.workbench.views.report import file_answer, files_answer, files_of

courses = Router(tags=["workbench"], auth=allowed(*CLINICAL))
results = Router(tags=["workbench"], auth=allowed(*CLINICAL))


class CycleOut(Schema):
    """One cycle of a course."""

    id: UUID
    cycle: int
    results: list[UUID]


class CourseOut(Schema):
    """A course of treatment, with its cycles."""

    id: UUID
    name: str
    cycles: list[CycleOut]


class FileOut(Schema):
    """A file of a result."""

    name: str
    size: int
    sha256: str


def _person(request: HttpRequest) -> Person:
    assert isinstance(request.user, Person)
    return request.user


@courses.get("/{int:pk}/courses", response=list[CourseOut])
def listing(request: HttpRequest, pk: int) -> Any:
    """List a patient's courses of treatment with their cycles and results."""
    patient = get_object_or_404(Patient, pk=pk)
    acts.saw(_person(request), "patient", f"patient {pk}")
    return [
        {
            "id": course.pk,
            "name": course.name,
            "cycles": [
                {"id": one.pk, "cycle": one.cycle, "results": [result.pk for result in one.results.all()]}
                for one in course.administrations.all()
            ],
        }
        for course in patient.courses.order_by("-created_at").prefetch_related("administrations__results")
    ]


@results.get("/{uuid:pk}/files", response=list[FileOut])
def files(request: HttpRequest, pk: UUID) -> Any:
    """List the files of a result."""
    result = get_object_or_404(Result, pk=pk)
    acts.saw(_person(request), "result", f"result {pk}")
    return list(files_of(result))


@results.get("/{uuid:pk}/files/{name}", response={200: None})
def file(request: HttpRequest, pk: UUID, name: str) -> HttpResponse:
    """Return one file of a result."""
    return file_answer(_person(request), get_object_or_404(Result, pk=pk), name)


@results.get("/{uuid:pk}/all.zip", response={200: None})
def all_files(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Return every file of a result in one archive."""
    return files_answer(_person(request), get_object_or_404(Result, pk=pk))
