"""A course of treatment: its cycles, and what they add up to."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from hevesy.web.site.store.models import Course
from hevesy.web.workbench import acts
from hevesy.web.workbench.views.pages import page, who


@page
def course(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show the cycles of a course."""
    found = get_object_or_404(Course.objects.select_related("patient"), pk=pk)
    cycles = found.administrations.prefetch_related("results__signatures")
    acts.saw(who(request), "course", f"course {found.pk}")
    return render(request, "workbench/course.html", {"course": found, "patient": found.patient, "cycles": cycles})
