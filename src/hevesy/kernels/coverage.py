"""Exact areas of a polygon in the cells of a lattice."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True)
def cell_areas(polygon: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return the signed area of a closed polygon in each unit cell of a lattice.

    By Green's theorem the area to the right of an edge is summed cell by cell, as rasterisers of type do; no
    sampling is involved. A cell that a polygon winds around twice counts twice; a clockwise polygon counts negative.

    Parameters
    ----------
    polygon : (n, 2) array
        Vertices (u, v) in cell units: cell (i, j) spans i ≤ u ≤ i + 1 and j ≤ v ≤ j + 1. The polygon is closed by an
        edge from the last vertex to the first and must lie within the lattice.
    shape : tuple of int
        Number of cells (nu, nv).

    Returns
    -------
    (nu, nv) array
        Area of the polygon in each cell, in cells.
    """
    swept = np.zeros((shape[0], shape[1] + 2))
    n = polygon.shape[0]
    for k in range(n):
        a, b = polygon[k], polygon[(k + 1) % n]
        if a[0] == b[0]:
            continue
        # an edge is walked upwards in u, and its sign kept, so that the same edge there and back cancels exactly
        if a[0] < b[0]:
            _sweep(swept, a[0], a[1], b[0], b[1], 1.0)
        else:
            _sweep(swept, b[0], b[1], a[0], a[1], -1.0)
    areas = np.zeros(shape)
    for i in range(shape[0]):
        total = 0.0
        for j in range(shape[1]):
            total += swept[i, j]
            areas[i, j] = total
    return areas


@njit(cache=True)
def _sweep(swept: NDArray[np.float64], u0: float, v0: float, u1: float, v1: float, sign: float) -> None:
    slope = (v1 - v0) / (u1 - u0)
    for i in range(int(np.floor(u0)), min(int(np.floor(u1)) + 1, swept.shape[0])):
        low, high = max(u0, float(i)), min(u1, float(i + 1))
        if high <= low:
            continue
        v_low = v0 if low == u0 else v0 + slope * (low - u0)
        v_high = v1 if high == u1 else v0 + slope * (high - u0)
        _spread(swept[i], min(v_low, v_high), max(v_low, v_high), sign * (high - low))


@njit(cache=True)
def _spread(row: NDArray[np.float64], left: float, right: float, height: float) -> None:
    first, last = int(np.floor(left)), int(np.floor(right))
    if first == last:
        middle = 0.5 * (left + right) - first
        row[first] += height * (1.0 - middle)
        row[first + 1] += height * middle
        return
    for j in range(first, last + 1):
        a, b = max(left, float(j)), min(right, float(j + 1))
        share = height * (b - a) / (right - left)
        middle = 0.5 * (a + b) - j
        row[j] += share * (1.0 - middle)
        row[j + 1] += share * middle
