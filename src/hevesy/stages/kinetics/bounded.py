"""What can be said where no washout was seen: bounds, an estimate between them, and when to scan next."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hevesy.core import Curve, Measured
from hevesy.errors import BadInput
from hevesy.stages.kinetics.fit import EXTRAPOLATION_WARNING, Fit
from hevesy.stages.kinetics.physical import decay_rate
from hevesy.stages.kinetics.population import PopulationHalfLife

Array = NDArray[np.float64]

#: expected variance over the least that is as good, where an earlier scan can be had
_FLAT = 1.1


@dataclass(frozen=True, slots=True, eq=False)
class BoundedCurve:
    """Straight lines from zero at administration through the points, then a tail between two rates.

    Parameters
    ----------
    times_s, activity_Bq, u_Bq : (n,) arrays
        The points.
    slow_rate, fast_rate : float
        The tail's limits, 1/s: physical decay, and the fastest washout considered.
    """

    times_s: Array
    activity_Bq: Array
    u_Bq: Array
    slow_rate: float
    fast_rate: float

    def activity(self, t_s: ArrayLike) -> Array:
        """Return the best estimate at times t_s, Bq."""
        low, high = self._tails(t_s)
        return np.where(np.asarray(t_s) > self.times_s[-1], 0.5 * (low + high), self._line(t_s, self.activity_Bq))

    def band(self, t_s: ArrayLike) -> tuple[Array, Array]:
        """Return the limits at times t_s, Bq: points ± 1.96 u, and the two tails."""
        t = np.asarray(t_s, np.float64)
        low, high = self._tails(t)
        half = 1.96 * self._line(t, self.u_Bq)
        middle, share = self._line(t, self.activity_Bq), 1.96 * self.u_Bq[-1] / self.activity_Bq[-1]
        after = t > self.times_s[-1]
        bottom = np.where(after, low * max(1 - share, 0.0), np.maximum(middle - half, 0.0))
        return bottom, np.where(after, high * (1 + share), middle + half)

    def _line(self, t_s: ArrayLike, values: Array) -> Array:
        return np.asarray(np.interp(np.asarray(t_s), np.r_[0.0, self.times_s], np.r_[0.0, values]))

    def _tails(self, t_s: ArrayLike) -> tuple[Array, Array]:
        since = np.maximum(np.asarray(t_s, np.float64) - self.times_s[-1], 0.0)
        last = self.activity_Bq[-1]
        return last * np.exp(-self.fast_rate * since), last * np.exp(-self.slow_rate * since)


@dataclass(frozen=True, slots=True)
class _Span:
    """A stretch of time: the integral's estimate and limits, Bq·s, and the estimate's derivative to each point."""

    label: str
    estimate: float
    low: float
    high: float
    weights: tuple[tuple[int, float], ...]


def bounded_tia(curve: Curve, decay_constant: Measured | float, population: PopulationHalfLife) -> Fit:
    """Bound the time-integrated activity of a curve that has not begun to fall.

    Up to the first scan: a straight line from zero at administration; the limits are a late uptake (A ∝ t²) and
    an immediate one that then decayed physically. Between scans: a straight line; the limits are steps at either
    end, with physical decay. After the last scan: the middle between physical decay alone and the
    population's fastest washout (its 2.5% quantile), which are the limits. `interval95` adds up all limits,
    widened by the points' own uncertainty; the standard uncertainty takes each pair of limits as a rectangular
    distribution (JCGM 100:2008, 4.3.7).

    Parameters
    ----------
    curve : Curve
        At least one point.
    decay_constant : Measured or float
        Physical, 1/s.
    population : PopulationHalfLife
        Of the tissue.

    Raises
    ------
    BadInput
        If the last point holds no activity.
    MissingInformation
        If the points' uncertainties are not known.
    """
    rate = decay_rate(decay_constant)
    curve.require_u()
    if not curve.activity_Bq[-1] > 0:
        raise BadInput(f"Curve '{curve.name}' holds no activity at its last scan.", "Check the region and its scans.")
    fast = max(math.log(2) / population.quantile(-1.96), rate)
    spans = [_before(curve, rate), *_between(curve, rate), _after(curve, rate, fast)]
    tia = _total(curve, spans)
    counted = tia.components.get("counts", 0.0)
    tail = spans[-1].estimate / tia.value
    return Fit(
        name=curve.name,
        model="bounded",
        parameters={},
        covariance=np.zeros((0, 0)),
        tia=tia,
        interval95=(
            max(math.fsum(s.low for s in spans) - 1.96 * counted, 0.0),
            math.fsum(s.high for s in spans) + 1.96 * counted,
        ),
        effective_half_life=None,
        tail_fraction=tail,
        chi2=math.nan,
        method=_method(population, rate, fast),
        warnings=tuple(_warnings(curve, tail)),
        shape=BoundedCurve(curve.mid_s, curve.activity_Bq, curve.u_Bq, rate, fast),
        best_next_scan_s=best_next_scan(curve, rate, population),
    )


def trapezoid_tia(curve: Curve, decay_constant: Measured | float) -> Measured:
    """Return the model-free check: straight lines through the points and a tail of physical decay, Bq·s.

    Before the first scan: from zero where the curve rises at first, else back along physical decay. For a curve that
    only falls this is more than the truth but for a fast early phase that no scan saw.
    """
    curve.require_u()
    weights = straight_weights(curve, decay_rate(decay_constant))
    value, u = weights @ curve.activity_Bq, np.linalg.norm(weights * curve.u_Bq)
    return Measured(float(value), float(u), "Bq·s", "counts")


def straight_weights(curve: Curve, rate: float) -> Array:
    """Return the time (n,), s, that each point counts for in `trapezoid_tia`."""
    t, a = curve.mid_s, curve.activity_Bq
    weights = np.zeros(t.size)
    half = 0.5 * np.diff(t)
    weights[:-1] += half
    weights[1:] += half
    weights[-1] += 1.0 / rate
    rises = t.size > 1 and a[1] > a[0]
    weights[0] += 0.5 * t[0] if rises else math.expm1(rate * t[0]) / rate
    return weights


def _before(curve: Curve, rate: float) -> _Span:
    t, a = float(curve.mid_s[0]), float(curve.activity_Bq[0])
    immediate = a * math.expm1(rate * t) / rate
    return _Span("before the first scan", 0.5 * t * a, t * a / 3.0, immediate, ((0, 0.5 * t),))


def _between(curve: Curve, rate: float) -> list[_Span]:
    t, a = curve.mid_s, curve.activity_Bq
    spans = []
    for i, d in enumerate(np.diff(t)):
        late = a[i] * -math.expm1(-rate * d) / rate
        early = a[i + 1] * math.expm1(rate * d) / rate
        line = 0.5 * d * (a[i] + a[i + 1])
        limits = sorted((late, early, line))
        weights = ((i, 0.5 * d), (i + 1, 0.5 * d))
        spans.append(_Span("between scans", float(line), float(limits[0]), float(limits[-1]), weights))
    return spans


def _after(curve: Curve, rate: float, fast: float) -> _Span:
    last = float(curve.activity_Bq[-1])
    middle = 0.5 * (1 / rate + 1 / fast)
    return _Span("after the last scan", last * middle, last / fast, last / rate, ((len(curve) - 1, middle),))


def _total(curve: Curve, spans: list[_Span]) -> Measured:
    weights = np.zeros(len(curve))
    total = Measured(0.0, unit="Bq·s")
    for span in spans:
        total = total + Measured(span.estimate, (span.high - span.low) / math.sqrt(12.0), "Bq·s", span.label)
        for index, weight in span.weights:
            weights[index] += weight
    return total + Measured(0.0, float(np.linalg.norm(weights * curve.u_Bq)), "Bq·s", "counts")


def _method(population: PopulationHalfLife, rate: float, fast: float) -> str:
    return (
        "No washout was seen: straight lines from zero at administration through the scans, then a tail between"
        f" physical decay ({math.log(2) / rate / 3600:.4g} h) and the fastest washout of a population"
        f" ({math.log(2) / fast / 3600:.3g} h; median {population.median_s / 3600:.3g} h, {population.source})."
        " The interval holds every combination of the stated assumptions."
    )


def _warnings(curve: Curve, tail: float) -> list[str]:
    last = f"{curve.mid_s[-1] / 3600:.4g} h"
    found = [
        f"One scan, at {last}, shows no washout: it is assumed, not measured."
        if len(curve) == 1
        else f"Activity was still rising, or had not begun to fall, at the last scan ({last}):"
        " the washout is assumed, not measured.",
        "Uptake may have gone on after the last scan; the interval does not cover that, and the true value may"
        " be higher.",
    ]
    if tail > EXTRAPOLATION_WARNING:
        found.append(f"{tail:.0%} of the time-integrated activity lies after the last scan, unmeasured.")
    return found


def best_next_scan(curve: Curve, decay_constant: float, population: PopulationHalfLife) -> float:
    """Return when one more scan would narrow the tail most, s after administration.

    Over the population's effective rates, a scan at t adds the information (t - t_last)² / r² on the rate,
    where r is the relative uncertainty of the ratio of the two activities; the last point's grows as
    1/√A with counts. Times up to five physical half-lives later are tried; as the optimum is flat, the earliest that
    leaves no more than a tenth more than the least expected variance of the tail's integral is returned.
    """
    rates, weights = population.rates(decay_constant)
    since = np.linspace(0.02, 5.0, 250)[:, None] * math.log(2) / decay_constant
    relative2 = float((curve.u_Bq[-1] / curve.activity_Bq[-1]) ** 2)
    noise2 = relative2 * (1.0 + np.exp(rates * since))
    mean = float(weights @ rates)
    prior = float(weights @ (rates - mean) ** 2) or (0.1 * mean) ** 2
    left = (1 / rates**4) / (1 / prior + since**2 / noise2)
    expected = left @ weights
    best = int(np.argmax(expected <= _FLAT * expected.min()))
    return float(curve.mid_s[-1] + since[best, 0])
