"""Pages of the workbench."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from hevesy.web.site.access import CLINICAL, allow
from hevesy.web.site.store.models import Patient


@allow(*CLINICAL)
def worklist(request: HttpRequest) -> HttpResponse:
    """Show the patients, the newest study first."""
    patients = Patient.objects.order_by("-studies__at", "name").distinct()[:50]
    return render(request, "workbench/worklist.html", {"patients": patients})
