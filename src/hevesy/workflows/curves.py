"""The curves of a case without the dose: measured once from the images, fitted again whenever a choice changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from hevesy.core import Administration, Curve, Measured, Role
from hevesy.errors import HevesyError
from hevesy.stages.kinetics import METHODS, MODELS, Fit, check_physical, compare_models, still_rising
from hevesy.workflows.case import Case
from hevesy.workflows.kinetics import Given, choose_points, curve_of, fit_body, fit_one, said_of
from hevesy.workflows.measurement import Measurement
from hevesy.workflows.motions import keep_motions
from hevesy.workflows.observation import Observation, observe
from hevesy.workflows.region_kinetics import CHOICES, curve_model, describe_method

SCHEMA_NAME = "hevesy/curves/1.0"

_HOUR_S, _MEGA = 3600.0, 1e6


@dataclass(frozen=True, slots=True)
class _Tissue:
    name: str
    role: Role


def measure_curves(
    folder: Path, case: Case, progress: Callable[[str], None] = lambda step: None, fields: Path | None = None
) -> dict[str, Any]:
    """Measure every region in every scan.

    Parameters
    ----------
    folder : Path
        The case's folder.
    case : Case
        What the images do not say.
    progress : callable, optional
        Told each step as it starts.
    fields : Path, optional
        A folder for the fields of displacements of a deformable registration.

    Returns
    -------
    dict
        Plain JSON types: all that `fit_curves` needs, without the images. Times in s, activities in Bq. Its ``motions``
        are those of `hevesy.workflows.motions.keep_motions`.

    Raises
    ------
    HevesyError
        If anything that a measurement depends on is missing, contradictory or impossible.
    """
    site = observe(folder, case, progress)
    course, given = site.course, site.course.administration
    rate = course.nuclide.decay_constant
    return {
        "schema": SCHEMA_NAME,
        "nuclide": course.nuclide.name,
        "decay_constant_per_s": {"value": rate.value, "u": rate.u},
        "radiopharmaceutical": given.radiopharmaceutical,
        "administered_at": given.time.isoformat(),
        "administered_activity_MBq": given.activity.value / _MEGA if given.activity else None,
        "scans": [
            {"label": s.label, "series_uid": s.series.uid, "t_h": s.mid_s / _HOUR_S, "duration_s": s.duration_s}
            for s in course.scans
        ],
        "reference": site.series.reference + 1,
        "motions": keep_motions(site.series.motions, fields),
        "grid_shape": list(site.series.body.grid.shape),
        "regions": [_region(one, site) for one in site.measured],
        "planar": {name: _points(curve) for name, curve in site.shapes.curves.items()},
        "notes": [*course.notes, *site.shapes.notes],
    }


def _region(one: Measurement, site: Observation) -> dict[str, Any]:
    return {
        "name": one.region.name,
        "role": one.region.role.value,
        "volume_mL": one.volume.value,
        "volume_u_mL": one.volume.u,
        "u_shared_relative": one.scale.u_relative,
        "points": _points(curve_of(one, site.course.scans)),
        "notes": list(one.notes),
    }


def _points(curve: Curve) -> dict[str, Any]:
    columns = ("starts_s", "ends_s", "activity_Bq", "u_Bq")
    return {**{name: getattr(curve, name).tolist() for name in columns}, "u_known": curve.u_known}


def _curve(name: str, points: Mapping[str, Any]) -> Curve:
    starts, ends, activity, u = (np.array(points[key]) for key in ("starts_s", "ends_s", "activity_Bq", "u_Bq"))
    return Curve(starts, ends, activity, u, name, bool(points["u_known"]))


def fit_curves(measured: Mapping[str, Any], case: Case) -> dict[str, Any]:
    """Fit what was measured, as `hevesy dose` does, and set every model that the points allow beside.

    Parameters
    ----------
    measured : mapping
        From `measure_curves`.
    case : Case
        For each region which model, by which criterion, and which points are left out.

    Returns
    -------
    dict
        Plain JSON types; for each region, the whole body last, its points, fit and models. A region that cannot be
        fitted has its refusal instead of a fit. Units stand in the names.
    """
    rate = Measured(**measured["decay_constant_per_s"], unit="1/s", label="half-life")
    instant = datetime.fromisoformat(measured["administered_at"])
    activity_MBq = measured["administered_activity_MBq"]
    activity = Measured(activity_MBq * _MEGA, unit="Bq") if activity_MBq else None
    administration = Administration(measured["nuclide"], instant, activity, measured["radiopharmaceutical"])
    given = Given(administration, rate)
    regions = [_fitted(one, measured, given, case) for one in measured["regions"]]
    facts = ("nuclide", "radiopharmaceutical", "administered_at", "administered_activity_MBq", "scans", "notes")
    return {"schema": SCHEMA_NAME, **{key: measured[key] for key in facts}, "regions": regions}


def _fitted(one: Mapping[str, Any], measured: Mapping[str, Any], given: Given, case: Case) -> dict[str, Any]:
    name, planar = one["name"], measured["planar"].get(one["name"])
    curve, tissue = _curve(name, one["points"]), _Tissue(name, Role(one["role"]))
    body = one is measured["regions"][-1]
    said = said_of(tissue, case)
    found: dict[str, Any] = {
        **{key: one[key] for key in ("name", "role", "volume_mL", "volume_u_mL", "notes")},
        "u_shared_percent": 100 * one["u_shared_relative"],
        "body": body,
        "choice": said.get("model", "auto"),
        "criterion": said.get("criterion", "aic"),
        "fit": None,
        "refusal": None,
        "models": [],
        "choices": [],
        "structure": structure_of(name, case),
    }
    try:
        kept, left_out = choose_points(curve, said)
        found["points"] = _shown(curve, left_out)
        found["choices"] = choices_of_model(len(kept), len(kept) > 1 and still_rising(kept, given.rate))
        closed = body and case.get("body_in_view") != "part"
        doubts = check_physical(kept, given.rate, given.administration.activity, closed_system=closed)
        shape = _curve(name, planar) if planar else None
        alone = body and shape is None
        fit = fit_body(kept, given.rate) if alone else fit_one(kept, tissue, given, case, shape)
        found["fit"] = _described(fit, shape or kept, doubts)
        found["models"] = _models(shape or kept, given.rate)
    except HevesyError as refusal:
        found["refusal"] = str(refusal)
        found.setdefault("points", _shown(curve, {}))
    return found


def _shown(curve: Curve, left_out: Mapping[int, str]) -> list[dict[str, Any]]:
    columns = zip(curve.mid_s, curve.activity_Bq, curve.u_Bq, strict=True)
    return [
        {
            "scan": n + 1,
            "t_h": float(t) / _HOUR_S,
            "activity_MBq": float(a) / _MEGA,
            "u_MBq": float(u) / _MEGA,
            "left_out": left_out.get(n),
        }
        for n, (t, a, u) in enumerate(columns)
    ]


def _described(fit: Fit, curve: Curve, doubts: Sequence[str]) -> dict[str, Any]:
    drawn = curve_model(fit, curve.mid_s.tolist())
    half_life = fit.effective_half_life
    return {
        "model": fit.model,
        "description": describe_method(fit),
        "tia_MBq_h": fit.tia.value / _MEGA / _HOUR_S,
        "u_MBq_h": fit.tia.u / _MEGA / _HOUR_S,
        "interval95_MBq_h": [edge / _MEGA / _HOUR_S for edge in fit.interval95],
        "effective_half_life_h": half_life.value / _HOUR_S if half_life else None,
        "effective_half_life_u_h": half_life.u / _HOUR_S if half_life else None,
        "tail_percent": 100 * fit.tail_fraction,
        "notes": [*drawn.notes, *doubts],
        "measured_until_h": (drawn.measured_until_s or 0.0) / _HOUR_S,
        "curve": {
            "t_h": (drawn.times_s / _HOUR_S).tolist(),
            "activity_MBq": (drawn.activity_Bq / _MEGA).tolist(),
            "lower95_MBq": (drawn.lower_Bq / _MEGA).tolist(),
            "upper95_MBq": (drawn.upper_Bq / _MEGA).tolist(),
        },
    }


def _models(curve: Curve, rate: Measured) -> list[dict[str, Any]]:
    return [
        {
            "model": one.model,
            "description": one.description,
            "parameters": one.parameters,
            "chi2": one.chi2,
            "aic": one.aic,
            "aicc": one.aicc,
            "tia_MBq_h": one.tia_Bq_s / _MEGA / _HOUR_S,
            "automatic": one.automatic,
        }
        for one in compare_models(curve, rate)
    ]


def structure_of(name: str, case: Case) -> str:
    """Return what the structure of a region is called in its RTSTRUCT or SEG: its key in case.yaml."""
    renamed = (key for key, said in case.get("regions", {}).items() if said.get("name", key) == name)
    return next(renamed, name)


def choices_of_model(points: int, rising: bool) -> list[str]:
    """Return what `model:` of a region may be for a curve of so many points."""
    if points == 1:
        return ["auto", "bayes", *METHODS]
    if rising:
        return ["auto", "bayes"]
    return [*CHOICES, *(name for name, model in MODELS.items() if model.parameters <= points)]
