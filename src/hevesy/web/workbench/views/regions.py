"""Regions: what was drawn, and what is said of each region."""

from __future__ import annotations

import shutil
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect

from hevesy.web.site.jobs.models import State
from hevesy.web.site.store.models import Administration
from hevesy.web.workbench import acts, finding
from hevesy.web.workbench.case_folder import regions_of
from hevesy.web.workbench.drawing import first_images, manifest_url
from hevesy.web.workbench.forms import Field, field_of
from hevesy.web.workbench.models import RegionSet
from hevesy.web.workbench.views.pages import find, page, show, who
from hevesy.web.workbench.way import Way
from hevesy.workflows.organ_request import PROGRAM, Asked

#: what may be said of a region on its page
_KEYS = (
    "confirmed",
    "role",
    "name",
    "recovery",
    "recovery_u_percent",
    "density_g_mL",
    "population_effective_half_life_h",
    "propagate",
    "skip",
)


@page
def regions(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show the regions, and take what is said of one."""
    administration = find(pk)
    if request.method == "POST":
        if "again" in request.POST:
            acts.ask_check(who(request), administration, again=True)
            acts.ask_images(who(request), administration, again=True)
        elif "find" in request.POST:
            shown = acts.ask_images(who(request), administration)
            finding.ask_organs(who(request), administration, shown, Asked(by=request.POST["find"]))
        elif "take_back" in request.POST:
            finding.take_back(who(request), administration)
        else:
            acts.change_settings(who(request), administration, said(administration.settings, request.POST))
        return redirect("workbench:regions", pk)
    way = Way(administration)
    job = way.check if "later" in request.GET else acts.ask_check(who(request), administration)
    facts = (job.result or {}).get("facts", {}) if job and job.state == State.DONE else {}
    drawn = regions_of(administration)
    images = acts.ask_images(who(request), administration) if facts or drawn else None
    context = {
        "job": job,
        "listed": listed(administration, drawn, facts),
        "images": images,
        "manifest": manifest_url(administration, images),
        "first_images": first_images(administration, images),
        "search": finding.last_search(administration),
        "can_take_back": finding.can_take_back(administration),
        "total_segmentator": shutil.which(PROGRAM) is not None,
    }
    return show(request, "regions", administration, context, way)


def listed(administration: Administration, drawn: RegionSet | None, facts: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the regions with what is said of each: those drawn here, at once, and those that the check found."""
    given = administration.settings.get("regions", {})
    here = drawn.regions if drawn else ()
    filled = {one["name"] for one in here if one["sha256"]}
    empty = {one["name"] for one in here} - filled
    unconfirmed = finding.found_names(administration) - {name for name, said in given.items() if said.get("confirmed")}
    return [
        {
            "name": name,
            "mark": name.encode().hex(),  # an identifier that htmx can look for: a name may hold anything
            "fields": fields_of(given.get(name, {})),
            "unconfirmed": name in unconfirmed,
            "empty": name in empty,
        }
        for name in dict.fromkeys([*(one["name"] for one in here), *facts.get("regions", ()), *given])
    ]


def fields_of(said: dict[str, Any]) -> list[Field]:
    """Return what may be said of one region, with what is."""
    return [field_of(f"regions.NAME.{key}", {"regions": {"NAME": said}}) for key in _KEYS]


def said(settings: dict[str, Any], given: QueryDict) -> dict[str, Any]:
    """Return settings with what a form says of one region; what the form does not ask for stays.

    Raises
    ------
    BadConfiguration
        If a value is none of its kind.
    """
    name = given.get("region", "")
    changed = dict(settings.get("regions", {}).get(name, {}))
    for field in fields_of(changed):
        value = field.read(given.get(field.path, ""))
        key = field.path.rpartition(".")[2]
        changed.pop(key, None)
        if value is not None:
            changed[key] = value
    others = {key: one for key, one in settings.get("regions", {}).items() if key != name}
    regions = {**others, name: changed} if changed else others
    kept = {key: value for key, value in settings.items() if key != "regions"}
    return {**kept, "regions": regions} if regions else kept
