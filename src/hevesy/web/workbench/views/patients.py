"""Worklist, patient, and the begin of an administration."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from hevesy.web.site.store.models import Administration, Course, Patient, Study
from hevesy.web.workbench import acts
from hevesy.web.workbench.views.pages import page, who

PATIENTS_A_PAGE = 25


@page
def worklist(request: HttpRequest) -> HttpResponse:
    """Show the patients, the newest study first."""
    search = request.GET.get("q", "").strip()[:100]
    studies = Prefetch("studies", Study.objects.order_by("-listed_at", "id"))
    found = Patient.objects.worklist(search).prefetch_related(studies)
    shown = Paginator(found, PATIENTS_A_PAGE).get_page(request.GET.get("page"))
    patients = list(shown)
    acts.saw(who(request), "worklist", "worklist", page=shown.number, search=search)
    return render(request, "workbench/worklist.html", {"patients": patients, "shown": shown, "search": search})


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
    studies = found.studies.order_by("listed_at", "id").prefetch_related("series")
    context = {"patient": found, "studies": studies, "courses": found.courses.order_by("-created_at")}
    return render(request, "workbench/begin.html", context)
