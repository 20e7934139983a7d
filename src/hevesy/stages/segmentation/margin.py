"""A region drawn wider or narrower."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from hevesy.core import Region

#: a voxel is inside an outline from this covered fraction on
_INSIDE = 0.5
#: voxels are cut in so many along each axis, as long as there are not too many of them
_MOST_FINER, _MOST_FINE_VOXELS = 4, 300_000


def with_margin(region: Region, margin_mm: float) -> Region | None:
    """Return a region whose outline has been moved outwards everywhere, as far as its grid reaches.

    Parameters
    ----------
    region : Region
        The region; its outline runs where half of a voxel is covered.
    margin_mm : float
        How far the outline moves, mm; inwards if negative.

    Returns
    -------
    Region or None
        None where nothing is left. Voxels that the outline passes are covered in part.
    """
    spacing = region.grid.spacing_mm
    reach = [max(0, math.ceil(margin_mm / step)) + 1 for step in spacing]
    first = [max(0, offset - n) for offset, n in zip(region.offset, reach, strict=True)]
    ends = (o + n + r for o, n, r in zip(region.offset, region.coverage.shape, reach, strict=True))
    shape = tuple(min(end, most) - f for end, most, f in zip(ends, region.grid.shape, first, strict=True))
    coverage = np.zeros(shape, np.float32)
    inner = tuple(slice(o - f, o - f + n) for o, f, n in zip(region.offset, first, region.coverage.shape, strict=True))
    coverage[inner] = region.coverage
    finer = int(np.clip(math.cbrt(_MOST_FINE_VOXELS / coverage.size), 1, _MOST_FINER))
    smooth = ndimage.zoom(coverage, finer, order=1, mode="grid-constant", grid_mode=True)
    inside = smooth >= min(_INSIDE, float(smooth.max()))
    step = math.prod(spacing) ** (1 / 3) / finer
    fine = np.clip(0.5 + (signed_distance(inside, [one / finer for one in spacing]) + margin_mm) / step, 0.0, 1.0)
    n0, n1, n2 = shape
    moved = fine.reshape(n0, finer, n1, finer, n2, finer).mean(axis=(1, 3, 5))
    if not moved.any():
        return None
    return replace(region, coverage=moved.astype(np.float32), offset=(first[0], first[1], first[2]))


def signed_distance(mask: NDArray[np.bool_], spacing_mm: Sequence[float]) -> NDArray[np.float64]:
    """Return the distance to the outline (mm), positive inside; the outline runs half way between voxels.

    Parameters
    ----------
    mask : array of bool
        Of two or three dimensions; nothing is inside beyond its edge.
    spacing_mm : sequence of float
        Voxel spacing along each array axis, mm.
    """
    padded = np.pad(mask, 1)
    inward = ndimage.distance_transform_edt(padded, spacing_mm)
    outward = ndimage.distance_transform_edt(~padded, spacing_mm)
    half = min(spacing_mm) / 2
    signed = np.where(padded, inward - half, half - outward)
    return np.asarray(signed[(slice(1, -1),) * mask.ndim])
