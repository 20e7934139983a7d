"""The shape of a planar curve at the height of one SPECT: time-integrated activity by the hybrid method.

Planar views give a region's activity up to a factor (attenuation, overlap, sensitivity) that stays the same from scan
to scan; one SPECT gives the factor. Sources: Koral KF et al. 2000, Cancer Biother Radiopharm 15:347; He B et al. 2009,
Cancer Biother Radiopharm 24:141; Dewaraja YK et al., MIRD Pamphlet 23, J Nucl Med 2012;53:1310.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from hevesy.core import Measured
from hevesy.errors import BadInput, NoWashout, OutsideValidity
from hevesy.stages.kinetics.fit import Exponentials, Fit


def scaled_to(fit: Fit, spect: Measured, spect_s: float) -> Fit:
    """Return a fit of a planar curve, scaled so that it passes through the activity of one SPECT.

    With A_p the planar curve and A_S the SPECT's activity at t_S,  Ã = A_S · Ã_p / A_p(t_S): any factor common to the
    planar views cancels, and so does the part of their uncertainty that Ã_p and A_p(t_S) share.

    Parameters
    ----------
    fit : Fit
        Of the planar curve, in any unit.
    spect : Measured
        Activity by SPECT, Bq.
    spect_s : float
        Middle of the SPECT after administration, s.

    Raises
    ------
    BadInput
        If the SPECT shows no activity.
    NoWashout
        If the fit is no sum of exponentials, as where the planar curve still rises.
    OutsideValidity
        If the planar curve holds nothing at the time of the SPECT.
    """
    if spect.unit != "Bq" or not spect.value > 0:
        raise BadInput(f"The SPECT's activity in '{fit.name}' must be positive and in Bq, not {spect}.")
    shape = fit.shape
    if not isinstance(shape, Exponentials) or "amplitude_1" not in fit.parameters:
        raise NoWashout(
            f"The planar curve of '{fit.name}' gives no fitted shape ({fit.model}).",
            "Take planar views until activity falls, and name one model, not an average.",
        )
    there = _at(fit, shape, spect_s)
    if not there.value > 0:
        raise OutsideValidity(
            f"The planar curve of '{fit.name}' holds no activity at {spect_s / 3600:.4g} h, when the SPECT was taken.",
            "Take a planar view near the SPECT.",
        )
    factor = spect.value / there.value
    tia = (spect * (fit.tia / there)).to(1.0, "Bq·s")
    k = shape.rates_per_s.size
    units = np.r_[np.full(k, factor), np.ones(k)]
    covariance = fit.covariance * np.outer(units, units)
    heights = {name: p.to(factor, "Bq") for name, p in fit.parameters.items() if name.startswith("amplitude")}
    spread = 1.96 * math.sqrt(math.log1p(tia.u_relative**2))
    return replace(
        fit,
        parameters={**fit.parameters, **heights},
        covariance=covariance,
        tia=tia,
        interval95=(tia.value * math.exp(-spread), tia.value * math.exp(spread)),
        method=f"{fit.method} Planar shape, scaled to the SPECT at {spect_s / 3600:.4g} h.",
        shape=Exponentials(shape.amplitudes_Bq * factor, shape.rates_per_s, covariance),
    )


def _at(fit: Fit, shape: Exponentials, t_s: float) -> Measured:
    """Return the fitted curve at one time, with the causes of its parameters."""
    terms = []
    for i, (height, rate) in enumerate(zip(shape.amplitudes_Bq, shape.rates_per_s, strict=True), start=1):
        left = math.exp(-rate * t_s)
        terms.append((fit.parameters[f"amplitude_{i}"], left))
        terms.append((fit.parameters[f"rate_{i}"], -t_s * float(height) * left))
    return Measured.propagate(float(shape.activity(t_s)), terms, "Bq")
