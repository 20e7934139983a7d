"""Small cameras and phantoms for reconstruction."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hevesy.stages.quantification.reconstruction import Lattice, LinearResponse, Orbit, SystemModel


def water_cylinder(side: int, slices: int, pixel_mm: float, radius_mm: float) -> NDArray[np.bool_]:
    """Return a mask (side, side, slices) of a cylinder about the axis of rotation."""
    place = (np.arange(side) - (side - 1) / 2) * pixel_mm
    disc = place[:, None] ** 2 + place[None, :] ** 2 <= radius_mm**2
    return np.repeat(disc[..., None], slices, axis=2)


def small_system(side: int = 24, slices: int = 5, views: int = 24, contour: bool = True) -> SystemModel:
    """Return a camera with blur and attenuation; with `contour`, its distance changes from view to view."""
    pixel = 8.0
    angles = 7.3 + np.arange(views) * 360.0 / views
    radii = 130.0 + 20.0 * np.cos(np.deg2rad(2 * angles)) * contour
    mu = 0.0135 * water_cylinder(side, slices, pixel, 75.0)
    return SystemModel(
        Lattice(side, slices, pixel, 9.0),
        Orbit(angles, radii, np.linspace(-3.0, 3.0, views)),
        LinearResponse(0.03, 1.5),
        mu,
    )
