"""Check of data: what is missing is asked for in place."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from hevesy.errors import UnknownName
from hevesy.web.site.jobs.models import State
from hevesy.web.workbench import acts, forms
from hevesy.web.workbench.forms import Field, field_of
from hevesy.web.workbench.views.pages import find, page, show, who
from hevesy.workflows.case import read_settings, write_settings

TITLES = {
    "administration": _("Administration"),
    "patient": _("Patient"),
    "images": _("Images"),
    "uncertainty": _("Uncertainty"),
}


@page
def check(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show what was found, and take what is given for it."""
    administration = find(pk)
    if request.method == "POST":
        if "again" in request.POST:
            acts.ask_check(who(request), administration, again=True)
        else:
            acts.change_settings(who(request), administration, _changed(administration.settings, request.POST.dict()))
        return redirect("workbench:check", pk)
    job = acts.ask_check(who(request), administration)
    found = job.result if job.state == State.DONE else None
    settings = administration.settings
    context = {
        "job": job,
        "found": found,
        "asked": [_asked(one, settings) for one in (found or {}).get("findings", ())],
        "groups": [(TITLES[name], [field_of(path, settings) for path in keys]) for name, keys in forms.GROUPS.items()],
        "case_yaml": write_settings(settings),
    }
    return show(request, "check", administration, context)


def _changed(settings: dict[str, Any], given: dict[str, str]) -> dict[str, Any]:
    if "case_yaml" in given:
        return read_settings(given["case_yaml"])
    scans = [uid for uid in given.pop("scans", "").split() if uid]
    given.pop("csrfmiddlewaretoken", None)
    return forms.read_fields(settings, given, scans)


def _asked(finding: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    """Return a finding with the fields that settle it."""
    fields: list[Field] = []
    for path in finding["keys"]:
        try:
            fields.append(field_of(path, settings, finding["series"] if path.startswith("scans[].") else ""))
        except UnknownName:
            continue  # a free name stands in it, such as that of a region: its page asks for it
    return {**finding, "fields": [one for one in fields if not one.path.endswith("[]")]}
