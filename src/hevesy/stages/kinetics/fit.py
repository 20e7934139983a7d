"""What a fit of a time-activity curve comes to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hevesy.core import Curve, Measured

#: share of the time-integrated activity beyond the last scan, or before the first, past which a fit warns
EXTRAPOLATION_WARNING = 0.20

Array = NDArray[np.float64]


class TimeActivity(Protocol):
    """A curve that can be evaluated at any time after administration."""

    def activity(self, t_s: ArrayLike) -> Array:
        """Return the activity at times t_s, Bq."""

    def band(self, t_s: ArrayLike) -> tuple[Array, Array]:
        """Return the lower and upper limit of the activity at times t_s, Bq."""


@dataclass(frozen=True, slots=True, eq=False)
class Exponentials:
    """A sum of exponentials with the covariance of its parameters.

    Parameters
    ----------
    amplitudes_Bq, rates_per_s : (k,) arrays
        A(t) = Σ amplitude · exp(-rate · t).
    covariance : (2k, 2k) array
        Of the amplitudes, then the rates.
    deviate : float
        Standard uncertainties to the end of a 95% interval.
    """

    amplitudes_Bq: Array
    rates_per_s: Array
    covariance: Array = field(repr=False)
    deviate: float = 1.959964

    def activity(self, t_s: ArrayLike) -> Array:
        """Return the activity at times t_s, Bq."""
        t = np.asarray(t_s, np.float64)
        return np.asarray(np.exp(-np.multiply.outer(t, self.rates_per_s)) @ self.amplitudes_Bq)

    def band(self, t_s: ArrayLike) -> tuple[Array, Array]:
        """Return the 95% interval of the activity at times t_s, Bq; not below zero."""
        t = np.asarray(t_s, np.float64)
        decays = np.exp(-np.multiply.outer(t, self.rates_per_s))
        gradient = np.concatenate([decays, -t[..., None] * decays * self.amplitudes_Bq], axis=-1)
        variance = np.einsum("...i,ij,...j->...", gradient, self.covariance, gradient)
        middle, half = decays @ self.amplitudes_Bq, self.deviate * np.sqrt(np.maximum(variance, 0.0))
        return np.maximum(middle - half, 0.0), middle + half

    def integral(self, start_s: float = 0.0, end_s: float = math.inf) -> float:
        """Integrate from one time to another, Bq·s."""
        decays = np.exp(-self.rates_per_s * start_s) - np.exp(-self.rates_per_s * end_s)
        return float(np.sum(self.amplitudes_Bq * decays / self.rates_per_s))


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A time-activity curve turned into a time-integrated activity.

    Parameters
    ----------
    name : str
        The region's name.
    model : str
        A key of `MODELS`, or the name of a method that fits no model.
    parameters : mapping of str to Measured
        By name; they share their causes, so that what is computed from them keeps their covariance.
    covariance : (p, p) array
        Of the amplitudes (Bq), then the rates (1/s).
    tia : Measured
        Time-integrated activity, Bq·s.
    interval95 : tuple of float
        What lies inside with 95% confidence, or, where the method says so, for every stated assumption, Bq·s.
    effective_half_life : Measured or None
        Of the slowest component, s; None where no washout was seen.
    tail_fraction : float
        Share of `tia` after the last scan.
    chi2 : float
        Weighted sum of squares; NaN where nothing was fitted.
    method : str
        How the number was come by, in a sentence for the report.
    warnings : tuple of str
        What a reader must know.
    shape : TimeActivity
        The curve.
    best_next_scan_s : float or None
        When a further scan would narrow the result most, s after administration.
    criterion : str
        ``"AIC"`` or ``"AICc"``, by which the model was chosen or models were weighted; empty where it was asked for.
    shape_points : Curve or None
        The planar points behind the shape, scaled to the SPECT; None where the curve's own points made it.
    """

    name: str
    model: str
    parameters: Mapping[str, Measured]
    covariance: Array = field(repr=False)
    tia: Measured
    interval95: tuple[float, float]
    effective_half_life: Measured | None
    tail_fraction: float
    chi2: float
    method: str
    warnings: tuple[str, ...]
    shape: TimeActivity = field(repr=False)
    best_next_scan_s: float | None = None
    criterion: str = ""
    shape_points: Curve | None = None

    def activity(self, t_s: ArrayLike) -> Array:
        """Return the activity at times t_s, Bq."""
        return self.shape.activity(t_s)

    def band(self, t_s: ArrayLike) -> tuple[Array, Array]:
        """Return the lower and upper 95% limit of the activity at times t_s, Bq."""
        return self.shape.band(t_s)
