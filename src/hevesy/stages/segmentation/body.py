"""The patient's outline, from CT or, where there is none, from the emission image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from hevesy.core import Image, Quantity, Region, Role
from hevesy.errors import BadInput

_SKIN_HOUNSFIELD = -300.0
_EMISSION_SMOOTHING_MM = 8.0
_EMISSION_THRESHOLD = 0.02


def body(image: Image) -> Region:
    """Return the patient's body.

    In CT: the largest connected part above -300 HU, its holes filled slice by slice. In an emission
    image: the same, above 2% of the 99.9th percentile after smoothing by 8 mm; this follows the activity, not the
    skin, and is said to be an approximation wherever it is used.

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
    if image.quantity is Quantity.HOUNSFIELD:
        inside = image.values > _SKIN_HOUNSFIELD
    else:
        sigma = [_EMISSION_SMOOTHING_MM / s for s in image.grid.spacing_mm]
        smooth = ndimage.gaussian_filter(image.values.astype(np.float32), sigma, truncate=3)
        inside = smooth > _EMISSION_THRESHOLD * np.percentile(smooth, 99.9)
    if not inside.any():
        raise BadInput("No body was found: the image holds nothing above its background.")
    return Region.from_mask("body", image.grid, _solid(inside), Role.BODY)


def _solid(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep the largest connected part and fill its holes in every plane across the last axis."""
    labels, count = ndimage.label(inside)
    if count > 1:
        inside = labels == np.bincount(labels.ravel())[1:].argmax() + 1
    filled = np.empty_like(inside)
    for k in range(inside.shape[2]):
        filled[:, :, k] = ndimage.binary_fill_holes(inside[:, :, k])
    return filled
