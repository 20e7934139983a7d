"""An image of fine voxels brought onto a grid of coarse ones: each takes the mean over its own volume."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from hevesy.core import Grid, Image

Array = NDArray[np.float64]
#: cosines this near to 0 or 1 are taken for it
ALIGNED = 1e-4
#: points along each side of a voxel at most, where axes are oblique
MOST_POINTS = 4


def average(image: Image, grid: Grid, beyond: float = 0.0) -> tuple[Image, NDArray[np.float32]]:
    """Bring an image onto another grid by the mean over each voxel's volume.

    Where the axes of both run along each other the mean is exact, of voxels that are uniform inside; otherwise it is
    taken over points, between which the image is linear.

    Parameters
    ----------
    image : Image
        Any density-like quantity. What is not linear in what is measured, such as μ in HU, is converted before.
    grid : Grid
        The grid to fill.
    beyond : float
        The value where the image does not reach.

    Returns
    -------
    Image
        On `grid`.
    (n0, n1, n2) array
        Part of each voxel that the image reaches.
    """
    turn = np.linalg.inv(image.grid.affine) @ grid.affine
    order = np.abs(turn[:3, :3]).argmax(axis=0)
    aligned = np.abs(turn[:3, :3]).copy()
    steps = aligned[order, range(3)].copy()
    aligned[order, range(3)] = 0
    if sorted(order) == [0, 1, 2] and aligned.max() <= ALIGNED * steps.min():
        values, reached = _exact(image, grid, turn, order)
    else:
        values, reached = _by_points(image, grid, turn)
    values = values + beyond * (1 - reached)
    history = image.provenance.then("averaged over voxels", spacing_mm=[round(s, 4) for s in grid.spacing_mm])
    made = Image(values.astype(np.float32), grid, image.quantity, image.timing, history)
    return made, reached.astype(np.float32)


def _exact(image: Image, grid: Grid, turn: Array, order: NDArray[np.intp]) -> tuple[Array, Array]:
    values: NDArray[Any] = np.transpose(np.asarray(image.values), order)
    reached = np.ones(())
    for axis in range(3):
        source = int(order[axis])
        step, start = float(turn[source, axis]), float(turn[source, 3])
        centres = np.asarray(start + step * np.arange(grid.shape[axis]), np.float64)
        weights = _overlap(centres, abs(step), image.grid.shape[source])
        values = np.moveaxis(np.tensordot(weights.astype(np.float32), values, axes=(1, axis)), 0, axis)
        reached = np.multiply.outer(reached, weights.sum(axis=1))
    return np.asarray(values, np.float64), reached


def _overlap(centres: Array, width: float, size: int) -> Array:
    """Return the part of each interval of a width about a centre that lies in each unit cell about 0 … size − 1."""
    cells = np.arange(size)
    low = np.maximum(centres[:, None] - width / 2, cells - 0.5)
    high = np.minimum(centres[:, None] + width / 2, cells + 0.5)
    return np.asarray(np.maximum(high - low, 0) / width)


def _by_points(image: Image, grid: Grid, turn: Array) -> tuple[Array, Array]:
    points = [min(MOST_POINTS, math.ceil(float(step))) for step in np.linalg.norm(turn[:3, :3], axis=0)]
    source = np.asarray(image.values, np.float32)
    values, reached = np.empty(grid.shape), np.empty(grid.shape)
    edges = np.array(image.grid.shape)[:, None] - 0.5
    axes = [np.arange(n * p) / p + 0.5 / p - 0.5 for n, p in zip(grid.shape, points, strict=True)]
    for k in range(grid.shape[2]):
        along = axes[2][k * points[2] : (k + 1) * points[2]]
        index = np.stack([a.ravel() for a in np.meshgrid(axes[0], axes[1], along, indexing="ij")])
        place = turn[:3, :3] @ index + turn[:3, 3:]
        inside = ((place >= -0.5) & (place <= edges)).all(axis=0)
        sampled = np.where(inside, map_coordinates(source, place, order=1, mode="nearest"), 0.0)
        blocks = (grid.shape[0], points[0], grid.shape[1], points[1], points[2])
        values[..., k] = sampled.reshape(blocks).mean(axis=(1, 3, 4))
        reached[..., k] = inside.reshape(blocks).mean(axis=(1, 3, 4))
    return values, reached
