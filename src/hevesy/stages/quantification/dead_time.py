"""Counts that a camera misses because it is busy.

A camera that misses what comes within a time τ of a counted event (not paralysable) shows m = n/(1 + nτ) of a true rate
n; one in which every event, counted or not, starts τ anew (paralysable) shows m = n·exp(-nτ), and never more than
1/(eτ). Source: Knoll, Radiation Detection and Measurement, 4th ed., 2010, 4.VII.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hevesy.core import Measured
from hevesy.errors import BadInput, OutsideValidity
from hevesy.physics.decay import decay_factor

Behaviour = Literal["paralysable", "non-paralysable"]


def observed_rate(true_per_s: float, tau_s: float, behaviour: Behaviour) -> float:
    """Return the rate that a camera shows, 1/s."""
    if behaviour == "non-paralysable":
        return true_per_s / (1 + true_per_s * tau_s)
    return true_per_s * math.exp(-true_per_s * tau_s)


def true_rate(observed: Measured, tau: Measured, behaviour: Behaviour) -> Measured:
    """Return the true rate behind an observed one, 1/s.

    A paralysable camera shows each rate at two true ones; the lower is returned.

    Parameters
    ----------
    observed : Measured
        1/s.
    tau : Measured
        Dead time, s.

    Raises
    ------
    OutsideValidity
        If the camera cannot show such a rate.
    BadInput
        If a value is negative or in another unit.
    """
    if observed.unit != "1/s" or tau.unit != "s" or observed.value < 0 or tau.value < 0:
        raise BadInput(f"A dead-time correction needs a rate in 1/s and a dead time in s, not {observed} and {tau}.")
    m, t = observed.value, tau.value
    limit = 1 / t if behaviour == "non-paralysable" else 1 / (math.e * t)
    if t > 0 and m >= limit * (1 - 1e-12):
        raise OutsideValidity(
            f"A {behaviour} camera of {t * 1e6:.3g} µs dead time cannot show {m:.4g} counts per second;"
            f" its limit is {limit:.4g}.",
            "Check the dead time, or scan later.",
        )
    if behaviour == "non-paralysable":
        lost = 1 - m * t
        return Measured.propagate(m / lost, [(observed, 1 / lost**2), (tau, (m / lost) ** 2)], "1/s")
    n = _lower_root(m, t)
    slope = 1 / (math.exp(-n * t) * (1 - n * t))
    return Measured.propagate(n, [(observed, slope), (tau, n * n / (1 - n * t))], "1/s")


def _lower_root(m: float, t: float) -> float:
    """Solve n·exp(-nt) = m below its maximum by Newton's method from below, where it cannot overshoot."""
    n = m
    for _ in range(60):
        step = (m - n * math.exp(-n * t)) / (math.exp(-n * t) * (1 - n * t))
        n += step
        if abs(step) <= 1e-15 * n:
            break
    return n


def fit_dead_time(
    times_s: Sequence[float], rates: Sequence[Measured], decay_constant: float, behaviour: Behaviour
) -> Measured:
    """Fit the dead time to a source that decays in front of the camera.

    Parameters
    ----------
    times_s : sequence of float
        Times of the measurements, s.
    rates : sequence of Measured
        Observed rates, 1/s.
    decay_constant : float
        Physical, 1/s.

    Returns
    -------
    Measured
        Dead time, s; labelled "dead time".

    Raises
    ------
    BadInput
        If there are fewer than three measurements.
    """
    from scipy.optimize import least_squares

    if len(rates) < 3 or len(rates) != len(times_s):
        raise BadInput(f"A dead time needs three or more measurements with their times, not {len(rates)}.")
    decay = decay_factor(decay_constant, times_s)
    m = np.array([r.value for r in rates])
    u = np.array([r.u for r in rates])

    def misfit(p: NDArray[np.float64]) -> NDArray[np.float64]:
        true = math.exp(p[0]) * decay
        shown = true / (1 + true * p[1]) if behaviour == "non-paralysable" else true * np.exp(-true * p[1])
        return np.asarray((shown - m) / u)

    top = float(m.max())
    latest = int(np.argmin(decay))
    unlost = math.log(m[latest] / decay[latest])
    best = min(
        (least_squares(misfit, (unlost, s / top), x_scale=(1.0, 0.1 / top)) for s in (0.0, 0.05, 0.2)),
        key=lambda found: found.cost,
    )
    covariance = np.linalg.inv(np.asarray(best.jac).T @ np.asarray(best.jac))
    return Measured(max(float(best.x[1]), 0.0), math.sqrt(float(covariance[1, 1])), "s", "dead time")
