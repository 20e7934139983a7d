"""Every model that a curve's points allow, side by side."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hevesy.core import Curve, Measured
from hevesy.stages.kinetics.criterion import Criterion
from hevesy.stages.kinetics.exponentials import solve
from hevesy.stages.kinetics.models import CANDIDATES, MODELS
from hevesy.stages.kinetics.physical import decay_rate, still_rising


@dataclass(frozen=True, slots=True)
class Candidate:
    """One model's best fit to a curve.

    Parameters
    ----------
    model, description : str
        A key of `MODELS`, and what it says.
    parameters : int
        Number of fitted parameters.
    chi2 : float
        Weighted sum of squares.
    aic, aicc : float or None
        Akaike's criterion and its second-order form; None where it is not defined for so few points.
    tia_Bq_s : float
        Time-integrated activity, Bq·s.
    automatic : bool
        Whether ``auto`` chooses among it and others; the rest are taken only where they are asked for.
    """

    model: str
    description: str
    parameters: int
    chi2: float
    aic: float | None
    aicc: float | None
    tia_Bq_s: float
    automatic: bool


def compare_models(curve: Curve, decay_constant: Measured | float) -> tuple[Candidate, ...]:
    """Fit every model that has no more parameters than the curve has points.

    Parameters
    ----------
    curve : Curve
        The points.
    decay_constant : Measured or float
        Physical, 1/s.

    Returns
    -------
    tuple of Candidate
        In the order of `MODELS`; empty for one point, and where activity has not begun to fall.
    """
    if len(curve) < 2 or not curve.activity_Bq.max() > 0 or still_rising(curve, decay_constant):
        return ()
    rate = decay_rate(decay_constant)
    plain, corrected = (Criterion(corrected=second, u_known=curve.u_known) for second in (False, True))
    solutions = [solve(curve, rate, model) for model in MODELS.values() if model.parameters <= len(curve)]
    return tuple(
        Candidate(
            model=one.model.name,
            description=one.model.description,
            parameters=one.model.parameters,
            chi2=one.chi2,
            aic=_defined(one.by(plain)),
            aicc=_defined(one.by(corrected)),
            tia_Bq_s=one.tia,
            automatic=one.model.name in CANDIDATES,
        )
        for one in solutions
    )


def _defined(value: float) -> float | None:
    return value if math.isfinite(value) else None
