"""A population from a department's own patients."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping, Sequence

import numpy as np

from hevesy.core import Curve, Measured
from hevesy.errors import BadInput, HevesyError
from hevesy.stages.kinetics.bayes import KineticPrior
from hevesy.stages.kinetics.criterion import criterion_named
from hevesy.stages.kinetics.exponentials import fit_curve
from hevesy.stages.kinetics.fit import Fit
from hevesy.stages.kinetics.models import MODELS
from hevesy.stages.kinetics.population import PopulationHalfLife

#: fewer patients say too little of a spread
LEAST_PATIENTS = 4


def fit_population(values: Sequence[Measured], source: str) -> PopulationHalfLife:
    """Fit a log-normal distribution to the half-lives of patients.

    The spread between patients is what the values scatter beyond their own uncertainties (DerSimonian & Laird 1986,
    Control Clin Trials 7:177), widened for the number of patients to that of a new one.

    Parameters
    ----------
    values : sequence of Measured
        Effective half-lives, s, one a patient.
    source : str
        For the report.

    Raises
    ------
    BadInput
        If there are fewer than 4.
    """
    if len(values) < LEAST_PATIENTS:
        raise BadInput(f"{len(values)} patients cannot say how half-lives spread.", f"Give {LEAST_PATIENTS} or more.")
    logs = np.array([math.log(v.value) for v in values])
    variances = np.maximum(np.array([v.u_relative for v in values]) ** 2, 1e-8)
    w = 1.0 / variances
    excess = float(w @ (logs - w @ logs / w.sum()) ** 2) - (len(values) - 1)
    between = max(excess / (w.sum() - (w**2).sum() / w.sum()), 0.0)
    w = 1.0 / (variances + between)
    centre, u2 = float(w @ logs / w.sum()), 1.0 / float(w.sum())
    return PopulationHalfLife(math.exp(centre), math.exp(math.sqrt(between + u2)), source)


def _washout(curve: Curve, decay_constant: Measured | float) -> Fit | None:
    """Fit one washout, with uptake where that is the better by Akaike's criterion; None where neither can be."""
    aic = criterion_named("aic", u_known=True)
    fits = []
    for model in ("mono", "uptake"):
        with contextlib.suppress(HevesyError):
            fit = fit_curve(curve, decay_constant, model, immediate=True)
            fits.append((aic.of(fit.chi2, MODELS[model].parameters, len(curve)), fit))
    return min(fits, key=lambda scored: scored[0], default=(0.0, None))[1]


def prior_of_cohort(curves: Mapping[str, Curve], decay_constant: Measured | float, source: str) -> KineticPrior:
    """Fit a tissue's prior to the curves of a cohort, patient by patient.

    Parameters
    ----------
    curves : mapping of str to Curve
        Patient → curve of two or more points.
    decay_constant : Measured or float
        Physical, 1/s.
    source : str
        For the report.

    Raises
    ------
    BadInput
        If fewer than 4 curves show a washout.
    MissingInformation
        If the uncertainties of a curve's points are not known.
    """
    half_lives, sizes = [], []
    for curve in curves.values():
        curve.require_u()
        fit = _washout(curve, decay_constant)
        if fit is None or fit.effective_half_life is None:
            continue
        half_life = fit.effective_half_life
        # held at physical decay, a half-life has no uncertainty of its own: take the curve's
        u = max(half_life.u, half_life.value * fit.tia.u_relative)
        half_lives.append(Measured(half_life.value, u, "s"))
        sizes.append(math.log(fit.tia.value * math.log(2) / half_life.value))
    washout = fit_population(half_lives, f"{source}, {len(half_lives)} of {len(curves)} patients")
    spread = float(np.std(sizes, ddof=1)) * math.sqrt(1 + 1 / len(sizes))
    return KineticPrior(washout, None, math.exp(float(np.mean(sizes))), math.exp(max(spread, 0.02)))
