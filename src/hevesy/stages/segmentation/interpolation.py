"""Slices between drawn ones."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from hevesy.errors import BadInput
from hevesy.stages.segmentation.margin import signed_distance


def interpolate_slices(mask: NDArray[np.bool_], axis: int, spacing_mm: tuple[float, float, float]) -> NDArray[np.bool_]:
    """Fill the empty slices between drawn ones; what was drawn stays as it is.

    A slice between two drawn ones is where the signed distance to the outline, interpolated linearly from them, is
    positive (shape-based interpolation).

    Parameters
    ----------
    mask : (n0, n1, n2) array of bool
        Some slices along `axis` drawn.
    axis : int
        The array axis that the drawn slices are perpendicular to.
    spacing_mm : tuple of float
        Voxel spacing along each array axis, mm.

    Returns
    -------
    (n0, n1, n2) array of bool

    Raises
    ------
    BadInput
        If fewer than two slices are drawn.

    References
    ----------
    Raya and Udupa, IEEE Trans Med Imaging 1990;9:32-42.
    """
    slices = np.moveaxis(np.asarray(mask, bool), axis, 0)
    drawn = np.flatnonzero(slices.any(axis=(1, 2)))
    if drawn.size < 2:
        raise BadInput("Slices can be interpolated between two drawn ones or more.", "Draw another slice.")
    in_plane = tuple(s for a, s in enumerate(spacing_mm) if a != axis)
    filled = slices.copy()
    for first, last in itertools.pairwise(drawn):
        if last - first == 1:
            continue
        below, above = signed_distance(slices[first], in_plane), signed_distance(slices[last], in_plane)
        for k in range(first + 1, last):
            share = (k - first) / (last - first)
            filled[k] = (1 - share) * below + share * above > 0
    return np.moveaxis(filled, 0, axis)
