"""A torso of simple shapes, 32 x 23 x 42 cm: lungs, fat, spine and hot organs, seen by CT and by emission."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from hevesy.core import Grid, Image, Quantity

FRAME = "1.2.826.0.1.3680043.8.498.90"
#: centre and half axes (mm; left, back, head), HU and uptake; later ones lie over earlier ones
SHAPES = (
    ((0, 0, 0), (160, 115, 400), -90, 1.0),
    ((0, 0, 0), (140, 95, 400), 40, 2.0),
    ((75, 5, 150), (55, 75, 120), -800, 0.7),
    ((-75, 5, 150), (55, 75, 120), -800, 0.7),
    ((-65, -10, 35), (75, 75, 60), 55, 25.0),
    ((85, 35, 40), (30, 35, 45), 50, 60.0),
    ((65, 55, -50), (27, 25, 55), 35, 50.0),
    ((-65, 55, -60), (27, 25, 55), 35, 50.0),
    ((0, 75, 0), (20, 18, 400), 300, 3.0),
)


def grid(spacing_mm: float = 6.0, shift_mm: ArrayLike = (0.0, 0.0, 0.0)) -> Grid:
    n0, n1, n2 = (round(length / spacing_mm) for length in (372, 276, 420))
    x, y, z = np.asarray(shift_mm) - (np.array([n0, n1, n2]) - 1) / 2 * spacing_mm
    return Grid.regular((n0, n1, n2), (spacing_mm,) * 3, (float(x), float(y), float(z)), FRAME)


def _filled(places: NDArray[np.float64], beyond: float, column: int) -> NDArray[np.float64]:
    values = np.full(places.shape[:-1], beyond)
    for centre, half_axes, *levels in SHAPES:
        inside = (((places - centre) / half_axes) ** 2).sum(axis=-1) < 1
        values[inside] = levels[column]
    return values


def places(on: Grid) -> NDArray[np.float64]:
    return on.to_mm(np.moveaxis(np.indices(on.shape), 0, -1))


def hounsfield(on: Grid, displacement_mm: ArrayLike = 0.0) -> Image:
    """CT of the torso; at each voxel it shows what lies at that place plus the displacement."""
    values = _filled(places(on) + displacement_mm, -1000.0, 0)
    return Image(ndimage.gaussian_filter(values, 2.0 / on.spacing_mm[0]).astype(np.int16), on, Quantity.HOUNSFIELD)


def emission(on: Grid, displacement_mm: ArrayLike = 0.0, noise: float = 0.0) -> Image:
    """Uptake blurred by 12 mm, kBq/mL times a thousand; noise is that of a voxel of the liver, relative."""
    values = ndimage.gaussian_filter(_filled(places(on) + displacement_mm, 0.0, 1), 12 / 2.3548 / on.spacing_mm[0])
    grain = ndimage.gaussian_filter(np.random.default_rng(5).standard_normal(on.shape), 0.7)
    noisy = values + noise * np.sqrt(25 * values) * grain / grain.std()
    return Image((1e3 * np.maximum(noisy, 0)).astype(np.float32), on, Quantity.ACTIVITY_CONCENTRATION)
