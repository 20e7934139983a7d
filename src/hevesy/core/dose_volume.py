"""How absorbed dose is spread over the volume of a region."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hevesy.core.measured import Measured
from hevesy.errors import BadInput


@dataclass(frozen=True, slots=True, eq=False)
class DoseVolumeHistogram:
    """A cumulative dose-volume histogram.

    Parameters
    ----------
    dose_Gy : (n,) array
        Absorbed doses, rising, Gy.
    volume_fraction : (n,) array
        Fraction of the region's volume that receives at least each dose; falls from 1.
    minimum_Gy, maximum_Gy, mean_Gy : float
        Extremes and volume-weighted mean over the region, Gy.
    """

    dose_Gy: NDArray[np.float64] = field(repr=False)
    volume_fraction: NDArray[np.float64] = field(repr=False)
    minimum_Gy: float
    maximum_Gy: float
    mean_Gy: float

    def at_volume(self, percent: float) -> float:
        """Return D_x: the dose that the hottest `percent` of the volume receives at least, Gy."""
        if not 0 <= percent <= 100:
            raise BadInput(f"D{percent:g} is not defined: give a percentage of the volume from 0 to 100.")
        falling = self.volume_fraction[::-1]
        return float(np.interp(percent / 100, falling, self.dose_Gy[::-1]))


@dataclass(frozen=True, slots=True)
class DoseMetrics:
    """The doses that sum up a histogram, each with its uncertainty, Gy.

    Parameters
    ----------
    minimum, maximum : Measured
        In the coldest and the hottest voxel.
    d98, d50, d2 : Measured
        What 98, 50 and 2% of the volume receive at least.
    """

    minimum: Measured
    d98: Measured
    d50: Measured
    d2: Measured
    maximum: Measured
