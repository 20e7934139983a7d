"""Curves: points, fits and models of every region, and what a person chooses of them."""

from __future__ import annotations

import copy
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from hevesy.errors import BadInput
from hevesy.web.site.jobs.models import State
from hevesy.web.site.jobs.queue import wait_a_moment
from hevesy.web.workbench import acts, tasks
from hevesy.web.workbench.views.pages import find, page, show, who

#: how long a choice waits for its fit, so that the page that follows shows it
PATIENCE_S = 1.5


@page
def curves(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show the curves, and take a choice for one of them."""
    administration = find(pk)
    if request.method == "POST":
        if "again" in request.POST:
            acts.ask_fits(who(request), administration, again=True)
        else:
            settings = chosen(administration.settings, request.POST.dict())
            acts.change_settings(who(request), administration, settings)
            fits = acts.ask_fits(who(request), administration)
            if fits.kind == tasks.FIT:
                wait_a_moment(fits, PATIENCE_S)
        return redirect("workbench:curves", pk)
    job = acts.ask_fits(who(request), administration)
    fitted = job.kind == tasks.FIT and job.state == State.DONE
    return show(request, "curves", administration, {"job": job, "found": job.result if fitted else None})


def chosen(settings: dict[str, Any], given: dict[str, str]) -> dict[str, Any]:
    """Return settings with a choice for one region: its model, its criterion, or a point left out or taken back.

    Raises
    ------
    BadInput
        If the choice names no region, or leaves a point out without a reason.
    """
    region, act = given.get("region", ""), given.get("act", "")
    if not region:
        raise BadInput("No region was named.", "Choose one.")
    changed = copy.deepcopy(settings)
    said = changed.setdefault("regions", {}).setdefault(region, {})
    if act == "model":
        said["model"], said["criterion"] = given.get("model", "auto"), given.get("criterion", "aic")
    elif act in ("leave_out", "take_back"):
        _move_point(said, act, given)
    else:
        raise BadInput(f"'{act[:40]}' is nothing that can be done to a curve.", "Choose a model or a point.")
    return changed


def _move_point(said: dict[str, Any], act: str, given: dict[str, str]) -> None:
    if not given.get("scan", "").isdigit():
        raise BadInput("No point was named.", "Choose one.")
    scan, reason = int(given["scan"]), given.get("reason", "").strip()
    kept = [one for one in said.get("leave_out", ()) if one["scan"] != scan]
    if act == "leave_out":
        if not reason:
            raise BadInput("A point is left out for a reason.", "Say why; the report shows it.")
        kept.append({"scan": scan, "reason": reason})
    said["leave_out"] = sorted(kept, key=lambda one: one["scan"])
    if not kept:
        del said["leave_out"]
