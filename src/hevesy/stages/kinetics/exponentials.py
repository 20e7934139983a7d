"""Fits of sums of exponentials to a time-activity curve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hevesy.core import Curve, Measured
from hevesy.errors import BadInput, NoWashout
from hevesy.kernels.fitting import fit_exponentials, frame_mean, integral_limit
from hevesy.stages.kinetics.bounded import trapezoid_tia
from hevesy.stages.kinetics.fit import EXTRAPOLATION_WARNING, Exponentials, Fit
from hevesy.stages.kinetics.models import CANDIDATES, SCEPTICS, Model, model_named
from hevesy.stages.kinetics.physical import decay_rate, still_rising

Array = NDArray[np.float64]

#: chi² by which the likelihood falls at the end of a 95% interval
_RISE_95 = 1.959964**2
#: a model this close to the best by Akaike's criterion describes the points as well (Burnham & Anderson 2002, 2.6)
_RIVAL = 6.0
_DISAGREEMENT = 0.05
#: excess over the model-free check past which a fit warns
_ABOVE_STRAIGHT_LINES = 0.20


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """The minimum of one model's chi², before it is described."""

    model: Model
    rates: Array
    coefs: Array
    chi2: float
    points: int
    amplitudes: Array
    bounds: Array

    @property
    def tia(self) -> float:
        """Time-integrated activity, Bq·s."""
        return float(np.sum(self.amplitudes / self.rates))

    @property
    def criterion(self) -> float:
        """Akaike's criterion with the variances known: chi² + 2k needs no second-order term."""
        return self.chi2 + 2.0 * self.model.parameters


def fit_curve(curve: Curve, decay_constant: Measured | float, model: str = "auto") -> Fit:
    """Fit a time-activity curve and integrate it over all time.

    The mean of the model over each frame is fitted, weighted by the points' uncertainties, with no rate
    below physical decay. The rates are searched over their whole range (see `hevesy.kernels.fitting`).

    Parameters
    ----------
    curve : Curve
        At least as many points as the model has parameters.
    decay_constant : Measured or float
        Physical, 1/s.
    model : str
        A key of `MODELS`; ``"auto"`` takes the one with the least Akaike criterion; ``"average"`` weights all
        of `CANDIDATES` by it (Burnham & Anderson 2002, 4.1 and 4.3).

    Raises
    ------
    BadInput
        If there are fewer points than parameters, or no activity.
    NoWashout
        If the activity has not begun to fall by the last scan.
    UnknownName
        If there is no such model.
    """
    rate = decay_rate(decay_constant)
    _check(curve, decay_constant, model)
    if model not in ("auto", "average"):
        return describe(curve, decay_constant, solve(curve, rate, model_named(model)), ())
    solutions = _candidates(curve, rate, CANDIDATES)
    best = min(solutions, key=lambda s: s.criterion)
    if model == "average":
        return _average(curve, decay_constant, solutions, best)
    sceptics = [name for name in SCEPTICS if 2 * model_named(name).parameters < best.criterion + _RIVAL]
    return describe(curve, decay_constant, best, _rivals(solutions + _candidates(curve, rate, sceptics), best))


def _check(curve: Curve, decay_constant: Measured | float, model: str) -> None:
    needed = 2 if model in ("auto", "average") else model_named(model).parameters
    if len(curve) < needed:
        raise BadInput(
            f"Curve '{curve.name}' has {len(curve)} point{'s' * (len(curve) > 1)};"
            f" a {model} fit needs at least {needed}.",
            "Take a model with fewer parameters." if len(curve) > 1 else "With one scan, use a one-scan method.",
        )
    if not curve.activity_Bq.max() > 0:
        raise BadInput(f"Curve '{curve.name}' holds no activity at any time.", "Check the region and its scans.")
    if still_rising(curve, decay_constant):
        raise NoWashout(
            f"Curve '{curve.name}' still rises at its last scan ({curve.mid_s[-1] / 3600:.4g} h):"
            " no washout can be fitted.",
            "Scan later, or take the bounded estimate.",
        )


def _data(curve: Curve) -> Array:
    data = np.empty((len(curve), 4))
    data[:, 0], data[:, 1], data[:, 2], data[:, 3] = curve.starts_s, curve.ends_s, curve.activity_Bq, 1.0 / curve.u_Bq
    return data


def _bounds(curve: Curve, rate: float, model: Model) -> Array:
    mid = curve.mid_s
    return model.bounds(rate, float(mid[0] if mid[0] > 0 else mid[min(1, len(curve) - 1)]))


def solve(curve: Curve, rate: float, model: Model, tail: float | None = None) -> Solution:
    """Fit one model; `tail` holds the last rate of a model that has its tail given."""
    bounds = _bounds(curve, rate, model)
    if tail is not None:
        bounds[:, -1] = tail
    rates, coefs, chi2 = fit_exponentials(_data(curve), model.mix, bounds)
    return Solution(model, rates, coefs, float(chi2), len(curve), coefs @ model.mix, bounds)


def _candidates(curve: Curve, rate: float, names: Sequence[str]) -> list[Solution]:
    models = [model_named(name) for name in names]
    return [solve(curve, rate, m) for m in models if m.parameters <= len(curve)]


def _rivals(solutions: list[Solution], best: Solution) -> tuple[str, ...]:
    """Warn where a model that describes the points as well gives another integral."""
    close = [s for s in solutions if s.criterion - best.criterion < _RIVAL]
    tias = [s.tia for s in close]
    if max(tias) - min(tias) <= _DISAGREEMENT * best.tia:
        return ()
    names = ", ".join(s.model.name for s in close if s is not best)
    return (
        f"Other models describe the points as well ({names}); their time-integrated activity lies between"
        f" {min(tias) / best.tia - 1:+.0%} and {max(tias) / best.tia - 1:+.0%} of this one.",
    )


def _jacobian(curve: Curve, solution: Solution) -> Array:
    """Return the weighted derivatives (n, m + k) to the coefficients and the rates."""
    data, mix = _data(curve), solution.model.mix
    means = np.array([[frame_mean(r, d[0], d[1]) for r in solution.rates] for d in data])
    slopes = means[..., 1] / solution.rates * solution.amplitudes
    return np.concatenate([means[..., 0] @ mix.T, slopes], axis=1) * data[:, 3:]


def _covariance(curve: Curve, solution: Solution, bounds: Array) -> tuple[Array, bool]:
    """Return the covariance (2k, 2k) of amplitudes and rates, and whether a limit holds one of them."""
    m, k = solution.model.mix.shape
    at_limit = (solution.rates <= bounds[0] * (1 + 1e-9)) | (solution.rates >= bounds[1] * (1 - 1e-9))
    idle = solution.amplitudes == 0
    free = np.concatenate([solution.coefs > 0, ~(at_limit | idle)])
    jacobian = _jacobian(curve, solution)[:, free]
    full = np.zeros((m + k, m + k))
    if free.any():
        scale = np.linalg.norm(jacobian, axis=0)
        scale[scale == 0] = 1.0
        inverse = np.linalg.pinv(jacobian / scale, rcond=1e-12)
        full[np.ix_(free, free)] = inverse @ inverse.T / np.outer(scale, scale)
    spread = np.zeros((2 * k, m + k))
    spread[:k, :m], spread[k:, m:] = solution.model.mix.T, np.eye(k)
    held = bool((at_limit & (bounds[0] != bounds[1]) & ~idle).any() or not (solution.coefs > 0).all())
    return spread @ full @ spread.T, held


def _interval(curve: Curve, solution: Solution, bounds: Array, u: float) -> tuple[float, float]:
    """Return the profile-likelihood 95% interval of the integral, Bq·s."""
    tia = solution.tia
    step = max(1.5 * min(u, tia), 1e-4 * tia)
    ends = []
    for sign in (-1.0, 1.0):
        search = np.array([tia, sign * step, solution.chi2, _RISE_95, 1e3 / step])
        ends.append(float(integral_limit(_data(curve), solution.model.mix, bounds, solution.rates, search)))
    return ends[0], ends[1]


def _correlated(values: Array, covariance: Array, unit: str, label: str) -> list[Measured]:
    """Return measured values that share causes so that their covariance is the one given."""
    sizes, axes = np.linalg.eigh(covariance)
    roots = axes * np.sqrt(np.maximum(sizes, 0.0))
    causes = [Measured(0.0, 1.0, "", label) for _ in sizes]
    return [Measured.propagate(v, zip(causes, row, strict=True), unit) for v, row in zip(values, roots, strict=True)]


def describe(curve: Curve, decay_constant: Measured | float, solution: Solution, more: tuple[str, ...]) -> Fit:
    """Return a solution as a fit, with covariance, interval and warnings."""
    bounds = solution.bounds
    covariance, held = _covariance(curve, solution, bounds)
    shape = Exponentials(solution.amplitudes, solution.rates, covariance)
    parameters = _parameters(shape)
    tia, interval = _integral(curve, solution, bounds, parameters, held)
    tail = shape.integral(float(curve.ends_s[-1])) / tia.value
    return Fit(
        name=curve.name,
        model=solution.model.name,
        parameters=parameters,
        covariance=covariance,
        tia=_with_decay(tia, shape, bounds, decay_constant),
        interval95=interval,
        effective_half_life=_slowest_half_life(shape, parameters),
        tail_fraction=tail,
        aicc=solution.criterion,
        chi2=solution.chi2,
        method=f"Fit of {solution.model.description} to {len(curve)} scans.",
        warnings=(*more, *_warnings(curve, solution, shape, bounds)),
        shape=shape,
    )


def _parameters(shape: Exponentials) -> dict[str, Measured]:
    k = shape.rates_per_s.size
    # the two blocks differ by 14 orders of magnitude: decompose in units of one
    scale = np.sqrt(np.diag(shape.covariance))
    scale[scale == 0] = 1.0
    values = np.concatenate([shape.amplitudes_Bq, shape.rates_per_s]) / scale
    unit = _correlated(values, shape.covariance / np.outer(scale, scale), "", "fit")
    named: dict[str, Measured] = {}
    for i in range(k):
        named[f"amplitude_{i + 1}"] = unit[i].to(float(scale[i]), "Bq")
        named[f"rate_{i + 1}"] = unit[k + i].to(float(scale[k + i]), "1/s")
    return named


def _integral(
    curve: Curve, solution: Solution, bounds: Array, parameters: dict[str, Measured], held: bool
) -> tuple[Measured, tuple[float, float]]:
    terms = [parameters[f"amplitude_{i + 1}"] / parameters[f"rate_{i + 1}"] for i in range(solution.rates.size)]
    tia = sum(terms[1:], terms[0]).to(1.0, "Bq·s")
    low, high = _interval(curve, solution, bounds, tia.u)
    missing = ((high - low) / (2 * 1.959964)) ** 2 - tia.u**2
    if held and missing > 0:
        # a parameter on its limit has no share in the covariance: the profile knows better
        tia = tia + Measured(0.0, math.sqrt(missing), "Bq·s", "fit")
    return tia, (low, high)


def _with_decay(tia: Measured, shape: Exponentials, bounds: Array, decay_constant: Measured | float) -> Measured:
    """Add what the uncertainty of the physical half-life does through rates that equal it."""
    if not isinstance(decay_constant, Measured):
        return tia
    physical = shape.rates_per_s <= bounds[0] * (1 + 1e-9)
    derivative = -float(np.sum((shape.amplitudes_Bq / shape.rates_per_s**2)[physical]))
    return Measured.propagate(tia.value, [(tia, 1.0), (decay_constant, derivative)], "Bq·s")


def _slowest_half_life(shape: Exponentials, parameters: dict[str, Measured]) -> Measured | None:
    falling = [i for i in range(shape.rates_per_s.size) if shape.amplitudes_Bq[i] > 0]
    if not falling:
        return None
    slowest = min(falling, key=lambda i: shape.rates_per_s[i])
    return (math.log(2) / parameters[f"rate_{slowest + 1}"]).to(1.0, "s")


def _warnings(curve: Curve, solution: Solution, shape: Exponentials, bounds: Array) -> list[str]:
    found = []
    straight = trapezoid_tia(curve, float(bounds[0, 0])).value
    if solution.tia > (1.0 + _ABOVE_STRAIGHT_LINES) * straight:
        found.append(
            f"The fit is {solution.tia / straight - 1:.0%} above straight lines with a physical tail:"
            " much of it lies where nothing was measured."
        )
    tail = shape.integral(float(curve.ends_s[-1])) / solution.tia
    head = shape.integral(0.0, float(curve.starts_s[0])) / solution.tia
    for share, where in ((tail, "after the last scan"), (head, "before the first scan")):
        if share > EXTRAPOLATION_WARNING:
            found.append(f"{share:.0%} of the time-integrated activity lies {where}, where nothing was measured.")
    freedom = solution.points - solution.model.parameters
    if freedom == 0:
        found.append(
            f"{solution.points} scans and {solution.model.parameters} parameters: the fit cannot be checked"
            " against its points."
        )
    elif solution.chi2 > _chi2_limit(freedom):
        found.append(
            f"The curve misses its points by more than their uncertainties (chi² {solution.chi2:.3g} for"
            f" {freedom} degree{'s' * (freedom > 1)} of freedom): the model or the uncertainties are wrong."
        )
    falling = solution.amplitudes > 0
    if not solution.model.physical_tail and (solution.rates[falling] <= bounds[0][falling] * (1 + 1e-9)).any():
        found.append("The slowest washout is physical decay itself: no biological clearance was seen.")
    return found


def _chi2_limit(freedom: int) -> float:
    """Return chi² that chance exceeds once in a hundred (Wilson & Hilferty 1931)."""
    c = 2.0 / (9.0 * freedom)
    return freedom * (1.0 - c + 2.3263 * math.sqrt(c)) ** 3


def _average(curve: Curve, decay_constant: Measured | float, solutions: list[Solution], best: Solution) -> Fit:
    """Weight every model by exp(-Δ/2); the spread between them is part of the uncertainty."""
    fits = [describe(curve, decay_constant, s, ()) for s in solutions]
    raw = np.array([math.exp(-0.5 * (s.criterion - best.criterion)) for s in solutions])
    weights = raw / raw.sum()
    chosen = fits[solutions.index(best)]
    values = np.array([f.tia.value for f in fits])
    mean = float(weights @ values)
    fitted = math.sqrt(float(weights @ np.array([f.tia.u**2 for f in fits])))
    between = Measured(0.0, math.sqrt(float(weights @ (values - mean) ** 2)), "Bq·s", "model")
    tia = Measured(mean, fitted, "Bq·s", "fit") + between
    low = min(f.interval95[0] for f, w in zip(fits, weights, strict=True) if w > 0.05)
    high = max(f.interval95[1] for f, w in zip(fits, weights, strict=True) if w > 0.05)
    shares = ", ".join(f"{f.model} {w:.0%}" for f, w in zip(fits, weights, strict=True))
    return Fit(
        name=curve.name,
        model="average",
        parameters=chosen.parameters,
        covariance=chosen.covariance,
        tia=tia,
        interval95=(low, high),
        effective_half_life=chosen.effective_half_life,
        tail_fraction=float(weights @ np.array([f.tail_fraction for f in fits])),
        aicc=chosen.aicc,
        chi2=chosen.chi2,
        method=f"Average of models by Akaike weight ({shares}); curve and half-life of {chosen.model}.",
        warnings=chosen.warnings,
        shape=chosen.shape,
    )
