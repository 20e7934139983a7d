"""Time-integrated activity from one scan, for a tissue that washes out with one effective half-life.

Every method here multiplies the activity A(t) of the one scan by a time; they differ in where the time comes from. With
x = t/T for the true effective half-life T, the truth is A(t)·2^x·T/ln 2.

References
----------
.. [1] Hänscheid et al. 2018, J Nucl Med 59:75-81, doi 10.2967/jnumed.117.193706.
.. [2] Madsen et al. 2018, Med Phys 45:2318-2324, doi 10.1002/mp.12886.
.. [3] Hänscheid et al. 2017, Nuklearmedizin 56, doi 10.3413/nukmed-0925-17-08.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hevesy.core import Curve, Measured
from hevesy.errors import BadInput, OutsideValidity, UnknownName
from hevesy.stages.kinetics.bayes import weighted_quantiles
from hevesy.stages.kinetics.fit import Exponentials, Fit
from hevesy.stages.kinetics.physical import decay_rate
from hevesy.stages.kinetics.population import PopulationHalfLife

Array = NDArray[np.float64]
_LN2 = math.log(2)

#: t/T between which A(t)·2t/ln 2 is within 10% of the truth: the roots of 2x·2⁻ˣ = 0.9
HANSCHEID_2018_VALID = (0.764, 2.437)
#: error of the time-integrated activity that counts as beyond tolerance
TOLERANCE = 0.10
#: share of a population beyond tolerance past which an estimate warns
_WARNED_SHARE = 0.10

METHODS = {
    "hanscheid2018": "one scan, Ã = A(t)·2t/ln 2 (Hänscheid et al. 2018)",
    "madsen2018": "one scan, Ã = A(t)·exp(kt)/k with the population's k (Madsen et al. 2018)",
    "hanscheid2017": "one scan, Ã = A(t)·2^(t/T)·T/ln 2 with the organ's T (Hänscheid et al. 2017)",
    "fixed-half-life": "one scan, Ã = A(t)·2^(t/T)·T/ln 2 with a stated half-life T",
    "previous-cycle": "one scan, Ã = A(t)·2^(t/T)·T/ln 2 with T of an earlier cycle of this patient",
}


def hanscheid_ratio(x: ArrayLike) -> Array:
    """Return estimate over truth of Hänscheid 2018 at x = t/T: 2x·2⁻ˣ, at most 1.0615 (at x = 1/ln 2)."""
    x = np.asarray(x, np.float64)
    return np.asarray(2.0 * x * np.exp2(-x))


def half_life_ratio(t_s: ArrayLike, assumed_s: ArrayLike, true_s: ArrayLike) -> Array:
    """Return estimate over truth where a half-life is assumed: 2^(t/T' - t/T)·T'/T."""
    t, assumed, true = (np.asarray(v, np.float64) for v in (t_s, assumed_s, true_s))
    return np.asarray(np.exp2(t / assumed - t / true) * assumed / true)


def one_scan_tia(
    curve: Curve,
    decay_constant: Measured | float,
    method: str,
    half_life: PopulationHalfLife | Measured | None = None,
) -> Fit:
    """Integrate a curve of one point over all time.

    Parameters
    ----------
    curve : Curve
        One point.
    decay_constant : Measured or float
        Physical, 1/s.
    method : str
        A key of `METHODS`.
    half_life : PopulationHalfLife, Measured or None
        The effective half-life, s: a population's, or this patient's own from an earlier cycle. Hänscheid 2018 uses
        it only to state validity and interval, and may do without.

    Raises
    ------
    BadInput
        If the curve has more than one point, no activity, or the method needs a half-life.
    MissingInformation
        If the point's uncertainty is not known.
    OutsideValidity
        If the scan time is outside the method's range for the half-life given.
    UnknownName
        If there is no such method.
    """
    if method not in METHODS:
        raise UnknownName(f"There is no one-scan method '{method}'.", f"Choose from: {', '.join(METHODS)}.")
    if len(curve) != 1 or not curve.activity_Bq[0] > 0:
        raise BadInput(
            f"Curve '{curve.name}' has {len(curve)} points and {curve.activity_Bq[0]:.3g} Bq at the first;"
            " a one-scan method needs one point with activity.",
            "With more scans, fit the curve.",
        )
    rate = decay_rate(decay_constant)
    curve.require_u()
    t = float(curve.mid_s[0])
    if not t > 0:
        raise OutsideValidity(f"Curve '{curve.name}' was scanned at administration.", "Scan later.")
    if isinstance(half_life, Measured):
        half_life = _patients_own(half_life)
    if method == "hanscheid2018":
        return _hanscheid_2018(curve, rate, t, half_life)
    if half_life is None:
        raise BadInput(f"The method '{method}' needs an effective half-life.", "Give one with its source.")
    return _assumed(curve, rate, t, (method, half_life))


def _patients_own(half_life: Measured) -> PopulationHalfLife:
    if half_life.unit != "s" or not half_life.value > 0:
        raise BadInput(f"An effective half-life must be positive and in s, not {half_life}.")
    return PopulationHalfLife(half_life.value, math.exp(half_life.u_relative), "an earlier cycle of this patient")


def _truths(activity: float, t: float, rate: float, population: PopulationHalfLife) -> tuple[Array, Array]:
    """Return the true integral for every half-life of the population, and the weight of each."""
    rates, weights = population.rates(rate, 401)
    return activity * np.exp(rates * t) / rates, weights


def share_beyond(estimate: float, truths: Array, weights: Array, tolerance: float = TOLERANCE) -> float:
    """Return the weight of the truths from which an estimate differs by more than a tolerance."""
    return float(weights[np.abs(estimate / truths - 1.0) > tolerance].sum())


def _hanscheid_2018(curve: Curve, rate: float, t: float, population: PopulationHalfLife | None) -> Fit:
    activity = float(curve.activity_Bq[0])
    estimate = activity * 2.0 * t / _LN2
    low, high = (t / x for x in reversed(HANSCHEID_2018_VALID))
    if population is None:
        truth_low, truth_high = estimate / float(hanscheid_ratio(1 / _LN2)), estimate / (1 - TOLERANCE)
        warning = (
            f"No population half-life was given: the interval holds only if the effective half-life lies between"
            f" {low / 3600:.3g} and {high / 3600:.3g} h."
        )
        found = _result(curve, rate, ("hanscheid2018", t), (estimate, truth_low, truth_high), (warning,))
        return _stating(found, (low, high), "")
    if not low <= population.median_s <= high:
        raise OutsideValidity(
            f"Hänscheid 2018 is within 10% for a half-life of {low / 3600:.3g} to {high / 3600:.3g} h when scanned at"
            f" {t / 3600:.4g} h; the population of '{curve.name}' has {population.median_s / 3600:.3g} h.",
            f"Scan between {0.764 * population.median_s / 3600:.0f} and {2.437 * population.median_s / 3600:.0f} h.",
        )
    truths, weights = _truths(activity, t, rate, population)
    bounds = weighted_quantiles(truths, weights, (0.025, 0.975))
    nearest = t if abs(population.median_s - t) < abs(population.median_s - t / 2) else t / 2
    warnings = _share_warning(estimate, truths, weights)
    found = _result(curve, rate, ("hanscheid2018", nearest), (estimate, float(bounds[0]), float(bounds[1])), warnings)
    return _stating(found, (low, high), f" The interval is that of {_named(population)}.")


def _assumed(curve: Curve, rate: float, t: float, chosen: tuple[str, PopulationHalfLife]) -> Fit:
    method, population = chosen
    activity = float(curve.activity_Bq[0])
    half_life = min(population.median_s, _LN2 / rate)
    estimate = activity * 2.0 ** (t / half_life) * half_life / _LN2
    truths, weights = _truths(activity, t, rate, population)
    low, high = (
        weighted_quantiles(truths, weights, (0.025, 0.975)) if population.geometric_sd > 1 else (estimate, estimate)
    )
    warnings = _share_warning(estimate, truths, weights)
    found = _result(curve, rate, (method, half_life), (estimate, float(low), float(high)), warnings)
    return _stating(found, valid_half_lives(t, half_life), f" T is that of {_named(population)}.")


def valid_half_lives(t_s: float, assumed_s: float) -> tuple[float, float]:
    """Return the least and the greatest true half-life, s, for which an assumed one is within `TOLERANCE`."""
    true = assumed_s * np.geomspace(0.02, 50.0, 20001)
    bad = np.abs(half_life_ratio(t_s, assumed_s, true) - 1.0) > TOLERANCE
    return float(true[bad & (true < assumed_s)].max()), float(true[bad & (true > assumed_s)].min())


def _named(population: PopulationHalfLife) -> str:
    spread = f", geometric standard deviation {population.geometric_sd:.3g}"
    return f"{population.source} ({population.median_s / 3600:.3g} h{spread})"


def _stating(fit: Fit, valid_s: tuple[float, float], more: str) -> Fit:
    """Return a fit whose method states for which half-lives it holds, and whose half-life it took."""
    low, high = (v / 3600 for v in valid_s)
    return replace(
        fit, method=f"{fit.method} Within 10% for an effective half-life of {low:.3g} to {high:.3g} h.{more}"
    )


def _share_warning(estimate: float, truths: Array, weights: Array) -> tuple[str, ...]:
    share = share_beyond(estimate, truths, weights)
    if share <= _WARNED_SHARE:
        return ()
    return (f"At this scan time {share:.0%} of the population's half-lives put the result more than 10% off.",)


def _result(
    curve: Curve,
    rate: float,
    chosen: tuple[str, float],
    limits: tuple[float, float, float],
    warnings: tuple[str, ...],
) -> Fit:
    """Join the half-life's share of the uncertainty, from the limits of the truth, and the scan's own."""
    method, half_life = chosen
    estimate, low, high = limits
    relative = float(curve.u_Bq[0] / curve.activity_Bq[0])
    kinetics = max(high - estimate, estimate - low, 0.0) / 1.96
    tia = Measured(estimate, estimate * relative, "Bq·s", "counts") + Measured(0.0, kinetics, "Bq·s", "half-life")
    k = max(_LN2 / half_life, rate)
    amplitude = float(curve.activity_Bq[0]) * math.exp(k * float(curve.mid_s[0]))
    # the curve is drawn so that it passes the point and has the estimate as its integral only where T is assumed
    variance = np.diag([(amplitude * relative) ** 2, (k * kinetics / estimate) ** 2])
    spread = 1.96 * estimate * relative
    return Fit(
        name=curve.name,
        model=method,
        parameters={},
        covariance=variance,
        tia=tia,
        interval95=(
            max(estimate - math.hypot(estimate - low, spread), 0.0),
            estimate + math.hypot(max(high - estimate, 0.0), spread),
        ),
        effective_half_life=None,
        tail_fraction=math.exp(-k * float(curve.ends_s[0])),
        chi2=math.nan,
        method=METHODS[method][0].upper() + METHODS[method][1:] + ".",
        warnings=(*warnings, "One scan: the washout is assumed, not measured."),
        shape=Exponentials(np.array([amplitude]), np.array([k]), variance),
    )
