"""The lattice on which a view sees a volume: where its samples lie, and interpolation there with its transpose."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

#: spacing of a fan's rays, in voxels, below which a plane is so near the focal line that it is not seen
FOCUSED = 0.1


def spans(columns: NDArray[np.bool_], frames: Floats, bins: int) -> Ints:
    """Return the first bin, and one past the last, of each plane of each view that touches a column of the volume.

    Parameters
    ----------
    columns : (n + 2, n + 2) array
        Where the volume may hold something, with a border that holds nothing.
    frames : (views, 7) array
        See `hevesy.kernels.projection.Optics`.
    bins : int
        Number of bins across the detector.
    """
    found = np.empty((frames.shape[0], columns.shape[0] - 2, 2), np.int64)
    found[..., 0], found[..., 1] = bins, 0
    _spans_into(found, columns, frames, bins)
    return found


@njit(fastmath=True, cache=True, inline="always")
def place(frame: Floats, n: int, bins: int, plane: int, u: int) -> tuple[np.float32, np.float32]:
    """Return the padded index (i, j) of a sample of a view's lattice; far outside where it lies beyond the focus."""
    half = np.float32(0.5) * np.float32(n - 1)
    along = np.float32(plane) - half
    spacing = frame[5] + frame[6] * along
    across = (np.float32(u) - np.float32(0.5) * np.float32(bins - 1) - frame[4]) * spacing
    i = half + along * frame[0] + across * frame[2] + np.float32(1.0)
    j = half + along * frame[1] + across * frame[3] + np.float32(1.0)
    return (i, j) if spacing > FOCUSED else (np.float32(-1.0), np.float32(-1.0))


@njit(fastmath=True, cache=True, inline="always")
def secant(frame: Floats, bins: int, u: int) -> np.float32:
    """Return 1/cos γ of the ray through a bin."""
    slope = frame[6] * (np.float32(u) - np.float32(0.5) * np.float32(bins - 1) - frame[4])
    return np.sqrt(np.float32(1) + slope * slope)


@njit(fastmath=True, cache=True)
def inside(i: np.float32, j: np.float32, n: int) -> bool:
    """Say whether a place is within the border of a volume of n columns a side."""
    return bool(i >= 0 and j >= 0 and i < n + 1 and j < n + 1)


@njit(cache=True)
def _spans_into(found: Ints, columns: NDArray[np.bool_], frames: Floats, bins: int) -> None:
    views, n, _ = found.shape
    for view in range(views):
        for plane in range(n):
            for u in range(bins):
                i, j = place(frames[view], n, bins, plane, u)
                if not inside(i, j, n):
                    continue
                a, b = int(i), int(j)
                if columns[a, b] or columns[a, b + 1] or columns[a + 1, b] or columns[a + 1, b + 1]:
                    found[view, plane, 0] = min(found[view, plane, 0], u)
                    found[view, plane, 1] = u + 1


@njit(fastmath=True, cache=True)
def sample(volume: Floats, i: np.float32, j: np.float32, line: Floats) -> None:
    """Interpolate between four columns of a volume."""
    a, b = int(i), int(j)
    fi, fj = i - np.float32(a), j - np.float32(b)
    w00, w01 = (np.float32(1) - fi) * (np.float32(1) - fj), (np.float32(1) - fi) * fj
    w10, w11 = fi * (np.float32(1) - fj), fi * fj
    v00, v01, v10, v11 = volume[a, b], volume[a, b + 1], volume[a + 1, b], volume[a + 1, b + 1]
    for k in range(line.size):
        line[k] = w00 * v00[k] + w01 * v01[k] + w10 * v10[k] + w11 * v11[k]


@njit(fastmath=True, cache=True)
def scatter(volume: Floats, i: np.float32, j: np.float32, line: Floats) -> None:
    """Add a line to four columns of a volume: the transpose of `sample`."""
    a, b = int(i), int(j)
    fi, fj = i - np.float32(a), j - np.float32(b)
    add_shared(
        volume[a, b], volume[a, b + 1], (np.float32(1) - fi) * (np.float32(1) - fj), (np.float32(1) - fi) * fj, line
    )
    add_shared(volume[a + 1, b], volume[a + 1, b + 1], fi * (np.float32(1) - fj), fi * fj, line)


@njit(fastmath=True, cache=True)
def add_shared(first: Floats, second: Floats, w1: np.float32, w2: np.float32, line: Floats) -> None:
    """Add a line to two others, each with its weight."""
    for k in range(line.size):
        first[k] += w1 * line[k]
        second[k] += w2 * line[k]
