"""Dose-volume histograms."""

from __future__ import annotations

import numpy as np

from hevesy.core import Image, Quantity, Region
from hevesy.core.dose_volume import DoseVolumeHistogram

_BINS = 400
#: a voxel belongs to the extremes of a region from this covered fraction on: a sliver at the edge is mostly outside
_BELONGS = 0.5


def dose_volume_histogram(dose: Image, region: Region) -> DoseVolumeHistogram:
    """Return the cumulative dose-volume histogram of a region; each voxel counts by its covered fraction.

    Minimum and maximum are those of the voxels that lie in the region by half or more, where there are any.

    Parameters
    ----------
    dose : Image
        Absorbed dose, Gy.
    region : Region
        A region on the same grid.

    Raises
    ------
    WrongQuantity
        If the image is not an absorbed dose.
    GridMismatch
        If the grids differ.
    """
    dose.require(Quantity.ABSORBED_DOSE, Quantity.BIOLOGICALLY_EFFECTIVE_DOSE)
    region.grid.require_match(dose.grid, f"Region '{region.name}' and the dose")
    covered = region.coverage > 0
    doses = dose.values[region.box][covered].astype(np.float64)
    weights = region.coverage[covered].astype(np.float64)
    order = np.argsort(doses, kind="stable")
    doses, weights = doses[order], weights[order]
    # the volume at or above each voxel's dose, so that D100 is the minimum and D0 the maximum
    at_least = np.cumsum(weights[::-1])[::-1] / weights.sum()
    axis = np.linspace(0.0, doses[-1], _BINS + 1)
    reached = np.searchsorted(doses, axis, side="left")
    fraction = np.append(at_least, 0.0)[reached]
    inside = doses[weights >= _BELONGS] if (weights >= _BELONGS).any() else doses
    return DoseVolumeHistogram(
        axis, fraction, float(inside[0]), float(inside[-1]), float(np.average(doses, weights=weights))
    )
