"""Dose-volume histograms."""

from __future__ import annotations

import numpy as np

from hevesy.core import Image, Quantity, Region
from hevesy.core.dose_volume import DoseVolumeHistogram

_BINS = 400


def dose_volume_histogram(dose: Image, region: Region) -> DoseVolumeHistogram:
    """Return the cumulative dose-volume histogram of a region; each voxel counts by its covered fraction.

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
    return DoseVolumeHistogram(
        axis, fraction, float(doses[0]), float(doses[-1]), float(np.average(doses, weights=weights))
    )
