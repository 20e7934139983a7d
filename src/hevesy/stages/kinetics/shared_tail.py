"""Curves that end in one washout: regions of one tissue, whose late points are few, share the rate of their tail."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from hevesy.core import Curve, Measured
from hevesy.errors import BadInput
from hevesy.stages.kinetics.exponentials import describe, solve
from hevesy.stages.kinetics.fit import Fit
from hevesy.stages.kinetics.models import Model, model_named
from hevesy.stages.kinetics.physical import decay_rate

#: rates tried before the minimum is narrowed down
_GRID = 40


def fit_shared_tail(curves: Sequence[Curve], decay_constant: Measured | float, model: str = "bi") -> tuple[Fit, ...]:
    """Fit curves with amplitudes and fast rates of their own and one slow rate for all.

    The sum of all chi² is minimised over the slow rate; its uncertainty, from the curvature, is one cause in every fit.

    Parameters
    ----------
    curves : sequence of Curve
        Two or more.
    decay_constant : Measured or float
        Physical, 1/s; the slow rate is not below it.
    model : str
        ``"mono"``, ``"bi"``, ``"uptake"``, ``"uptake-free"``, ``"tri"`` or ``"tri-uptake"``.

    Raises
    ------
    BadInput
        If there is one curve, a curve has fewer points than it has parameters of its own, or the model has a tail
        already.
    """
    rate, asked = decay_rate(decay_constant), model_named(model)
    if len(curves) < 2 or asked.physical_tail:
        raise BadInput(f"A shared tail needs two or more curves and a model without a physical tail, not '{model}'.")
    tied = Model(f"{model}, shared tail", f"{asked.description}, the slow rate shared", asked.mix, True)
    for curve in curves:
        if len(curve) < tied.parameters:
            raise BadInput(
                f"Curve '{curve.name}' has {len(curve)} points; with a shared tail '{model}' needs {tied.parameters}.",
                "Take a model with fewer parameters.",
            )

    def total(log_rate: float) -> float:
        return sum(solve(curve, rate, tied, math.exp(log_rate)).chi2 for curve in curves)

    best, spread = _minimum(total, math.log(rate), math.log(rate) + math.log(200.0))
    tail = Measured(math.exp(best), math.exp(best) * spread, "1/s", "shared tail")
    return tuple(_one(curve, decay_constant, tied, tail) for curve in curves)


def _minimum(total: Callable[[float], float], low: float, high: float) -> tuple[float, float]:
    """Return where a function of log(rate) is least, and the standard uncertainty there from its curvature."""
    from scipy.optimize import minimize_scalar

    grid = np.linspace(low, high, _GRID)
    values = [total(float(x)) for x in grid]
    at = int(np.argmin(values))
    bracket = (float(grid[max(at - 1, 0)]), float(grid[min(at + 1, _GRID - 1)]))
    found = minimize_scalar(total, bounds=bracket, method="bounded", options={"xatol": 1e-7})
    best, least = float(found.x), float(found.fun)
    step = 1e-2
    while step < 1.0:
        rise = total(best + step) - least
        if rise > 0.05:
            break
        step *= 2.0
    return best, step / math.sqrt(rise) if rise > 0 else 0.0


def _one(curve: Curve, decay_constant: Measured | float, model: Model, tail: Measured) -> Fit:
    rate = decay_rate(decay_constant)
    fit = describe(curve, decay_constant, solve(curve, rate, model, tail.value), ())
    step = max(tail.u, 1e-3 * tail.value)
    there = [solve(curve, rate, model, max(tail.value + sign * step, rate)) for sign in (-1.0, 1.0)]
    apart = float(there[1].rates[-1] - there[0].rates[-1])
    slope = (there[1].tia - there[0].tia) / apart if apart > 0 else 0.0
    tia = Measured.propagate(fit.tia.value, [(fit.tia, 1.0), (tail, slope)], "Bq·s")
    half = 1.959964 * abs(slope) * tail.u
    low, high = fit.interval95
    interval = (
        fit.tia.value - math.hypot(fit.tia.value - low, half),
        fit.tia.value + math.hypot(high - fit.tia.value, half),
    )
    half_life = (math.log(2) / tail).to(1.0, "s")
    return replace(fit, tia=tia, interval95=interval, effective_half_life=half_life)
