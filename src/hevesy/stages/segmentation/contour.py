"""From the covered fraction of each voxel back to contours, slice by slice."""

from __future__ import annotations

import numpy as np
from contourpy import FillType, contour_generator
from numpy.typing import NDArray

from hevesy.core import Outline, Region

Points = NDArray[np.float64]
Polygons = list[list[Points]]  # each an outer ring followed by its holes

#: halvings of the level at which a slice is contoured: the enclosed area is then right to 1 in 10⁴
HALVINGS = 16


def outline(region: Region) -> Outline:
    """Return the contours of a region on the slices of its grid.

    On each slice the contour is an isoline of the coverage (marching squares, linear between pixel centres). Its level
    is the one at which the contour encloses just the area that the slice covers, so that the volume is kept; one level
    for all would cut the corners of a mask and lose slices that are covered by less than half. Where a slice is covered
    evenly in part, as at the ends of a structure, no level does that, and its contour is shrunk towards its middle. A
    hole is joined to the ring around it by a channel without width (keyhole, PS3.3 C.8.8.6.3).

    Parameters
    ----------
    region : Region
        Coverage on a grid.

    Returns
    -------
    Outline
        Closed contours in patient coordinates (LPS), mm, of the region's name and role.
    """
    contours = []
    for k in range(region.coverage.shape[2]):
        covered = np.pad(region.coverage[:, :, k].astype(np.float64), 1)
        for rings in _level_polygons(covered):
            flat = _keyhole(rings) + region.offset[:2] - 1
            index = np.column_stack([flat, np.full(len(flat), region.offset[2] + k)])
            contours.append(region.grid.to_mm(index))
    return Outline(region.name, tuple(contours), region.grid.frame_of_reference, region.role)


def _level_polygons(covered: NDArray[np.float64]) -> Polygons:
    """Contour a slice at the level whose polygons enclose the covered area."""
    wanted = float(covered.sum())
    if not wanted:
        return []
    # contourpy's x runs along the second array axis and y along the first
    generator = contour_generator(z=covered, fill_type=FillType.OuterOffset)
    low, high = 0.0, float(covered.max())
    for _ in range(HALVINGS):
        level = (low + high) / 2
        if sum(_enclosed(rings) for rings in _polygons(generator, level)) > wanted:
            low = level
        else:
            high = level
    polygons = _polygons(generator, low or high)
    scale = min(1.0, np.sqrt(wanted / sum(_enclosed(rings) for rings in polygons)))
    middles = [rings[0].mean(axis=0) for rings in polygons]
    return [
        [middle + scale * (ring - middle) for ring in rings] for middle, rings in zip(middles, polygons, strict=True)
    ]


def _polygons(generator: object, level: float) -> Polygons:
    points, offsets = generator.filled(level, np.inf)  # type: ignore[attr-defined]
    return [
        [ring[:-1, ::-1] for ring in np.split(p, o[1:-1].astype(int))]  # the last point of a ring repeats its first
        for p, o in zip(points, offsets, strict=True)
    ]


def _enclosed(rings: list[Points]) -> float:
    outer, *holes = (abs(_area(ring)) for ring in rings)
    return outer - sum(holes)


def _area(ring: Points) -> float:
    after = np.roll(ring, -1, axis=0)
    return float(np.sum(ring[:, 0] * after[:, 1] - after[:, 0] * ring[:, 1])) / 2


def _keyhole(rings: list[Points]) -> Points:
    """Join holes to the ring around them, nearest first."""
    joined, *holes = rings
    turn = np.sign(_area(joined))
    while holes:
        gaps = [np.linalg.norm(joined[:, None] - hole[None], axis=2) for hole in holes]
        nearest = int(np.argmin([gap.min() for gap in gaps]))
        a, b = np.unravel_index(int(np.argmin(gaps[nearest])), gaps[nearest].shape)
        hole = holes.pop(nearest)
        around = np.roll(hole, -int(b), axis=0)
        if np.sign(_area(hole)) == turn:
            around = np.concatenate([around[:1], around[:0:-1]])
        joined = np.concatenate([joined[: a + 1], around, around[:1], joined[a:]])
    return joined
