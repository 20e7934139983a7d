"""Uptake that was over before the first scan: what a washout fitted from administration may hold too much.

A sum of washouts has its greatest activity at administration. In a tissue that takes activity up it began at zero, and
how it rose was not measured. The head of the curve, its integral up to the first scan at t₁, lies between that of a
straight line from zero, A(t₁)·t₁/2, and that of the fitted curve, as if uptake had been over at once.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from hevesy.core import Curve, Measured
from hevesy.stages.kinetics.fit import Exponentials, Fit

#: named as in the bounds of a curve that still rises
LABEL = "before the first scan"
#: share of the time-integrated activity below which the limits are one
_NEGLIGIBLE = 1e-3
#: half of the central 95% of a rectangular distribution, over its half-width
_CENTRAL = 0.95


def with_unseen_uptake(fit: Fit, curve: Curve) -> Fit:
    """Add to a fit what it may hold too much before the first scan.

    The value stays that of the fit. The limits of the head are taken as a rectangular distribution (JCGM 100:2008,
    4.3.8, for limits that lie unevenly about the value): a standard uncertainty of their distance over √12, and an
    interval that reaches down from the middle between them by the root of the sum of both half-widths squared. Nothing
    is added where the fitted curve still rises at the first scan, so that uptake was measured, or where the first scan
    was so early that the limits differ by less than a thousandth of the time-integrated activity.

    Parameters
    ----------
    fit : Fit
        Of a sum of exponentials.
    curve : Curve
        What was fitted.
    """
    assert isinstance(fit.shape, Exponentials)
    excess = _excess_Bq_s(fit.shape, float(curve.starts_s[0]))
    if excess <= _NEGLIGIBLE * fit.tia.value:
        return fit
    low, high = fit.interval95
    reach = 0.5 * excess + math.hypot(fit.tia.value - low, _CENTRAL * 0.5 * excess)
    return replace(
        fit,
        tia=fit.tia + Measured(0.0, excess / math.sqrt(12.0), "Bq·s", LABEL),
        interval95=(max(fit.tia.value - reach, 0.0), high),
    )


def _excess_Bq_s(shape: Exponentials, first_s: float) -> float:
    """Return the curve's integral up to the first scan over that of a straight line from zero to it; 0 if it rises."""
    slope = -float(np.exp(-shape.rates_per_s * first_s) @ (shape.amplitudes_Bq * shape.rates_per_s))
    if slope > 0:
        return 0.0
    return shape.integral(0.0, first_s) - 0.5 * first_s * float(shape.activity(first_s))
