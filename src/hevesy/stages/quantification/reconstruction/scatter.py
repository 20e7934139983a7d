"""Scattered counts in the photopeak window, estimated from windows beside it; added to the model, never subtracted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from hevesy.errors import BadInput, GridMismatch

Array = NDArray[np.float32]
#: part of the counts in a window below the peak that lies, scattered, in the peak (Jaszczak et al. 1984)
JASZCZAK = 0.5


def triple_window(
    lower: NDArray[Any],
    upper: NDArray[Any] | None,
    widths_keV: tuple[float, float, float],
    smoothing_bins: float = 2.0,
) -> Array:
    """Return scatter in the peak window by the triple energy window method.

    (lower / w_lower + upper / w_upper) · w_peak / 2 (Ogawa et al. 1991, IEEE Trans Med Imaging 10:408, equation 5):
    a trapezium under the peak.

    Parameters
    ----------
    lower, upper : (views, bins, slices) arrays
        Counts in the windows below and above the peak; no `upper` means none above, a triangle.
    widths_keV : tuple of float
        Widths of the lower, peak and upper window, keV.
    smoothing_bins : float
        Standard deviation of the smoothing of each view, bins: scatter is broad, its counts are few.

    Returns
    -------
    (views, bins, slices) array
        Expected scattered counts.

    Raises
    ------
    BadInput
        If a width is not positive or counts are negative.
    GridMismatch
        If the windows differ in shape.
    """
    if min(widths_keV) <= 0:
        raise BadInput(f"An energy window cannot be {min(widths_keV)} keV wide.")
    density = _smooth(lower, smoothing_bins) / widths_keV[0]
    if upper is not None:
        if np.shape(upper) != np.shape(lower):
            raise GridMismatch(f"Scatter windows of {np.shape(lower)} and {np.shape(upper)} differ.")
        density += _smooth(upper, smoothing_bins) / widths_keV[2]
    return np.asarray(density * (widths_keV[1] / 2), np.float32)


def dual_window(lower: NDArray[Any], fraction: float = JASZCZAK, smoothing_bins: float = 2.0) -> Array:
    """Return scatter in the peak window as a fraction of the counts in a window below it.

    Jaszczak et al. 1984, J Nucl Med 25:893: 0.5 for Tc-99m with 127–153 and 92–125 keV.

    Raises
    ------
    BadInput
        If the fraction or the counts are negative.
    """
    if fraction < 0:
        raise BadInput(f"The scatter fraction cannot be {fraction}.")
    return np.asarray(_smooth(lower, smoothing_bins) * fraction, np.float32)


def _smooth(counts: NDArray[Any], bins: float) -> NDArray[np.float64]:
    values = np.asarray(counts, np.float64)
    if values.min() < 0:
        raise BadInput("A scatter window holds negative counts.", "Give counts as measured.")
    if bins <= 0:
        return values
    return np.asarray(gaussian_filter1d(gaussian_filter1d(values, bins, axis=1), bins, axis=2))
