"""The patient's outline, from CT or, where there is none, from the emission image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from hevesy.core import Image, Quantity, Region, Role
from hevesy.errors import BadInput

_SKIN_HOUNSFIELD = -300.0
_WORKING_MM = 4.0
_SMOOTHING_MM = 8.0
_GAP_MM = 25.0
_THRESHOLD = 0.005


def body(image: Image) -> Region:
    """Return the patient's body.

    In CT: the largest connected part above -300 HU, its holes filled plane by plane. In an
    emission image: the same above 0.5% of the 99.9th percentile, after smoothing by 8 mm
    (standard deviation) and closing gaps of 25 mm. That follows activity, not skin; a dose that
    rests on it must say so.

    Parameters
    ----------
    image : Image
        CT in HU, or activity concentration in Bq/mL.

    Raises
    ------
    WrongQuantity
        If the image is neither.
    BadInput
        If nothing stands out from the background.
    """
    image.require(Quantity.HOUNSFIELD, Quantity.ACTIVITY_CONCENTRATION)
    is_ct = image.quantity is Quantity.HOUNSFIELD
    inside = image.values > _SKIN_HOUNSFIELD if is_ct else _emitting(image)
    if not inside.any():
        raise BadInput("No body was found: the image holds nothing above its background.")
    return Region.from_mask("body", image.grid, _solid(inside), Role.BODY)


def _emitting(image: Image) -> NDArray[np.bool_]:
    """Threshold a coarse, smooth copy: single voxels of a reconstruction say nothing of the outline."""
    factors = [max(1, round(_WORKING_MM / s)) for s in image.grid.spacing_mm]
    margins = [-n % f for n, f in zip(image.grid.shape, factors, strict=True)]
    padded = np.pad(image.values, [(0, m) for m in margins], mode="edge")
    coarse = padded
    for axis, factor in enumerate(factors):
        starts = np.arange(0, coarse.shape[axis], factor)
        coarse = np.add.reduceat(coarse, starts, axis=axis, dtype=np.float64) / factor
    spacing = np.array(image.grid.spacing_mm) * factors
    smooth = ndimage.gaussian_filter(coarse, _SMOOTHING_MM / spacing)
    inside = smooth > _THRESHOLD * np.percentile(smooth, 99.9)
    steps = round(_GAP_MM / float(spacing.min()))
    closed = ndimage.binary_closing(np.pad(inside, steps + 1, mode="edge"), iterations=steps)
    kept = closed[(slice(steps + 1, -steps - 1),) * 3]
    for axis, factor in enumerate(factors):
        kept = np.repeat(kept, factor, axis=axis)
    a, b, c = image.grid.shape
    return np.asarray(kept[:a, :b, :c])


def _solid(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep the largest connected part and fill its holes in every plane across the last axis."""
    labels, count = ndimage.label(inside)
    if count > 1:
        inside = labels == np.bincount(labels.ravel())[1:].argmax() + 1
    filled = np.empty_like(inside)
    for k in range(inside.shape[2]):
        filled[:, :, k] = ndimage.binary_fill_holes(inside[:, :, k])
    return filled
