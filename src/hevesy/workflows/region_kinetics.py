"""Which method turns a region's curve into time-integrated activity: what case.yaml says, and what its scans allow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hevesy.core import Administration, Curve, Measured, Region
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

#: what `model` may be, besides a model or a one-scan method
CHOICES = ("auto", "average", "bayes")
#: spread over patients of a half-life that case.yaml gives without one
_ASSUMED_GSD = 1.35


def fit_region(
    curve: Curve, region: Region, decay_constant: Measured, administration: Administration, said: Mapping[str, Any]
) -> Fit:
    """Return a region's fit.

    With ``model`` a one-scan method or ``bayes``, that; otherwise a fit, and bounds where there is one scan or
    activity has not begun to fall.

    Parameters
    ----------
    curve : Curve
        The region's activity.
    region : Region
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
    return fit_curve(curve, decay_constant, model)


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


def population(region: Region, administration: Administration, said: Mapping[str, Any]) -> PopulationHalfLife:
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
