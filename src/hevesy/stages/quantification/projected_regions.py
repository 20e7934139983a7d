"""A volume as two opposite detectors see it: projected activity, and where a region lies on the view and in depth.

Everything here is as an anterior view shows it: rows from head to feet, columns from the patient's right to left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hevesy.core import Grid
from hevesy.errors import BadInput

Array = NDArray[np.float64]

#: cosine between an axis of the grid and the patient's beyond which the grid is oblique
_OBLIQUE = 0.02


@dataclass(frozen=True, slots=True)
class Depth:
    """Where a region lies between the two detectors, mean over its lines of sight, mm.

    Parameters
    ----------
    before_mm, within_mm, behind_mm : float
        Of body before the region's anterior face, of the region, and of body behind its posterior face.
    """

    before_mm: float
    within_mm: float
    behind_mm: float

    @property
    def body_mm(self) -> float:
        """Thickness of the body there."""
        return self.before_mm + self.within_mm + self.behind_mm

    @property
    def from_front(self) -> tuple[float, float]:
        """Depths of the region's faces below the anterior surface."""
        return self.before_mm, self.before_mm + self.within_mm

    @property
    def from_back(self) -> tuple[float, float]:
        """Depths of the region's faces below the posterior surface."""
        return self.behind_mm, self.behind_mm + self.within_mm


def as_seen(values: NDArray[np.generic], grid: Grid) -> tuple[Array, tuple[float, float, float]]:
    """Return values as (depth from the front, rows, columns) of an anterior view, and the three spacings, mm.

    Raises
    ------
    BadInput
        If the grid's axes are not those of the patient.
    """
    cosines = grid.affine[:3, :3] / np.asarray(grid.spacing_mm)
    axes = [int(np.argmax(np.abs(cosines[side]))) for side in (1, 2, 0)]
    if any(abs(cosines[side, axis]) < 1 - _OBLIQUE for side, axis in zip((1, 2, 0), axes, strict=True)):
        raise BadInput("An oblique volume cannot be projected on a planar view.", "Resample it along the patient.")
    seen = np.asarray(values, np.float64).transpose(axes)
    # LPS: y runs to the back, x to the left, and z to the head
    flips = [
        k for k, (side, axis) in enumerate(zip((1, 2, 0), axes, strict=True)) if (cosines[side, axis] < 0) != (k == 1)
    ]
    depth, rows, columns = (grid.spacing_mm[axis] for axis in axes)
    return np.flip(seen, tuple(flips)), (depth, rows, columns)


def geometric_projection(activity: Array, mu_per_mm: Array | None, step_mm: float) -> Array:
    """Return the geometric mean of what two detectors see of activity (depth, rows, columns).

    Parameters
    ----------
    activity : (depth, rows, columns) array
        Activity concentration.
    mu_per_mm : (depth, rows, columns) array or None
        Linear attenuation coefficient, 1/mm; None for none.
    step_mm : float
        Between voxels along depth.
    """
    if mu_per_mm is None:
        return np.asarray(activity.sum(axis=0), np.float64)
    before = (np.cumsum(mu_per_mm, axis=0) - 0.5 * mu_per_mm) * step_mm
    behind = mu_per_mm.sum(axis=0) * step_mm - before
    sides = [np.maximum((activity * np.exp(-path)).sum(axis=0), 0.0) for path in (before, behind)]
    return np.asarray(np.sqrt(sides[0] * sides[1]), np.float64)


def depth_of(region: Array, body: Array, step_mm: float) -> Depth:
    """Return where a region (coverage, 0 to 1) lies in the body's outline, both (depth, rows, columns)."""
    lines = region.max(axis=0) >= 0.5
    if not lines.any():
        raise BadInput("The region fills no voxel by half.", "Draw it larger, or skip it.")
    inside, whole = region[:, lines] >= 0.5, (body[:, lines] > 0) | (region[:, lines] >= 0.5)
    # a fold or a gap belongs to the region where it lies between its faces
    ahead = np.cumsum(inside, axis=0) == 0
    after = np.cumsum(inside[::-1], axis=0)[::-1] == 0
    before, behind = (float((whole & part).sum(axis=0).mean()) * step_mm for part in (ahead, after))
    return Depth(before, float((~ahead & ~after).sum(axis=0).mean()) * step_mm, behind)


def on_pixels(projection: Array, spacing_mm: tuple[float, float], pixel_mm: tuple[float, float]) -> Array:
    """Return a projection on pixels of another size about the same centre; zero beyond it."""
    from scipy.ndimage import map_coordinates

    sizes = [max(round(n * s / p), 1) for n, s, p in zip(projection.shape, spacing_mm, pixel_mm, strict=True)]
    at = [
        (np.arange(m) - (m - 1) / 2) * p / s + (n - 1) / 2
        for m, p, s, n in zip(sizes, pixel_mm, spacing_mm, projection.shape, strict=True)
    ]
    return np.asarray(map_coordinates(projection, np.meshgrid(*at, indexing="ij"), order=1, mode="nearest"), np.float64)


def beside(region: NDArray[np.bool_], others: NDArray[np.bool_], gap: int, width: int) -> NDArray[np.bool_]:
    """Return the ring of pixels beside a region: `width` pixels wide, `gap` pixels away, and clear of other regions.

    Parameters
    ----------
    region, others : (rows, columns) array of bool
        The region, and every pixel where another one is seen.
    gap, width : int
        Pixels.
    """
    from scipy.ndimage import binary_dilation

    near = binary_dilation(region, iterations=gap)
    clear = ~binary_dilation(others, iterations=gap) if others.any() else ~others
    return np.asarray(binary_dilation(near, iterations=width) & ~near & clear, bool)
