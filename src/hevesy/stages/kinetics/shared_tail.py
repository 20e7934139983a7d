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
from hevesy.stages.kinetics.unseen_uptake import with_unseen_uptake

#: rates tried before the minimum is narrowed down
_GRID = 40
#: rates at which the integrals are looked at within the 95% range, and the normal deviate of its ends
_NODES, _Z = 9, 1.959964


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
    MissingInformation
        If the points' uncertainties are not known.
    """
    rate, asked = decay_rate(decay_constant), model_named(model)
    if len(curves) < 2 or asked.physical_tail:
        raise BadInput(f"A shared tail needs two or more curves and a model without a physical tail, not '{model}'.")
    tied = Model(f"{model}, shared tail", f"{asked.description}, the slow rate shared", asked.mix, True)
    for curve in curves:
        curve.require_u()
        if len(curve) < tied.parameters:
            raise BadInput(
                f"Curve '{curve.name}' has {len(curve)} points; with a shared tail '{model}' needs {tied.parameters}.",
                "Take a model with fewer parameters.",
            )

    def total(log_rate: float) -> float:
        return sum(solve(curve, rate, tied, math.exp(log_rate)).chi2 for curve in curves)

    best, least, ends = _minimum(total, math.log(rate), math.log(rate) + math.log(200.0))
    spread = (ends[1] - ends[0]) / (2 * _Z)
    tail = Measured(math.exp(best), math.exp(best) * spread, "1/s", "shared tail")
    nodes = np.linspace(*ends, _NODES)
    rises = np.array([max(total(float(x)) - least, 0.0) for x in nodes])
    around = [(math.exp(x), math.sqrt(max(_Z**2 - rise, 0.0)) / _Z) for x, rise in zip(nodes, rises, strict=True)]
    return tuple(_one(curve, decay_constant, (tied, tail), around) for curve in curves)


def _minimum(total: Callable[[float], float], low: float, high: float) -> tuple[float, float, tuple[float, float]]:
    """Return where a function of log(rate) is least, that least, and where it has risen by 3.84 on either side."""
    from scipy.optimize import brentq, minimize_scalar

    grid = np.linspace(low, high, _GRID)
    values = [total(float(x)) for x in grid]
    at = int(np.argmin(values))
    bracket = (float(grid[max(at - 1, 0)]), float(grid[min(at + 1, _GRID - 1)]))
    found = minimize_scalar(total, bounds=bracket, method="bounded", options={"xatol": 1e-7})
    best, least = float(found.x), float(found.fun)
    ends = []
    for limit in (low, high):
        beyond = [
            float(x) for x, v in zip(grid, values, strict=True) if v - least > _Z**2 and (x < best) == (limit < best)
        ]
        nearest = min(beyond, key=lambda x: abs(x - best), default=limit)
        root = brentq(lambda x: total(x) - least - _Z**2, best, nearest, xtol=1e-4) if beyond else limit
        ends.append(float(root))
    return best, least, (ends[0], ends[1])


def _one(
    curve: Curve,
    decay_constant: Measured | float,
    chosen: tuple[Model, Measured],
    around: Sequence[tuple[float, float]],
) -> Fit:
    """Describe one curve's fit; `around` holds rates and the share of a 95% half-width that chi² still leaves there."""
    rate, (model, tail) = decay_rate(decay_constant), chosen
    fit = describe(curve, decay_constant, solve(curve, rate, model, tail.value), ())
    low, high = fit.interval95
    tias = []
    for value, share in around:
        there = solve(curve, rate, model, value)
        half = _Z * share * fit.tia.u_relative * there.tia
        low, high = min(low, there.tia - half), max(high, there.tia + half)
        tias.append(there.tia)
    apart = around[-1][0] - around[0][0]
    slope = (tias[-1] - tias[0]) / apart if apart > 0 else 0.0
    tia = Measured.propagate(fit.tia.value, [(fit.tia, 1.0), (tail, slope)], "Bq·s")
    half_life = (math.log(2) / tail).to(1.0, "s")
    found = replace(fit, tia=tia, interval95=(max(low, 0.0), high), effective_half_life=half_life)
    return with_unseen_uptake(found, curve)
