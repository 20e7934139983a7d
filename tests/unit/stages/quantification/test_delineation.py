"""Blur and voxels: the closed forms against brute force."""

import numpy as np
import pytest
from scipy import ndimage

from hevesy.core import Grid, Region
from hevesy.errors import BadInput
from hevesy.stages.quantification.delineation import activity_exponent, equivalent_radius_mm, sphere_recovery, volume


def blurred_sphere(radius, fwhm, spacing=1.0):
    n = int(radius + 2 * fwhm) * 2 + 1
    axis = (np.arange(n) - n // 2) * spacing
    r = np.sqrt(axis[:, None, None] ** 2 + axis[None, :, None] ** 2 + axis[None, None, :] ** 2)
    sphere = np.clip((radius - r) / spacing + 0.5, 0, 1)
    return r, ndimage.gaussian_filter(sphere, fwhm / 2.35482 / spacing, truncate=5), sphere


@pytest.mark.parametrize(("radius", "fwhm"), [(15.0, 12.0), (25.0, 8.0)])
def test_recovery_and_edge_growth_agree_with_a_voxelised_sphere(radius, fwhm):
    r, blurred, sphere = blurred_sphere(radius, fwhm)
    millilitres = 4 / 3 * np.pi * radius**3 / 1000
    # 1 mm voxels smear the edge by half a voxel: 1 % of the recovery
    assert sphere_recovery(millilitres, fwhm) == pytest.approx((blurred * sphere).sum() / sphere.sum(), rel=0.01)
    inside, larger = (blurred[r <= radius * s].sum() for s in (0.97, 1.03))
    slope = np.log(larger / inside) / (3 * np.log(1.03 / 0.97))
    assert activity_exponent(millilitres, fwhm) == pytest.approx(slope, rel=0.05)


def test_a_large_region_keeps_everything_and_half_the_edge():
    assert sphere_recovery(1e6, 1.0) == pytest.approx(1, abs=0.01)
    assert activity_exponent(1e6, 1.0) == pytest.approx(0.5, abs=0.01)


def test_the_volume_uncertainty_is_three_times_that_of_the_diameter():
    grid = Grid.regular((40, 40, 40), (2.0, 2.0, 2.0))
    region = Region("r", grid, np.ones((20, 20, 20)))
    diameter = 2 * equivalent_radius_mm(64.0)
    u_diameter = np.sqrt(2.0**2 / 6 + 10.0**2 / (4 * np.log(2)))
    measured = volume(region, 10.0)
    assert measured.value == pytest.approx(64.0)
    assert measured.u_relative == pytest.approx(3 * u_diameter / diameter)
    assert set(measured.components) == {"volume"}
    with pytest.raises(BadInput):
        volume(region, 0.0)
