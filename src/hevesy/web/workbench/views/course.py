"""A course of treatment: its cycles, and what they add up to."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from hevesy.web.site.store.models import Course, Result
from hevesy.web.workbench import acts
from hevesy.web.workbench.views.dose import read_record
from hevesy.web.workbench.views.pages import page, who
from hevesy.workflows.course import add_up


@page
def course(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show the cycles of a course, and their sum."""
    found = get_object_or_404(Course.objects.select_related("patient"), pk=pk)
    acts.saw(who(request), "course", f"course {found.pk}")
    cycles = counted(found)
    return render(
        request,
        "workbench/course.html",
        {"course": found, "patient": found.patient, "cycles": cycles, "sum": summed(cycles)},
    )


def counted(course: Course) -> list[dict[str, Any]]:
    """Return each cycle with the result that counts: the last one that is signed, or else the last."""
    cycles = []
    for one in course.administrations.prefetch_related("results__signatures"):
        results = sorted(one.results.all(), key=lambda result: (bool(result.signatures.all()), result.made_at))
        cycles.append({"administration": one, "result": results[-1] if results else None})
    return cycles


def summed(cycles: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return what the cycles that have a result add up to; None where none has."""
    results: list[Result] = [one["result"] for one in cycles if one["result"] is not None]
    return add_up([read_record(result) for result in results]) if results else None
