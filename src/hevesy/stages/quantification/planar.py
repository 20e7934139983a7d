"""Activity from planar views: conjugate views, background, scatter windows, overlap, and the whole body.

Source: Siegel JA et al., MIRD Pamphlet 16, J Nucl Med 1999;40:37S-61S: with the counts I of two opposite views through
a body of thickness L and attenuation coefficient μ, and a source of thickness d,

    A = √(I_A·I_P·exp(μL))·f/C,  f = (μd/2)/sinh(μd/2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hevesy.core import Measured, PlanarView, seconds_between
from hevesy.errors import BadInput, MissingInformation
from hevesy.stages.quantification.conjugate_pair import ConjugatePair
from hevesy.stages.quantification.energy_windows import scatter_factors
from hevesy.stages.quantification.first_reading import WholeBodyReadings, calibrated_by_first


@dataclass(frozen=True, slots=True)
class Path:
    """What lies on the line from one detector to the other through a region.

    Parameters
    ----------
    attenuation : Measured
        exp(-μL) through the whole body there: counts of a flood source with over without the patient, or from CT.
    source_mm : float
        Thickness of the region along the line.
    body_mm : float
        Thickness of the body along the line.
    mu_per_mm : float
        Effective linear attenuation coefficient of the region.
    """

    attenuation: Measured
    source_mm: float
    body_mm: float
    mu_per_mm: float

    def __post_init__(self) -> None:
        if not 0 < self.attenuation.value <= 1:
            raise BadInput(f"A transmission must lie between 0 and 1, not {self.attenuation.value:g}.")
        if not (0 < self.source_mm <= self.body_mm and self.mu_per_mm >= 0):
            raise BadInput(
                f"A region of {self.source_mm:g} mm in a body of {self.body_mm:g} mm with μ = {self.mu_per_mm:g}/mm"
                " cannot be."
            )

    @property
    def self_attenuation(self) -> float:
        """The factor f = (μd/2)/sinh(μd/2) of an extended source."""
        half = 0.5 * self.mu_per_mm * self.source_mm
        return half / math.sinh(half) if half > 0 else 1.0

    @classmethod
    def through(cls, mu_per_mm: ArrayLike, step_mm: float, inside: ArrayLike) -> Path:
        """Return the path along one line of a map of attenuation coefficients, as from CT.

        Parameters
        ----------
        mu_per_mm : (n,) array
            Coefficients along the line, 1/mm, at the photon's energy.
        step_mm : float
            Distance between them.
        inside : (n,) array of bool
            Which of them are in the region.
        """
        mu, region = np.asarray(mu_per_mm, np.float64), np.asarray(inside, bool)
        if not region.any():
            raise BadInput("The line does not pass through the region.")
        body = mu > 1e-4
        return cls(
            Measured(math.exp(-float(mu.sum()) * step_mm), 0.0),
            float(region.sum()) * step_mm,
            max(float((body | region).sum()), float(region.sum())) * step_mm,
            float(mu[region].mean()),
        )


def conjugate_view(anterior: Measured, posterior: Measured, path: Path, calibration: Measured) -> Measured:
    """Return the activity between two opposite detectors, Bq.

    Parameters
    ----------
    anterior, posterior : Measured
        Count rates of the region without background, 1/s.
    path : Path
        Through the region.
    calibration : Measured
        Of one detector in air, ``"1/s/Bq"``.

    Raises
    ------
    BadInput
        If a count rate is not positive.
    """
    if not (anterior.value > 0 and posterior.value > 0):
        raise BadInput(
            f"Conjugate views need counts on both sides, not {anterior.value:.3g} and {posterior.value:.3g}/s.",
            "Check the background: it may be as high as the region.",
        )
    if anterior.unit != "1/s" or posterior.unit != "1/s" or calibration.unit != "1/s/Bq":
        raise BadInput("Conjugate views need count rates in 1/s and a calibration factor in 1/s/Bq.")
    return (((anterior * posterior / path.attenuation) ** 0.5).to(path.self_attenuation, "1/s") / calibration).to(
        1.0, "Bq"
    )


def without_background(counts: Measured, background: Measured, pixels: tuple[int, int], path: Path) -> Measured:
    """Return a region's counts without what lies before and behind it.

    The background beside the region comes through the whole body; over the region, what the region fills does not
    shine: its share is 1 - d/L.

    Parameters
    ----------
    counts, background : Measured
        In the region and in the background area.
    pixels : tuple of int
        Pixels of the region and of the background area.
    path : Path
        Through the region.
    """
    if min(pixels) < 1:
        raise BadInput("A region and its background must have pixels.")
    share = 1.0 - path.source_mm / path.body_mm
    return counts - background * (pixels[0] / pixels[1] * share)


def scatter_corrected(peak: Measured, side: Sequence[tuple[Measured, float]], width_keV: float) -> Measured:
    """Return primary counts by two or three energy windows.

    The scatter under the peak is a trapezoid between the counts per keV of the windows beside it; with one window
    below, a triangle that ends at zero (Ogawa et al. 1991, IEEE Trans Med Imaging 10:408).

    Parameters
    ----------
    peak : Measured
        Counts in the peak window.
    side : sequence of (Measured, float)
        Counts in one or two windows beside it, and their widths, keV.
    width_keV : float
        Width of the peak window.
    """
    factors = scatter_factors([width for _, width in side], width_keV)
    return peak - sum((counts * factor for factor, (counts, _) in zip(factors, side, strict=True)), side[0][0] * 0.0)


def overlap(region: NDArray[np.bool_], others: Sequence[NDArray[np.bool_]]) -> float:
    """Return the share of a region's pixels that other regions cover on the same view."""
    mask = np.asarray(region, bool)
    if not mask.any():
        raise BadInput("The region covers no pixel of the view.")
    covered = np.zeros_like(mask)
    for other in others:
        covered |= np.asarray(other, bool)
    return float((covered & mask).sum() / mask.sum())


def whole_body_curve(
    pairs: Sequence[ConjugatePair], injected: datetime, administered: Measured, decay_constant: float
) -> WholeBodyReadings:
    """Return the activity of the whole body from conjugate whole-body views, calibrated by the first, before voiding.

    Parameters
    ----------
    pairs : sequence of ConjugatePair
        Of each scan, with timing, in order.
    injected : datetime
        Administration.
    administered : Measured
        Administered activity, Bq.
    decay_constant : float
        Physical, 1/s.

    Raises
    ------
    MissingInformation
        If a view says nothing of its time.
    BadInput
        If a view holds no counts.
    """
    if len(pairs) < 2:
        raise BadInput(f"A whole-body curve needs two or more scans, not {len(pairs)}.")
    means = [_mean_rate(pair) for pair in pairs]
    starts = np.array([_since(pair.anterior, injected) for pair in pairs])
    lengths = np.array([pair.anterior.timing.duration_s if pair.anterior.timing else 0.0 for pair in pairs])
    return calibrated_by_first((starts, starts + lengths), means, administered, decay_constant)


def _since(view: PlanarView, injected: datetime) -> float:
    if view.timing is None:
        raise MissingInformation("A whole-body view says nothing of its time.", "Supply start and duration.")
    return seconds_between(injected, view.timing.start)


def _mean_rate(pair: ConjugatePair) -> Measured:
    anterior, posterior = pair.rates(np.ones(pair.anterior.counts.shape, bool))
    if not (anterior.value > 0 and posterior.value > 0):
        raise BadInput("A whole-body view holds no counts.", "Check the energy window.")
    return ((anterior * posterior) ** 0.5).to(1.0, "1/s")
