"""Which method turns a region's curve into time-integrated activity: what case.yaml says, and what its scans allow."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from hevesy.core import Administration, Curve, Measured, Role
from hevesy.errors import BadConfiguration, UnknownName
from hevesy.stages.kinetics import (
    METHODS,
    MODELS,
    Fit,
    KineticPrior,
    PopulationHalfLife,
    bayes_tia,
    bounded_tia,
    fit_curve,
    one_scan_tia,
    still_rising,
)
from hevesy.stages.reporting.results import CurveModel

#: what `model` may be, besides a model or a one-scan method
CHOICES = ("auto", "average", "bayes")
#: spread over patients of a half-life that case.yaml gives without one
_ASSUMED_GSD = 1.35


class Tissue(Protocol):
    """What a published half-life is found by: a region's name and role."""

    @property
    def name(self) -> str:
        """The region's name."""

    @property
    def role(self) -> Role:
        """What the region is for."""


def fit_region(
    curve: Curve, region: Tissue, decay_constant: Measured, administration: Administration, said: Mapping[str, Any]
) -> Fit:
    """Return a region's fit.

    With ``model`` a one-scan method or ``bayes``, that; otherwise a fit, and bounds where there is one scan or
    activity has not begun to fall.

    Parameters
    ----------
    curve : Curve
        The region's activity.
    region : Tissue
        For its name and role, by which a published half-life is found.
    decay_constant : Measured
        Physical, 1/s.
    administration : Administration
        For the radiopharmaceutical.
    said : mapping
        What case.yaml says of the region.

    Raises
    ------
    BadConfiguration
        If the model does not exist, or does not fit the number of scans.
    """
    model = str(said.get("model", "auto"))
    if model in METHODS:
        if len(curve) > 1:
            raise BadConfiguration(
                f"case.yaml: regions: {region.name}: model: '{model}' is for one scan; there are {len(curve)}.",
                "Name the scan to use under scans:, or take a fit.",
            )
        return one_scan_tia(curve, decay_constant, model, population(region, administration, said))
    if model == "bayes":
        return bayes_tia(curve, decay_constant, KineticPrior(population(region, administration, said)))
    if model not in MODELS and model not in CHOICES:
        raise BadConfiguration(
            f"case.yaml: regions: {region.name}: model: there is no '{model}'.",
            f"Choose from: {', '.join((*CHOICES, *MODELS, *METHODS))}.",
        )
    if len(curve) == 1 or still_rising(curve, decay_constant):
        return bounded_tia(curve, decay_constant, population(region, administration, said))
    return fit_curve(curve, decay_constant, model, said.get("criterion"), bool(said.get("immediate_uptake", False)))


def describe_method(fit: Fit) -> str:
    """Return what was done, in a few words for a table."""
    if fit.model in MODELS:
        return MODELS[fit.model].description
    if fit.model in METHODS:
        return METHODS[fit.model]
    return {
        "bounded": "bounds, as no washout was seen",
        "average": "several models, averaged by their weight",
        "bayes": "hierarchical Bayes with a population",
    }.get(fit.model, fit.model)


def curve_model(fit: Fit, times_s: Sequence[float]) -> CurveModel:
    """Return a fit as it is shown, with its scans at the given times (s)."""
    half_life = fit.effective_half_life.value if fit.effective_half_life else times_s[-1]
    measured_s = float(fit.shape_points.mid_s[-1]) if fit.shape_points is not None else times_s[-1]
    last = max(measured_s * 1.5, measured_s + 3 * half_life)
    times = np.unique(np.concatenate([np.linspace(0.0, last, 240), times_s]))
    low, high = fit.band(times)
    notes = [fit.method, *fit.warnings]
    if fit.best_next_scan_s is not None:
        notes.append(f"A scan {fit.best_next_scan_s / 3600:.0f} h after administration would narrow this most.")
    return CurveModel(
        model=fit.model,
        description=describe_method(fit),
        parameters=dict(fit.parameters),
        effective_half_life=fit.effective_half_life,
        tail_fraction=fit.tail_fraction,
        times_s=times,
        activity_Bq=fit.activity(times),
        lower_Bq=low,
        upper_Bq=high,
        notes=tuple(notes),
        measured_until_s=measured_s,
        shape_points=fit.shape_points,
    )


def widened(interval: tuple[float, float], value: float, u_relative: float) -> tuple[float, float]:
    """Widen a 95% interval by a log-normal factor of the given relative standard uncertainty."""
    spread = 1.96 * math.sqrt(math.log1p(u_relative**2))
    low, high = (max(edge, 1e-9 * value) for edge in interval)
    return (
        value * math.exp(-math.hypot(math.log(value / low), spread)),
        value * math.exp(math.hypot(math.log(high / value), spread)),
    )


def population(region: Tissue, administration: Administration, said: Mapping[str, Any]) -> PopulationHalfLife:
    """Return the population half-life of a region: that of case.yaml, or the published one of its tissue.

    Raises
    ------
    UnknownName
        If there is neither.
    """
    hours = said.get("population_effective_half_life_h")
    if hours is not None:
        spread = said.get("population_geometric_sd")
        note = "" if spread else f"; geometric standard deviation {_ASSUMED_GSD} assumed"
        return PopulationHalfLife(hours * 3600.0, float(spread or _ASSUMED_GSD), f"given in case.yaml{note}")
    tissue = "tumour" if region.role.value == "lesion" else region.name.lower()
    try:
        return PopulationHalfLife.published(administration.radiopharmaceutical, tissue)
    except UnknownName as unknown:
        raise type(unknown)(
            f"The washout of region '{region.name}' cannot be fitted and no population half-life is on file for"
            f" '{administration.radiopharmaceutical or 'an unnamed drug'}' in {tissue}.",
            "Give regions: population_effective_half_life_h: (and administration: radiopharmaceutical:) in case.yaml.",
        ) from None
