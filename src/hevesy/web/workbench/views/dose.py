"""Engine and dose: what computes, how far it is, and what came of it."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from hevesy.stages.dosimetry.engines import HISTORIES
from hevesy.web.site.jobs.models import State
from hevesy.web.site.store.models import Result
from hevesy.web.workbench import acts
from hevesy.web.workbench.drawing import first_images, manifest_url
from hevesy.web.workbench.forms import field_of, with_value
from hevesy.web.workbench.views.pages import find, page, show, who
from hevesy.web.workbench.way import Way
from hevesy.workflows.engine_choice import ENGINE_FACTS

_SAMPLING = ("monte_carlo.histories", "monte_carlo.uncertainty_percent", "monte_carlo.seed")


@page
def engine(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Choose the engine, and ask for the dose."""
    administration = find(pk)
    if request.method == "POST":
        settings = _chosen(administration.settings, request)
        acts.change_settings(who(request), administration, settings)
        acts.ask_dose(who(request), administration)
        return redirect("workbench:dose", pk)
    settings = administration.settings
    way = Way(administration)
    shape = ((way.measurement and way.measurement.result) or {}).get("grid_shape")
    context = {
        "engines": [(one, one.estimated(shape, _histories(settings)) if shape else None) for one in ENGINE_FACTS],
        "shape": shape,
        "chosen": settings.get("engine", "local"),
        "compare": settings.get("compare", []),
        "sampling": [field_of(path, settings) for path in _SAMPLING],
    }
    return show(request, "engine", administration, context, way)


def _histories(settings: dict[str, Any]) -> int:
    return int(settings.get("monte_carlo", {}).get("histories") or HISTORIES)


def _chosen(settings: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    changed = {**settings, "engine": request.POST.get("engine", "local")}
    changed["compare"] = [name for name in request.POST.getlist("compare") if name != changed["engine"]]
    if not changed["compare"]:
        del changed["compare"]
    for path in _SAMPLING:
        changed = with_value(changed, path, field_of(path, changed).read(request.POST.get(path, "")))
    return changed


@page
def dose(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show the dose, or how far its computation is."""
    administration = find(pk)
    way = Way(administration)
    shown = _shown(request, way)
    record = read_record(shown) if shown else None
    images = acts.ask_images(who(request), administration) if shown else None
    dose_image = acts.ask_dose_image(who(request), shown) if shown else None
    ready = dose_image is not None and dose_image.state == State.DONE
    context = {
        "manifest": manifest_url(administration, images, shown) if ready else "",
        "first_images": first_images(administration, images) if ready else (),
        "job": way.dose,
        "result": shown,
        "record": record,
        "stale": shown is not way.result,
        "images": images,
        "dose_image": dose_image,
    }
    return show(request, "dose", administration, context, way)


def _shown(request: HttpRequest, way: Way) -> Result | None:
    """Return the result that was asked for, or that of the data as they are, or the last one."""
    asked = request.GET.get("result")
    if asked:
        return next((one for one in way.results if str(one.pk) == asked), None)
    if way.result is None and way.dose is not None and way.dose.is_open:
        return None
    return way.result or next(iter(way.results), None)


def read_record(result: Result) -> dict[str, Any]:
    """Return the results.json of a result."""
    found: dict[str, Any] = json.loads(acts.file_of(result, "results.json").read_text(encoding="utf-8"))
    return found
