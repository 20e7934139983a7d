"""Minimum, D98, D50, D2 and maximum of a region, with their uncertainties."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hevesy.core import Image, Measured, Quantity, Region
from hevesy.core.dose_volume import DoseMetrics
from hevesy.stages.radiobiology.histogram import dose_volume_histogram

#: what scatters single voxels and leaves a region's mean alone
NOISE = "noise of voxels"


@dataclass(frozen=True, slots=True, eq=False)
class Delineation:
    """A region as it was drawn, and as it might have been.

    Parameters
    ----------
    region : Region
        As drawn.
    volume : Measured
        Its volume, mL, whose uncertainty is that of the outline.
    wider, narrower : Region
        With the outline one standard uncertainty further out and in; `narrower` is None where nothing is left.
    """

    region: Region
    volume: Measured
    wider: Region
    narrower: Region | None


def dose_metrics(dose: Image, drawn: Delineation, mean: Measured, noise: Image | None = None) -> DoseMetrics:
    """Read the doses that sum up a region's histogram, and how well each is known.

    What scales the whole region (calibration, fit, recovery, density, engine) does so to each dose in it as to its
    mean. The outline moves which voxels count: its share is half the difference between the wider and the narrower
    region. Noise spreads the voxels: with s² of it in their variance S², extremes lie too far from the mean by up to
    1 − √(1 − s²/S²) of their distance, taken as the limit of a rectangular distribution that begins at none.

    The image's own resolution and noise are not in it: they cannot be told from uptake that is uneven.

    Parameters
    ----------
    dose : Image
        Absorbed dose, Gy.
    drawn : Delineation
        On the same grid.
    mean : Measured
        Mean absorbed dose of the region, Gy, with its causes; that of the volume is replaced.
    noise : Image, optional
        Relative standard uncertainty of each voxel's dose that other voxels do not share, as of Monte Carlo.

    Raises
    ------
    WrongQuantity
        If the images are not an absorbed dose and relative.
    GridMismatch
        If the grids differ.
    """
    here, wider = _read(dose, drawn.region), _read(dose, drawn.wider)
    moved = (wider - _read(dose, drawn.narrower)) / 2 if drawn.narrower is not None else wider - here
    excess = _excess(dose, drawn.region, noise) / math.sqrt(3) if noise is not None else 0.0
    scale = _scale(mean, drawn)
    per_u = drawn.volume.to(1 / drawn.volume.u, "") if drawn.volume.u else drawn.volume
    inputs = (
        [(scale, value), (per_u, shift), (Measured(0.0, abs(value - mean.value) * excess, "Gy", NOISE), 1.0)]
        for value, shift in zip(here.tolist(), moved.tolist(), strict=True)
    )
    found = (Measured.propagate(v, causes, "Gy") for v, causes in zip(here.tolist(), inputs, strict=True))
    return DoseMetrics(*found)


def _scale(mean: Measured, drawn: Delineation) -> Measured:
    """Return 1 with all that scales the whole region, its voxels alike; of the outline what changes its recovery."""
    _, rest = mean.parted(drawn.volume)
    by_outline, _ = drawn.region.recovery.parted(drawn.volume)
    relative = 1 / mean.value if mean.value else 0.0
    return Measured.propagate(1.0, [(rest, relative), (by_outline, -1 / by_outline.value)])


def _excess(dose: Image, region: Region, noise: Image) -> float:
    """Return by how much noise may carry a voxel's dose away from the mean, as a share of its distance from there."""
    noise.require(Quantity.RELATIVE)
    region.grid.require_match(noise.grid, f"Region '{region.name}' and the noise")
    weights = region.coverage.astype(np.float64)
    doses = dose.values[region.box].astype(np.float64)
    spread = float(np.average((doses - np.average(doses, weights=weights)) ** 2, weights=weights))
    scatter = float(np.average((doses * noise.values[region.box]) ** 2, weights=weights))
    return 1 - math.sqrt(max(0.0, 1 - scatter / spread)) if spread > 0 else 0.0


def _read(dose: Image, region: Region) -> NDArray[np.float64]:
    """Return minimum, D98, D50, D2 and maximum, (5,), Gy."""
    histogram = dose_volume_histogram(dose, region)
    return np.array([histogram.minimum_Gy, *map(histogram.at_volume, (98, 50, 2)), histogram.maximum_Gy])
