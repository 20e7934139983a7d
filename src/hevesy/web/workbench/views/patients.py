"""Worklist, patient, and the begin of an administration."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from hevesy.web.site.store.models import Administration, Course, Patient, Study
from hevesy.web.site.store.templatetags.names import person_name
from hevesy.web.workbench import acts
from hevesy.web.workbench.views.pages import page, who

PATIENTS_A_PAGE = 25


@page
def worklist(request: HttpRequest) -> HttpResponse:
    """Show the patients, the newest study first."""
    search = request.GET.get("q", "").strip()[:100]
    shown = Paginator(Patient.objects.worklist(search), PATIENTS_A_PAGE).get_page(request.GET.get("page"))
    rows = lines(list(shown))
    acts.saw(who(request), "worklist", "worklist", page=shown.number, search=search)
    return render(request, "workbench/worklist.html", {"rows": rows, "shown": shown, "search": search})


def lines(patients: list[Patient]) -> list[dict[str, Any]]:
    """Return what the worklist says of each patient, as text: a template would take longer over it than all else."""
    columns = ("patient_id", "at", "modalities", "radiopharmaceutical")
    studies = Study.objects.filter(patient__in=patients).order_by("listed_at", "-id").values_list(*columns)
    newest = {patient: (at, *others) for patient, at, *others in studies}  # the last one stays
    stem, _, tail = reverse("workbench:patient", args=[0]).rpartition("0")
    rows = []
    for patient in patients:
        at, modalities, radiopharmaceutical = newest.get(patient.pk, (None, "", ""))
        rows.append(
            {
                "address": f"{stem}{patient.pk}{tail}",
                "name": person_name(patient.name) or patient.identifier,
                "identifier": patient.identifier,
                "day": at.date().isoformat() if at else "",
                "modalities": modalities,
                "radiopharmaceutical": radiopharmaceutical,
                "studies": str(patient.study_count),
            }
        )
    return rows


@page
def patient(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one patient: studies, courses of treatment and results."""
    found = get_object_or_404(Patient, pk=pk)
    cycles = Administration.objects.prefetch_related("studies", "results__signatures")
    courses = found.courses.order_by("-created_at").prefetch_related(Prefetch("administrations", cycles))
    studies = found.studies.order_by("-listed_at", "id").prefetch_related("series")
    acts.saw(who(request), "patient", f"patient {found.pk}")
    return render(request, "workbench/patient.html", {"patient": found, "courses": courses, "studies": studies})


@page
def begin(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose the studies that followed an administration, and begin it."""
    found = get_object_or_404(Patient, pk=pk)
    if request.method == "POST":
        chosen = Study.objects.filter(pk__in=[n for n in request.POST.getlist("studies") if n.isdigit()])
        course = Course.objects.filter(pk=request.POST["course"]).first() if request.POST.get("course") else None
        made = acts.begin_administration(who(request), found, chosen, course)
        return redirect("workbench:check", made.pk)
    acts.saw(who(request), "patient", f"patient {found.pk}")
    studies = found.studies.order_by("listed_at", "id")
    context = {"patient": found, "studies": studies, "courses": found.courses.order_by("-created_at")}
    return render(request, "workbench/begin.html", context)
