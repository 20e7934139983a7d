"""Anatomical planes and projections of an image, as they are shown: patient right on the left, head up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hevesy.core import Grid, Region

View = Literal["axial", "coronal", "sagittal"]

#: letters at the left, right, top and bottom edge of each view
LETTERS: dict[View, tuple[str, str, str, str]] = {
    "axial": ("R", "L", "A", "P"),
    "coronal": ("R", "L", "H", "F"),
    "sagittal": ("A", "P", "H", "F"),
}

#: the patient axis (0 left, 1 posterior, 2 head) that each view looks along
_ALONG: dict[View, int] = {"sagittal": 0, "coronal": 1, "axial": 2}


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """One picture: values (rows, columns), and the size of a pixel across and down, mm."""

    view: View
    values: NDArray[Any] = field(repr=False)
    pixel_mm: tuple[float, float]

    @property
    def width_mm(self) -> float:
        """Extent across, mm."""
        return float(self.values.shape[1] * self.pixel_mm[0])

    @property
    def height_mm(self) -> float:
        """Extent down, mm."""
        return float(self.values.shape[0] * self.pixel_mm[1])

    def part(self, rows_and_columns: tuple[slice, slice]) -> Plane:
        """Return a rectangle cut out of the plane."""
        return Plane(self.view, self.values[rows_and_columns], self.pixel_mm)


class Anatomy:
    """A grid seen along the patient's axes.

    Array axes are matched to left, posterior and head by the affine. On an oblique grid the planes are those of
    the grid that lie nearest to the anatomical ones.

    Parameters
    ----------
    grid : Grid
        The grid of the images to show.
    """

    def __init__(self, grid: Grid) -> None:
        directions = grid.affine[:3, :3] / np.linalg.norm(grid.affine[:3, :3], axis=0)
        best = max(_PERMUTATIONS, key=lambda order: sum(abs(directions[row, axis]) for row, axis in enumerate(order)))
        self._order = best
        self._flips = tuple(bool(directions[row, axis] < 0) for row, axis in enumerate(best))
        self.spacing_mm = tuple(grid.spacing_mm[axis] for axis in best)
        aligned = min(abs(directions[row, axis]) for row, axis in enumerate(best))
        self.obliquity_deg = float(np.degrees(np.arccos(np.clip(aligned, 0, 1))))

    def turned(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return a view of an array on the grid, its axes towards left, posterior and head."""
        step = tuple(slice(None, None, -1) if flip else slice(None) for flip in self._flips)
        return values.transpose(self._order)[step]

    def section(self, values: NDArray[Any], view: View, index: int) -> Plane:
        """Return the plane of an array on the grid at an index along the axis that the view looks along."""
        return self._plane(np.take(self.turned(values), index, axis=_ALONG[view]), view)

    def projection(self, values: NDArray[Any], view: View) -> Plane:
        """Return the maximum intensity projection of an array on the grid."""
        return self._plane(self.turned(values).max(axis=_ALONG[view]), view)

    def coverage_section(self, region: Region, view: View, index: int) -> Plane:
        """Return how much of each pixel of a plane a region covers."""
        axis, box = _ALONG[view], self.box(region)
        inside = box[axis].start <= index < box[axis].stop
        flat = np.take(self.turned(region.coverage), index - box[axis].start, axis=axis) if inside else None
        return self._placed(region, view, flat)

    def coverage_projection(self, region: Region, view: View) -> Plane:
        """Return the most that a region covers along each line of sight."""
        return self._placed(region, view, self.turned(region.coverage).max(axis=_ALONG[view]))

    def box(self, region: Region) -> tuple[slice, slice, slice]:
        """Return the slices, towards left, posterior and head, that a region fills."""
        sides = []
        for axis, flip in zip(self._order, self._flips, strict=True):
            side, size = region.box[axis], region.grid.shape[axis]
            sides.append(slice(size - side.stop, size - side.start) if flip else side)
        return sides[0], sides[1], sides[2]

    def centre(self, region: Region) -> tuple[int, int, int]:
        """Return the index, towards left, posterior and head, of the region's voxel nearest to its centroid."""
        box = self.box(region)
        coverage = self.turned(region.coverage)
        inside = np.argwhere(coverage >= 0.5 * coverage.max())
        centroid = np.array(
            [np.average(np.arange(n), weights=_profile(coverage, a)) for a, n in enumerate(coverage.shape)]
        )
        nearest = inside[np.argmin((((inside - centroid) * self.spacing_mm) ** 2).sum(axis=1))]
        return tuple(int(side.start + n) for side, n in zip(box, nearest, strict=True))  # type: ignore[return-value]

    def _placed(self, region: Region, view: View, flat: NDArray[Any] | None) -> Plane:
        across, down = (axis for axis in range(3) if axis != _ALONG[view])
        whole = np.zeros([region.grid.shape[self._order[axis]] for axis in (across, down)], np.float32)
        if flat is not None:
            box = self.box(region)
            whole[box[across], box[down]] = flat
        return self._plane(whole, view)

    def _plane(self, flat: NDArray[Any], view: View) -> Plane:
        across, down = (axis for axis in range(3) if axis != _ALONG[view])
        values = flat.T if view == "axial" else flat.T[::-1]
        return Plane(view, values, (self.spacing_mm[across], self.spacing_mm[down]))


def window(plane: Plane, centre: tuple[int, int], side_mm: float) -> tuple[slice, slice]:
    """Return the rows and columns of a square window about a pixel (row, column), moved to stay inside the plane."""
    sides = []
    for middle, size, pixel in zip(centre, plane.values.shape, plane.pixel_mm[::-1], strict=True):
        length = min(size, max(2, round(side_mm / pixel)))
        start = min(max(0, middle - length // 2), size - length)
        sides.append(slice(start, start + length))
    return sides[0], sides[1]


_PERMUTATIONS = ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))


def _profile(coverage: NDArray[Any], axis: int) -> NDArray[np.float64]:
    others = tuple(a for a in range(3) if a != axis)
    return np.asarray(coverage.sum(axis=others, dtype=np.float64))
