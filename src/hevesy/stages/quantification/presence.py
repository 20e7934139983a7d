"""Activity as it was present during a scan: decay correction undone, counts calibrated."""

from __future__ import annotations

import numpy as np

from hevesy.core import Image, Measured, Quantity, Timing, seconds_between
from hevesy.errors import MissingInformation, WrongQuantity
from hevesy.physics.decay import decay_factor, frame_mean_factor


def present_activity(image: Image, decay_constant_per_s: float) -> Image:
    """Return the mean activity concentration that was present during the acquisition.

    Parameters
    ----------
    image : Image
        Activity concentration, Bq/mL, with timing.
    decay_constant_per_s : float
        Physical decay constant, 1/s.

    Returns
    -------
    Image
        Bq/mL, not decay-corrected. A value corrected to the instant T₀ is multiplied by
        exp(-λ (t - T₀)) · (1 - exp(-λ d)) / (λ d), for a start t and a duration d.

    Raises
    ------
    WrongQuantity
        If the values are not Bq/mL.
    MissingInformation
        If the image has no timing.
    """
    image.require(Quantity.ACTIVITY_CONCENTRATION)
    timing = image.timing
    if timing is None:
        raise MissingInformation("An activity image has no acquisition time.", "Give it in case.yaml: time_points.")
    if timing.decay_corrected_to is None:
        return image
    delay_s = seconds_between(timing.decay_corrected_to, timing.start)
    factor = float(
        decay_factor(decay_constant_per_s, delay_s) * frame_mean_factor(decay_constant_per_s, timing.duration_s)
    )
    values = (image.values * np.float64(factor)).astype(np.float32)
    history = image.provenance.then("decay correction undone", factor=factor)
    return Image(values, image.grid, image.quantity, Timing(timing.start, timing.duration_s), history)


def calibrated(image: Image, sensitivity: Measured) -> Image:
    """Turn reconstructed counts into activity concentration.

    Parameters
    ----------
    image : Image
        Counts per voxel over the acquisition, with timing.
    sensitivity : Measured
        Calibration factor, counts per second and becquerel (``"1/s/Bq"``).

    Returns
    -------
    Image
        Bq/mL = counts / (duration · sensitivity · voxel volume).

    Raises
    ------
    WrongQuantity
        If the values are not counts, or the factor has another unit or is not positive.
    MissingInformation
        If the acquisition's duration is not known.
    """
    image.require(Quantity.COUNTS)
    if sensitivity.unit != "1/s/Bq" or sensitivity.value <= 0:
        raise WrongQuantity(f"A calibration factor must be positive and in 1/s/Bq, not {sensitivity}.")
    if image.timing is None or not image.timing.duration_s > 0:
        raise MissingInformation("Counts cannot be calibrated: the scan's duration is not known.")
    per_voxel = image.timing.duration_s * sensitivity.value * image.grid.voxel_volume_mL
    values = (image.values / per_voxel).astype(np.float32)
    history = image.provenance.then("calibrated", counts_per_s_per_MBq=sensitivity.value * 1e6)
    return Image(values, image.grid, Quantity.ACTIVITY_CONCENTRATION, image.timing, history)


def scaled(image: Image, becquerel_per_mL_per_unit: float) -> Image:
    """Turn values proportional to activity concentration into Bq/mL, by one factor.

    Raises
    ------
    WrongQuantity
        If the values are neither counts nor proportional to counts.
    """
    image.require(Quantity.COUNTS, Quantity.PROPORTIONAL_TO_COUNTS)
    values = (image.values * np.float64(becquerel_per_mL_per_unit)).astype(np.float32)
    history = image.provenance.then("scaled to activity", Bq_mL_per_unit=becquerel_per_mL_per_unit)
    return Image(values, image.grid, Quantity.ACTIVITY_CONCENTRATION, image.timing, history)
