"""How much an image would change were the scan repeated: noise of counts carried through the reconstruction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from hevesy.errors import BadInput
from hevesy.stages.quantification.reconstruction.likelihood import Measurement

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Bootstrap:
    """Images of resampled counts.

    Parameters
    ----------
    images : (replicates, side, side, slices) array
        One image for each replicate; neighbouring voxels covary, so that the noise of a region is that of its sums
        over `images`, not the root of summed variances.
    """

    images: Array = field(repr=False)

    @property
    def standard_uncertainty(self) -> Array:
        """Standard deviation of each voxel, in the image's unit."""
        return np.asarray(self.images.std(axis=0, ddof=1), np.float32)

    def of_region(self, weights: NDArray[np.float32]) -> float:
        """Return the standard uncertainty of the weighted sum of voxels, weights (side, side, slices)."""
        sums = np.tensordot(self.images.astype(np.float64), weights, axes=3)
        return float(sums.std(ddof=1))


def bootstrap(
    measurement: Measurement,
    reconstruct: Callable[[Measurement], Array],
    replicates: int,
    random: np.random.Generator,
) -> Bootstrap:
    """Reconstruct counts drawn anew, each bin from a Poisson distribution whose mean is its measured count.

    The Poisson bootstrap (Haynor and Woods 1989, IEEE Trans Med Imaging 8:259): the variance of what is drawn
    is an unbiased estimate of that of what was measured.

    Parameters
    ----------
    measurement : Measurement
        Counts and system.
    reconstruct : callable
        Makes an image of a measurement.
    replicates : int
        How many; the relative uncertainty of a standard deviation is 1/√(2 (replicates − 1)).
    random : Generator
        Of the random numbers.

    Raises
    ------
    BadInput
        If there are fewer than two replicates.
    """
    if replicates < 2:
        raise BadInput(f"Uncertainty needs two or more replicates, not {replicates}.")
    drawn = (replace(measurement, counts=random.poisson(measurement.counts)) for _ in range(replicates))
    return Bootstrap(np.stack([reconstruct(one) for one in drawn]))
