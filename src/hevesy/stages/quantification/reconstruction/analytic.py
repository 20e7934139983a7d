"""Filtered backprojection, for teaching, and the filter that smooths an image after reconstruction."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import gaussian_filter

from hevesy.errors import BadInput
from hevesy.stages.quantification.reconstruction.response import FWHM_PER_SIGMA
from hevesy.stages.quantification.reconstruction.system import Lattice, SystemModel

Array = NDArray[np.float32]


def filtered_backprojection(system: SystemModel, counts: NDArray[Any], cutoff: float = 1.0) -> Array:
    """Reconstruct by filtered backprojection: a ramp under a Hann window, then backprojection.

    The sampled ramp is that of Ramachandran and Lakshminarayanan 1971, Proc Natl Acad Sci 68:2236, so that a uniform
    disc keeps its value. Attenuation and response are not modelled.

    Parameters
    ----------
    system : SystemModel
        Whose lattice and orbit are used; views must be evenly spaced over 180° or 360°.
    counts : (views, bins, slices) array
        Projections.
    cutoff : float
        Where the Hann window reaches zero, in units of the Nyquist frequency, above 0 to 1.

    Returns
    -------
    (side, side, slices) array
        The image, negative values included; 0 outside the circle that every view sees.

    Raises
    ------
    BadInput
        If the cut-off is not above 0 and at most 1, or the views are those of a fan beam.
    IncompleteSeries
        If the views do not cover 180°.
    """
    if not 0 < cutoff <= 1:
        raise BadInput(f"A cut-off must lie above 0 and at most at 1 (Nyquist), not at {cutoff}.")
    if system.orbit.focal_mm is not None:
        raise BadInput("Filtered backprojection takes parallel holes, not a fan beam.", "Use an iterative algorithm.")
    system.orbit.require_coverage()
    plain = SystemModel(system.lattice, system.orbit)
    length = 2 * fft.next_fast_len(system.lattice.side, real=True)
    spectrum = fft.rfft(np.asarray(counts, np.float64), length, axis=1) * _ramp(length, cutoff)[:, None]
    filtered = fft.irfft(spectrum, length, axis=1)[:, : system.lattice.side]
    image = plain.backward(filtered) * np.float32(np.pi / system.views)
    image[~_seen_by_all(system.lattice.side)] = 0
    return image


def smoothed(image: NDArray[Any], lattice: Lattice, fwhm_mm: float) -> Array:
    """Smooth an image by a Gaussian of a full width at half maximum, mm; 0 leaves it as it is.

    Raises
    ------
    BadInput
        If the width is negative.
    """
    if not 0 <= fwhm_mm < float("inf"):
        raise BadInput(f"A filter cannot be {fwhm_mm} mm wide.")
    sigma = fwhm_mm / FWHM_PER_SIGMA
    sigmas = (sigma / lattice.pixel_mm, sigma / lattice.pixel_mm, sigma / lattice.slice_mm)
    return np.asarray(gaussian_filter(image, sigmas) if fwhm_mm else image, np.float32)


def _seen_by_all(side: int) -> NDArray[np.bool_]:
    place = np.arange(side) - (side - 1) / 2
    return np.asarray(np.hypot(place[:, None], place[None, :]) <= side / 2)


def _ramp(length: int, cutoff: float) -> NDArray[np.float64]:
    place = np.minimum(np.arange(length), length - np.arange(length)).astype(np.float64)
    sampled = np.where(place % 2 == 1, -1 / (np.pi * np.maximum(place, 1)) ** 2, 0.0)
    sampled[0] = 0.25
    frequency = np.abs(fft.rfftfreq(length)) * 2
    window = np.where(frequency <= cutoff, 0.5 + 0.5 * np.cos(np.pi * frequency / cutoff), 0.0)
    return np.asarray(fft.rfft(sampled).real * window)
