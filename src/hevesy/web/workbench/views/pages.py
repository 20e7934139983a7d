"""What all pages of the workbench have in common: who may open them, what is recorded, and how refusals are shown."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render

from hevesy.errors import HevesyError, http_status
from hevesy.web.site.access import CLINICAL, allow
from hevesy.web.site.accounts.models import Person
from hevesy.web.site.store.models import Administration
from hevesy.web.workbench.acts import saw
from hevesy.web.workbench.way import Way

View = Callable[..., HttpResponseBase]


def page(view: View) -> View:
    """Open a view to those who work on patients; a refusal is shown as the engine words it.

    After a form that was refused, the page that it stands on is shown again with the refusal above it.
    """

    @functools.wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except HevesyError as refusal:
            if request.method == "POST":
                messages.error(request, str(refusal), extra_tags="english")
                return HttpResponseRedirect(request.path)
            context = {"refusal": refusal}
            return render(request, "workbench/refusal.html", context, status=http_status(refusal))

    return allow(*CLINICAL)(answer)


def who(request: HttpRequest) -> Person:
    """Return who asks; `allow` has let nobody through who has not signed in."""
    assert isinstance(request.user, Person)
    return request.user


def find(pk: UUID) -> Administration:
    """Return an administration with its course and patient, or answer that there is none."""
    return get_object_or_404(Administration.objects.select_related("course__patient"), pk=pk)


def show(
    request: HttpRequest, name: str, administration: Administration, context: Mapping[str, Any], way: Way | None = None
) -> HttpResponse:
    """Show one page of the way, and enter that it was seen."""
    saw(who(request), name, f"administration {administration.pk}")
    course = administration.course
    way = way or Way(administration)
    common = {
        "administration": administration,
        "course": course,
        "patient": course.patient,
        "steps": way.steps(),
        "current": name,
        "way": way,
    }
    return render(request, f"workbench/{name}.html", {**common, **context})
