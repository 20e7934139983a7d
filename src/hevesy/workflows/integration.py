"""How much time-integrated activity does each region have? From a table of curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hevesy.core import Curve, Measured, Nuclide
from hevesy.data.effective_half_lives import PublishedHalfLife, tissues
from hevesy.errors import MissingInformation, UnknownRegion
from hevesy.physics.decay import decay_factor
from hevesy.stages.kinetics import (
    Fit,
    KineticPrior,
    PopulationHalfLife,
    bayes_tia,
    bounded_tia,
    check_physical,
    fit_curve,
    one_scan_tia,
    prior_of_cohort,
    still_rising,
)

#: words in a region's name → tissue in the table of published half-lives
_WORDS = {
    "kidney": "kidney",
    "renal": "kidney",
    "liver": "liver",
    "spleen": "spleen",
    "parotid": "parotid gland",
    "tumour": "tumour",
    "tumor": "tumour",
    "lesion": "tumour",
    "metastasis": "tumour",
}
#: share of the administered activity that the regions of a table hold at least
_LEAST_SHARE = 1e-4
WHOLE_BODY = ("whole body", "body", "whole-body", "total body")


@dataclass(frozen=True, slots=True, eq=False)
class Integration:
    """What is asked of the curves.

    Parameters
    ----------
    nuclide : Nuclide
        Whose decay is in the curves.
    model : str
        A model, ``"auto"``, ``"average"`` or ``"bayes"``.
    criterion : str or None
        ``"aic"`` or ``"aicc"``, by which models are compared; None takes the one that the curve allows.
    one_scan : str or None
        The method for curves of one point; None refuses them.
    half_life : PopulationHalfLife or None
        Of every region, where it is stated.
    radiopharmaceutical : str or None
        Whose published half-lives to use for regions named after a tissue.
    cohort : mapping
        Region → patient → curve, of the user's own patients.
    administered : Measured or None
        Administered activity, Bq.
    immediate_uptake : bool
        Whether activity was in every region from administration on; in the whole body it always was.
    """

    nuclide: Nuclide
    model: str = "auto"
    one_scan: str | None = None
    half_life: PopulationHalfLife | None = None
    radiopharmaceutical: str | None = None
    cohort: Mapping[str, Mapping[str, Curve]] = field(default_factory=dict)
    administered: Measured | None = None
    criterion: str | None = None
    immediate_uptake: bool = False


def integrate(curves: Sequence[Curve], asked: Integration) -> tuple[list[Fit], tuple[str, ...]]:
    """Return the time-integrated activity of every curve, and warnings on the curves.

    A curve that still rises at its last scan is bounded where a population half-life is known for it.

    Raises
    ------
    MissingInformation
        If a curve needs a half-life, or a method, that was not given.
    HevesyError
        What the methods refuse.
    """
    warnings: list[str] = []
    fits = []
    for curve in curves:
        closed = curve.name.lower() in WHOLE_BODY
        warnings += check_physical(curve, asked.nuclide.decay_constant, asked.administered, closed)
        fits.append(_one(curve, asked))
    return fits, (*warnings, *_too_little(curves, asked))


def _too_little(curves: Sequence[Curve], asked: Integration) -> tuple[str, ...]:
    """Warn where all regions together never hold a ten-thousandth of what is left of the administered activity."""
    if asked.administered is None or not curves:
        return ()
    shares = [float(np.max(c.activity_Bq / decay_factor(asked.nuclide.decay_constant.value, c.mid_s))) for c in curves]
    share = sum(shares) / asked.administered.value
    if share >= _LEAST_SHARE:
        return ()
    return (f"All regions together hold {share:.2g} of the administered activity: is the table in MBq?",)


def _one(curve: Curve, asked: Integration) -> Fit:
    decay = asked.nuclide.decay_constant
    if asked.model == "bayes":
        return bayes_tia(curve, decay, _prior(curve, asked))
    if len(curve) == 1:
        if asked.one_scan is None:
            raise MissingInformation(
                f"Curve '{curve.name}' has one point.",
                "Name a method with --one-scan, or take --model bayes with a population.",
            )
        return one_scan_tia(curve, decay, asked.one_scan, _population(curve, asked, asked.one_scan != "hanscheid2018"))
    if asked.one_scan is not None:
        raise MissingInformation(
            f"Curve '{curve.name}' has {len(curve)} points and --one-scan was asked for.",
            "Leave --one-scan out, or give the one point to use.",
        )
    if still_rising(curve, decay):
        population = _population(curve, asked, True)
        assert population is not None
        return bounded_tia(curve, decay, population)
    immediate = asked.immediate_uptake or curve.name.lower() in WHOLE_BODY
    return fit_curve(curve, decay, asked.model, asked.criterion, immediate)


def published_tissue(region: str, radiopharmaceutical: str) -> PublishedHalfLife | None:
    """Return the published half-life for a region named after a tissue, such as ``"left kidney"``; None without one."""
    wanted = {tissue for word, tissue in _WORDS.items() if word in region.lower()}
    rows = [row for row in tissues(radiopharmaceutical) if row.tissue in wanted]
    return rows[0] if len(rows) == 1 else None


def _population(curve: Curve, asked: Integration, needed: bool) -> PopulationHalfLife | None:
    if asked.half_life is not None:
        return asked.half_life
    if asked.cohort:
        return _cohort_prior(curve, asked).washout
    if asked.radiopharmaceutical and (row := published_tissue(curve.name, asked.radiopharmaceutical)):
        return PopulationHalfLife.of_row(row)
    if not needed:
        return None
    why = " still rises at its last scan and" if len(curve) > 1 else ""
    raise MissingInformation(
        f"Curve '{curve.name}'{why} needs an effective half-life of its tissue.",
        "Give --half-life-h with --half-life-gsd, or --radiopharmaceutical, or --cohort.",
    )


def _prior(curve: Curve, asked: Integration) -> KineticPrior:
    if asked.cohort:
        return _cohort_prior(curve, asked)
    population = _population(curve, asked, True)
    assert population is not None
    return KineticPrior(population)


def _cohort_prior(curve: Curve, asked: Integration) -> KineticPrior:
    if curve.name not in asked.cohort:
        raise UnknownRegion(
            f"The cohort has no region '{curve.name}'.", f"It has: {', '.join(asked.cohort)}. Name them alike."
        )
    return prior_of_cohort(asked.cohort[curve.name], asked.nuclide.decay_constant, "the user's cohort")
