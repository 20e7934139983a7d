"""Fits of sums of exponentials to a time-activity curve."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hevesy.core import Curve, Measured
from hevesy.errors import BadInput, MissingInformation, NoWashout
from hevesy.kernels.fitting import fit_exponentials, frame_mean, integral_limit
from hevesy.stages.kinetics.bounded import straight_weights
from hevesy.stages.kinetics.criterion import EXACT, Criterion, criterion_named
from hevesy.stages.kinetics.fit import EXTRAPOLATION_WARNING, Exponentials, Fit
from hevesy.stages.kinetics.models import CANDIDATES, SCEPTICS, Model, model_named
from hevesy.stages.kinetics.physical import decay_rate, still_rising
from hevesy.stages.kinetics.unseen_uptake import with_unseen_uptake

Array = NDArray[np.float64]

#: normal deviate at the end of a 95% interval, whose square chi² rises by
_NORMAL_95 = 1.959964
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
    def freedom(self) -> int:
        """Degrees of freedom that the parameters leave."""
        return self.points - self.model.parameters

    def by(self, criterion: Criterion) -> float:
        """Return a criterion of this solution."""
        return criterion.of(self.chi2, self.model.parameters, self.points)


def fit_curve(
    curve: Curve,
    decay_constant: Measured | float,
    model: str = "auto",
    criterion: str | None = None,
    immediate: bool = False,
) -> Fit:
    """Fit a time-activity curve and integrate it over all time.

    The mean of the model over each frame is fitted, weighted by the points' uncertainties, with no rate
    below physical decay. The rates are searched over their whole range (see `hevesy.kernels.fitting`). What uptake
    before the first scan leaves open is part of the uncertainty (see `hevesy.stages.kinetics.unseen_uptake`).

    Parameters
    ----------
    curve : Curve
        At least as many points as the model has parameters; one more where its uncertainties are not known, and are
        estimated from the residuals.
    decay_constant : Measured or float
        Physical, 1/s.
    model : str
        A key of `MODELS`; ``"auto"`` takes the one with the least criterion; ``"average"`` weights all
        of `CANDIDATES` by it (Burnham & Anderson 2002, 4.1 and 4.3).
    criterion : str or None
        ``"aic"`` or ``"aicc"``; None takes AIC where the curve's uncertainties are known, and AICc where they are not.
    immediate : bool
        Whether the activity was there from administration on, as in the whole body, in blood, or of microspheres. Model
        ``"physical"``, by which nothing but decay happens, says so by itself.

    Raises
    ------
    BadInput
        If there are fewer points than parameters, or no activity.
    MissingInformation
        If uncertainties are not known and no residual is left to estimate them from.
    NoWashout
        If the activity has not begun to fall by the last scan.
    UnknownName
        If there is no such model.
    """
    _check(curve, decay_constant, model)
    found = _fitted(curve, decay_constant, model, criterion)
    return found if immediate or model == "physical" else with_unseen_uptake(found, curve)


def _fitted(curve: Curve, decay_constant: Measured | float, model: str, criterion: str | None) -> Fit:
    """Fit the model that is asked for, the best of the candidates, or their average."""
    rate = decay_rate(decay_constant)
    measure = criterion_named(criterion, curve.u_known)
    if model not in ("auto", "average"):
        return describe(curve, decay_constant, solve(curve, rate, model_named(model)), ())
    tried = _candidates(curve, rate, CANDIDATES)
    usable = [s for s in tried if s.by(measure) < math.inf]
    best = min(usable or tried, key=lambda s: s.by(measure))  # the first has the fewest parameters
    choice, doubt = _choice(len(curve), [s.model.name for s in usable], measure)
    if model == "average":
        found = _average(curve, decay_constant, usable or [best], measure)
    else:
        found = describe(curve, decay_constant, best, _rivals(curve, rate, tried, best))
    method = f"{found.method} {choice}"
    return replace(found, method=method, warnings=(*doubt, *found.warnings), criterion=measure.label)


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


@functools.lru_cache(maxsize=2)
def _data(curve: Curve) -> Array:
    """Return start, end, value and 1/u of every frame (n, 4); remembered, as every model asks for them."""
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


def _choice(points: int, usable: Sequence[str], measure: Criterion) -> tuple[str, tuple[str, ...]]:
    """Say among what was chosen, by what, and warn where there was nothing to choose."""
    left_out = [name for name in CANDIDATES if name not in usable]
    said = f"Compared by {measure.label}: {', '.join(usable)}."
    if left_out:
        said += f" Too many parameters for {points} scans: {', '.join(left_out)}."
    if len(usable) > 1 or measure == Criterion(corrected=False):
        return said, ()
    if usable:
        return said, (f"{points} scans leave {measure.label} one model, '{usable[0]}': it was not compared.",)
    return (
        f"The model with the fewest parameters was taken, as {measure.label} is not defined for {points} scans.",
        (f"{measure.label} is not defined for any model with {points} scans: none was compared with another.",),
    )


def _rivals(curve: Curve, rate: float, tried: list[Solution], best: Solution) -> tuple[str, ...]:
    """Warn where a model that describes the points as well gives another integral, whether or not it was a candidate.

    Models are close by AIC, which is defined also where AICc is not.
    """
    plain = Criterion(corrected=False, u_known=curve.u_known)
    limit = best.by(plain) + _RIVAL
    sceptics = [n for n in SCEPTICS if plain.of(0.0, model_named(n).parameters, best.points) < limit]
    close = [s for s in tried + _candidates(curve, rate, sceptics) if s is best or s.by(plain) < limit]
    tias = [s.tia for s in close]
    if max(tias) - min(tias) <= _DISAGREEMENT * min(tias):
        return ()
    names = ", ".join(s.model.name for s in close if s is not best)
    return (
        f"Other models describe the points as well ({names}); their time-integrated activity lies between"
        f" {min(tias) / best.tia:.0%} and {max(tias) / best.tia:.0%} of this one's.",
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
    spread = np.zeros((2 * k, m + k))
    spread[:k, :m], spread[k:, m:] = solution.model.mix.T, np.eye(k)
    scale = np.linalg.norm(jacobian, axis=0)
    scale[scale == 0] = 1.0
    # amplitudes are sums of coefficients whose errors may cancel: add up roots, so that no variance falls below zero
    root = spread[:, free] @ (np.linalg.pinv(jacobian / scale, rcond=1e-12) / scale[:, None])
    held = bool((at_limit & (bounds[0] != bounds[1]) & ~idle).any() or not (solution.coefs > 0).all())
    return root @ root.T, held


def _scaled(curve: Curve, solution: Solution) -> tuple[Curve, Solution, float, str]:
    """Return curve and solution with known uncertainties, the deviate of a 95% interval, and what was estimated.

    Where the scale of the uncertainties is not known, it is that of the residuals, and the deviate is Student's.
    """
    if curve.u_known:
        return curve, solution, _NORMAL_95, ""
    if solution.freedom < 1:
        raise MissingInformation(
            f"Curve '{curve.name}' has {len(curve)} points without uncertainties and '{solution.model.name}' as many"
            " parameters: nothing is left to estimate them from.",
            "Give the uncertainties: column u_MBq, or --u-percent.",
        )
    from scipy.special import stdtrit

    variance = max(solution.chi2 / solution.freedom, EXACT)
    scaled = replace(curve, u_Bq=curve.u_Bq * math.sqrt(variance), u_known=True)
    typical = float(np.median(scaled.u_Bq / np.maximum(curve.activity_Bq, scaled.u_Bq)))
    freedom = f"{solution.freedom} degree{'s' * (solution.freedom > 1)} of freedom"
    said = f" The points' uncertainty, {typical:.2g} of each, is estimated from their scatter ({freedom})."
    known = replace(solution, chi2=solution.chi2 / variance)
    return scaled, known, float(stdtrit(solution.freedom, 0.975)), said


def _interval(curve: Curve, solution: Solution, bounds: Array, u: float, deviate: float) -> tuple[float, float]:
    """Return the profile-likelihood 95% interval of the integral, Bq·s."""
    tia = solution.tia
    step = max(1.5 * min(u, tia), 1e-4 * tia)
    ends = []
    for sign in (-1.0, 1.0):
        search = np.array([tia, sign * step, solution.chi2, deviate**2, 1e3 / step])
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
    curve, solution, deviate, estimated = _scaled(curve, solution)
    bounds = solution.bounds
    covariance, held = _covariance(curve, solution, bounds)
    shape = Exponentials(solution.amplitudes, solution.rates, covariance, deviate)
    parameters = _parameters(shape)
    tia, interval = _integral(curve, solution, parameters, held, deviate)
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
        chi2=solution.chi2,
        method=f"Fit of {solution.model.description} to {len(curve)} scans.{estimated}",
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
    curve: Curve, solution: Solution, parameters: dict[str, Measured], held: bool, deviate: float
) -> tuple[Measured, tuple[float, float]]:
    terms = [parameters[f"amplitude_{i + 1}"] / parameters[f"rate_{i + 1}"] for i in range(solution.rates.size)]
    tia = sum(terms[1:], terms[0]).to(1.0, "Bq·s")
    low, high = _interval(curve, solution, solution.bounds, tia.u, deviate)
    missing = ((high - low) / (2 * deviate)) ** 2 - tia.u**2
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
    straight = float(straight_weights(curve, float(bounds[0, 0])) @ curve.activity_Bq)
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
    freedom = solution.freedom
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


def _average(curve: Curve, decay_constant: Measured | float, solutions: list[Solution], measure: Criterion) -> Fit:
    """Weight every model by exp(-Δ/2); the spread between them is part of the uncertainty."""
    fits = [describe(curve, decay_constant, s, ()) for s in solutions]
    values = np.array([s.by(measure) for s in solutions])
    best = int(np.argmin(values))
    raw = np.exp(-0.5 * (values - values[best])) if math.isfinite(values[best]) else np.ones(1)
    weights = raw / raw.sum()
    chosen = fits[best]
    values = np.array([f.tia.value for f in fits])
    mean = float(weights @ values)
    fitted = math.sqrt(float(weights @ np.array([f.tia.u**2 for f in fits])))
    between = Measured(0.0, math.sqrt(float(weights @ (values - mean) ** 2)), "Bq·s", "model")
    heavy = [f.interval95 for f, w in zip(fits, weights, strict=True) if w > 0.05]
    shares = ", ".join(f"{f.model} {w:.0%}" for f, w in zip(fits, weights, strict=True))
    return replace(
        chosen,
        model="average",
        tia=Measured(mean, fitted, "Bq·s", "fit") + between,
        interval95=(min(low for low, _ in heavy), max(high for _, high in heavy)),
        tail_fraction=float(weights @ np.array([f.tail_fraction for f in fits])),
        method=f"{chosen.method} Averaged by weight ({shares}); curve and half-life are those of {chosen.model}.",
    )
