"""Simulated patients, whose time-integrated activity is known, and how well a protocol finds it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hevesy.core import Curve
from hevesy.data.effective_half_lives import PublishedHalfLife
from hevesy.errors import BadInput, HevesyError, UnknownName
from hevesy.stages.kinetics.bayes import KineticPrior, posterior
from hevesy.stages.kinetics.exponentials import fit_curve
from hevesy.stages.kinetics.one_scan import TOLERANCE
from hevesy.stages.kinetics.population import PopulationHalfLife

Array = NDArray[np.float64]
_LN2 = math.log(2)


@dataclass(frozen=True, slots=True, eq=False)
class Patients:
    """The true kinetics of one tissue in many simulated patients.

    Parameters
    ----------
    tissue : str
        Its name.
    prior : KineticPrior
        What they were drawn from.
    activity_Bq, washout, uptake : (n,) arrays
        A(t) = activity·(exp(-washout·t) - exp(-uptake·t)).
    """

    tissue: str
    prior: KineticPrior
    activity_Bq: Array
    washout: Array
    uptake: Array

    @property
    def tia(self) -> Array:
        """True time-integrated activity, Bq·s."""
        return self.activity_Bq * (1 / self.washout - 1 / self.uptake)

    def activity(self, times_s: ArrayLike) -> Array:
        """Return the true activity (n, times), Bq."""
        t = np.asarray(times_s, np.float64)
        decays = np.exp(-np.outer(self.washout, t)) - np.exp(-np.outer(self.uptake, t))
        return np.asarray(self.activity_Bq[:, None] * decays)


def simulate(row: PublishedHalfLife, decay_constant: float, n: int, seed: int) -> Patients:
    """Draw the kinetics of n patients: log-normal half-lives, none beyond the physical one.

    Parameters
    ----------
    row : PublishedHalfLife
        Medians and spreads of the tissue.
    decay_constant : float
        Physical, 1/s.
    n, seed : int
        How many, and the seed of the random numbers.
    """
    random = np.random.default_rng(seed)
    washout = PopulationHalfLife.of_row(row)
    uptake = PopulationHalfLife(row.uptake_half_life_h * 3600.0, row.uptake_geometric_sd, "assumed")
    half_lives = np.minimum(washout.median_s * washout.geometric_sd ** random.standard_normal(n), _LN2 / decay_constant)
    rising = uptake.median_s * uptake.geometric_sd ** random.standard_normal(n)
    activity = 1e8 * row.activity_geometric_sd ** random.standard_normal(n)
    slow = _LN2 / half_lives
    prior = KineticPrior(washout, uptake, 1e8, row.activity_geometric_sd)
    return Patients(row.tissue, prior, activity, slow, np.maximum(_LN2 / rising + decay_constant, 2 * slow))


@dataclass(frozen=True, slots=True)
class Score:
    """How well a protocol finds the truth in one tissue.

    Parameters
    ----------
    tissue, method : str
        What was estimated, and how.
    times_h : tuple of float
        Scan times after administration, h.
    bias, spread : float
        Mean and standard deviation of estimate/truth - 1.
    beyond : float
        Share of patients whose error is beyond 10%.
    refused : float
        Share of patients for whom the method gave no number; they are in none of the others.
    """

    tissue: str
    method: str
    times_h: tuple[float, ...]
    bias: float
    spread: float
    beyond: float
    refused: float


Estimator = Callable[[Curve, float, KineticPrior], float]


def _hanscheid(curve: Curve, decay: float, prior: KineticPrior) -> float:
    return float(curve.activity_Bq[-1] * 2 * curve.mid_s[-1] / _LN2)


def _assumed(curve: Curve, decay: float, prior: KineticPrior) -> float:
    half_life = min(prior.washout.median_s, _LN2 / decay)
    return float(curve.activity_Bq[-1] * 2.0 ** (curve.mid_s[-1] / half_life) * half_life / _LN2)


def _bayes(curve: Curve, decay: float, prior: KineticPrior) -> float:
    return float(posterior(curve, decay, prior, 31).quantile(0.5))


def _fitted(model: str) -> Estimator:
    return lambda curve, decay, prior: fit_curve(curve, decay, model).tia.value


#: what a protocol may be scored with; those of one scan use the last
ESTIMATORS: dict[str, Estimator] = {
    "hanscheid2018": _hanscheid,
    "madsen2018": _assumed,
    "bayes": _bayes,
    **{name: _fitted(name) for name in ("auto", "mono", "bi", "uptake")},
}


def methods_for(scans: int) -> tuple[str, ...]:
    """Return what is scored where no method is asked for."""
    return ("hanscheid2018", "madsen2018", "bayes") if scans == 1 else ("mono", "auto", "bayes")


def score(
    patients: Patients, times_h: Sequence[float], method: str, decay_constant: float, noise: tuple[float, int]
) -> Score:
    """Scan every patient at given times with noise, estimate, and compare with the truth.

    Parameters
    ----------
    patients : Patients
        Whom.
    times_h : sequence of float
        Scan times, h after administration, rising.
    method : str
        A key of `ESTIMATORS`.
    decay_constant : float
        Physical, 1/s.
    noise : tuple
        Relative standard deviation of each scan's activity, and the seed of the random numbers.

    Raises
    ------
    UnknownName
        If there is no such method.
    BadInput
        If the times are not positive and rising.
    """
    if method not in ESTIMATORS:
        raise UnknownName(f"There is no method '{method}' to score.", f"Choose from: {', '.join(ESTIMATORS)}.")
    times = np.array(times_h, np.float64) * 3600.0
    if not times.size or (times <= 0).any() or (np.diff(times) <= 0).any():
        raise BadInput(f"Scan times {list(times_h)} h must be positive and rising.")
    relative, seed = noise
    exact = patients.activity(times)
    seen = exact * (1 + relative * np.random.default_rng(seed).standard_normal(exact.shape))
    estimate = np.full(len(exact), np.nan)
    for i, values in enumerate(np.maximum(seen, 1e-3 * exact)):
        try:
            curve = Curve.at_instants(times, values, max(relative, 1e-3) * values, patients.tissue)
            estimate[i] = ESTIMATORS[method](curve, decay_constant, patients.prior)
        except HevesyError:
            continue
    error = estimate / patients.tia - 1
    given = error[np.isfinite(error)]
    if not given.size:
        raise BadInput(f"'{method}' gives no number for scans at {list(times_h)} h.", "Score another method.")
    return Score(
        patients.tissue,
        method,
        tuple(float(t) for t in times_h),
        float(given.mean()),
        float(given.std()),
        float(np.mean(np.abs(given) > TOLERANCE)),
        1 - given.size / error.size,
    )
