"""Which bars of a quadrant phantom a gamma camera shows: modulation by the Fourier sum of each quadrant.

After the idea of T. A. Hander et al., Med. Phys. 24 (1997) 327-334, who take the modulation of bars from the variance
of a region; the fundamental alone needs no estimate of the noise, and tells width and direction of the bars too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, optimize

from hevesy.core import Measured, PlanarView
from hevesy.errors import BadInput

#: amplitude over mean of the fundamental of opaque bars as wide as the gaps between them
SQUARE_WAVE = 4 / math.pi
#: a modulation is visible to us from this many of its standard uncertainties on
SIGNIFICANT = 5.0
#: periods looked for, mm: bars of 1 to 8 mm
PERIODS_MM = (2.0, 16.0)
#: part of a quadrant left out at each of its sides
MARGIN = 0.17
#: part of a quadrant that must be lit: bars are, seen through a blur of a few millimetres
LIT = 0.9
#: smallest quadrant, mm
LEAST_SIDE_MM = 50.0
QUADRANTS = {"upper left": (-1, -1), "upper right": (-1, 1), "lower left": (1, -1), "lower right": (1, 1)}


@dataclass(frozen=True, slots=True)
class BarPattern:
    """One quadrant.

    Parameters
    ----------
    quadrant : str
        Such as ``"upper left"``.
    bar_mm : float
        Width of a bar: half the strongest period in the quadrant, mm.
    across_deg : float
        Direction across the bars, degrees from the rows' direction.
    modulation : Measured
        Amplitude of the fundamental over the mean; 4/π would be perfect.
    visible : bool
        Whether it exceeds five of its standard uncertainties.
    """

    quadrant: str
    bar_mm: float
    across_deg: float
    modulation: Measured
    visible: bool

    @property
    def transfer(self) -> Measured:
        """Modulation transfer at the bars' frequency, for opaque bars as wide as their gaps."""
        return self.modulation / SQUARE_WAVE

    @property
    def implied_fwhm_mm(self) -> float | None:
        """Width of the Gaussian with this transfer, mm; None where the bars are not visible or transfer is perfect."""
        transfer = self.transfer.value
        if not self.visible or transfer >= 1:
            return None
        sigma = 2 * self.bar_mm * math.sqrt(-math.log(transfer) / 2) / math.pi
        return 2 * math.sqrt(2 * math.log(2)) * sigma


def quadrant_bars(view: PlanarView) -> tuple[BarPattern, ...]:
    """Return the bar pattern of the four quadrants about the middle of what is lit.

    Raises
    ------
    BadInput
        If little of the view is lit.
    """
    counts = np.asarray(view.counts, np.float64)
    # over a whole period of the widest bars, dark and light are even
    even = ndimage.uniform_filter(counts, [max(1, round(PERIODS_MM[1] / size)) for size in view.pixel_mm])
    lit = even > 0.25 * np.percentile(even, 99)
    rows, columns = np.flatnonzero(lit.mean(1) > 0.2), np.flatnonzero(lit.mean(0) > 0.2)
    if not (rows.size and columns.size) or counts.sum() < 1e5:
        raise BadInput("This is no bar phantom: too little of the view is lit.", "Count at least 100,000.")
    middle = ((rows[0] + rows[-1]) / 2, (columns[0] + columns[-1]) / 2)
    side = min((rows[-1] - rows[0]) * view.pixel_mm[0], (columns[-1] - columns[0]) * view.pixel_mm[1]) / 2
    if side < LEAST_SIDE_MM:
        raise BadInput("This is no bar phantom: too little of the view is lit.", "Give one that fills the field.")
    patterns = []
    for name, signs in QUADRANTS.items():
        cuts = []
        for sign, centre, size in zip(signs, middle, view.pixel_mm, strict=True):
            ends = sorted(centre + sign * part * side / size for part in (MARGIN, 1 - MARGIN))
            cuts.append(slice(round(ends[0]), round(ends[1])))
        if lit[cuts[0], cuts[1]].mean() < LIT:
            raise BadInput(
                f"This is no bar phantom: its {name} quadrant is dark in part.", "Give one that fills the field."
            )
        patterns.append(bar_pattern(counts[cuts[0], cuts[1]], view.pixel_mm, name))
    return tuple(patterns)


def bar_pattern(counts: NDArray[np.float64], pixel_mm: tuple[float, float], quadrant: str = "") -> BarPattern:
    """Return the strongest periodic pattern of a region.

    Parameters
    ----------
    counts : (rows, columns) array
        Counts of the region.
    pixel_mm : tuple of float
        Distance between rows and between columns, mm.
    quadrant : str
        What to call it.

    Raises
    ------
    BadInput
        If the region is smaller than four of the longest periods or empty.
    """
    size = [n * p for n, p in zip(counts.shape, pixel_mm, strict=True)]
    if min(size) < 2 * PERIODS_MM[1] or not counts.sum() > 0:
        raise BadInput(f"A region of {size[0]:.0f} × {size[1]:.0f} mm is too small to tell bars.")
    window = np.outer(np.hanning(counts.shape[0] + 2)[1:-1], np.hanning(counts.shape[1] + 2)[1:-1])
    flat = counts - (counts * window).sum() / window.sum()
    frequency = _strongest(flat * window, pixel_mm)
    total = float((counts * window).sum())
    amplitude = 2 * abs(_sum(flat * window, pixel_mm, frequency)) / total
    noise = math.sqrt(2 * float((counts * window**2).sum())) / total
    across = math.degrees(math.atan2(frequency[0], frequency[1])) % 180
    modulation = Measured(amplitude, noise, "", "counting")
    return BarPattern(quadrant, 0.5 / math.hypot(*frequency), across, modulation, amplitude > SIGNIFICANT * noise)


def _strongest(values: NDArray[np.float64], pixel_mm: tuple[float, float]) -> tuple[float, float]:
    """Return the frequency (across rows, across columns) of the largest Fourier sum, 1/mm."""
    shape = [2 * n for n in values.shape]
    power = np.abs(np.fft.rfft2(values, shape))
    up, across = np.fft.fftfreq(shape[0], pixel_mm[0]), np.fft.rfftfreq(shape[1], pixel_mm[1])
    radius = np.hypot(up[:, None], across[None])
    power[(radius < 1 / PERIODS_MM[1]) | (radius > 1 / PERIODS_MM[0])] = 0
    i, j = np.unravel_index(power.argmax(), power.shape)
    start: NDArray[np.float64] = np.array([up[i], across[j]])
    simplex = start + np.array([[0, 0], [up[1] / 2, 0], [0, across[1] / 2]])

    def less(frequency: NDArray[np.float64]) -> float:
        return -abs(_sum(values, pixel_mm, (float(frequency[0]), float(frequency[1])))) / float(power.max())

    options = {"initial_simplex": simplex, "xatol": 1e-6, "fatol": 1e-7}
    found = optimize.minimize(less, start, method="Nelder-Mead", options=options)  # type: ignore[call-overload]
    return float(found.x[0]), float(found.x[1])


def _sum(values: NDArray[np.float64], pixel_mm: tuple[float, float], frequency: tuple[float, float]) -> complex:
    up = np.exp(-2j * np.pi * frequency[0] * pixel_mm[0] * np.arange(values.shape[0]))
    across = np.exp(-2j * np.pi * frequency[1] * pixel_mm[1] * np.arange(values.shape[1]))
    return complex(up @ values @ across)
