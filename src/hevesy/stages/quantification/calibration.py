"""Calibration factors: counts per second and becquerel, from a scan of a known activity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from hevesy.core import Image, Measured, Quantity, Region, Timing, seconds_between
from hevesy.errors import BadInput, MissingInformation, WrongQuantity
from hevesy.physics.decay import decay_factor, frame_mean_factor


@dataclass(frozen=True, slots=True)
class KnownActivity:
    """A phantom's activity as it was measured.

    Parameters
    ----------
    activity : Measured
        In the phantom, Bq, with the uncertainty of the activity meter.
    measured_at : datetime
        The instant that it refers to.
    decay_constant : Measured
        Physical, 1/s.
    """

    activity: Measured
    measured_at: datetime
    decay_constant: Measured

    def decays_during(self, start: datetime, duration_s: float) -> Measured:
        """Return the mean activity during a scan, Bq: A₀·exp(-λΔ)·(1 - exp(-λT))/(λT)."""
        rate, delay = self.decay_constant.value, seconds_between(self.measured_at, start)
        factor = float(decay_factor(rate, delay) * frame_mean_factor(rate, duration_s))
        # d ln(factor)/dλ = -Δ + d ln(mean)/dλ, the latter -T/2 to first order
        slope = self.activity.value * factor * -(delay + 0.5 * duration_s)
        return Measured.propagate(
            self.activity.value * factor, [(self.activity, factor), (self.decay_constant, slope)], "Bq"
        )


def calibration_factor(
    counts: Measured,
    timing: Timing,
    known: KnownActivity,
    background_per_s: Measured | None = None,
) -> Measured:
    """Return the calibration factor, counts per second and becquerel (``"1/s/Bq"``).

    Parameters
    ----------
    counts : Measured
        In the phantom, dead time corrected.
    timing : Timing
        Of the scan: counts that were corrected for decay stand for the activity at the instant that they were corrected
        to, others for the mean during the scan.
    known : KnownActivity
        What was in the phantom.
    background_per_s : Measured or None
        Rate without the phantom, 1/s.

    Raises
    ------
    BadInput
        If the duration or what is left after background is not positive.
    """
    duration_s, corrected_to = timing.duration_s, timing.decay_corrected_to
    if not duration_s > 0:
        raise MissingInformation("A calibration needs the scan's duration.", "Give it in seconds.")
    rate = Measured.propagate(counts.value / duration_s, [(counts, 1 / duration_s)], "1/s")
    if background_per_s is not None:
        rate = rate - background_per_s
    if not rate.value > 0:
        raise BadInput(
            f"The phantom's count rate is {rate.value:.4g} per second after background.", "Check the region."
        )
    stands_for = (corrected_to, 0.0) if corrected_to is not None else (timing.start, duration_s)
    return (rate / known.decays_during(*stands_for)).to(1.0, "1/s/Bq")


def calibrate_image(image: Image, known: KnownActivity, region: Region | None = None) -> Measured:
    """Return the calibration factor from a scan of a phantom.

    Parameters
    ----------
    image : Image
        Counts per voxel, with timing.
    known : KnownActivity
        What was in the region.
    region : Region or None
        Where the activity is; None takes the whole image. Counting alone (√N) is its uncertainty: repeat the scan
        and average to learn what reconstruction adds.

    Raises
    ------
    WrongQuantity, MissingInformation, GridMismatch
        If the image is not of counts, has no timing, or lies on another grid than the region.
    """
    image.require(Quantity.COUNTS)
    if image.timing is None:
        raise MissingInformation("The phantom scan says nothing of its time.", "Give start and duration.")
    if region is None:
        total = float(image.values.sum(dtype=np.float64))
    else:
        total = region.integral(image) / image.grid.voxel_volume_mL
    if not total > 0:
        raise BadInput("The phantom scan holds no counts there.", "Check the region.")
    counts = Measured(total, math.sqrt(total), "", "counts")
    return calibration_factor(counts, image.timing, known)


def combine(factors: Sequence[Measured]) -> Measured:
    """Return the mean of repeated calibrations; causes that they share stay, their scatter over √n is added.

    Raises
    ------
    BadInput
        If there is none.
    """
    if not factors:
        raise BadInput("There is no calibration to average.")
    n = len(factors)
    values = np.array([f.value for f in factors])
    unit = factors[0].unit
    if any(f.unit != unit for f in factors):
        raise WrongQuantity("Calibration factors in different units cannot be averaged.")
    mean = Measured.propagate(float(values.mean()), [(f, 1 / n) for f in factors], unit)
    if n == 1:
        return mean
    return mean + Measured(0.0, float(values.std(ddof=1)) / math.sqrt(n), unit, "repeats")


def cross_calibrate(factor: Measured, own: Measured, reference: Measured) -> Measured:
    """Bring a calibration factor from a department's activity meter onto a reference instrument.

    Parameters
    ----------
    factor : Measured
        Counts per second and becquerel, by the department's meter.
    own, reference : Measured
        One source as the department's meter and the reference read it, Bq, at one instant.
    """
    if own.unit != "Bq" or reference.unit != "Bq" or not (own.value > 0 and reference.value > 0):
        raise BadInput(f"A cross-calibration needs two readings in Bq, not {own} and {reference}.")
    return (factor * own / reference).to(1.0, factor.unit)
