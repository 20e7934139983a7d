"""The whole patient as an ellipsoid: geometry by brute force, and the S-value of I-131 that guidance gives."""

import numpy as np
import pytest

from hevesy.core import Measured
from hevesy.data.nuclides import nuclide
from hevesy.errors import BadInput
from hevesy.stages.dosimetry.ellipsoids import body_s_value, share_inside_ellipsoid
from hevesy.stages.dosimetry.spheres import share_inside

BOUNDS = np.array([0.0, 30.0, 100.0, 200.0, 500.0, 2000.0])


def test_an_ellipsoid_of_three_equal_axes_is_a_sphere():
    np.testing.assert_allclose(share_inside_ellipsoid(BOUNDS, (120.0,) * 3), share_inside(BOUNDS, 120.0), rtol=1e-12)


def test_the_share_is_that_of_random_points_and_directions():
    rng, semi = np.random.default_rng(7), np.array([97.0, 175.0, 900.0])
    n = 400_000
    unit = rng.normal(size=(n, 3))
    inside = unit / np.linalg.norm(unit, axis=1)[:, None] * rng.random((n, 1)) ** (1 / 3) * semi
    away = rng.normal(size=(n, 3))
    away /= np.linalg.norm(away, axis=1)[:, None]
    found = share_inside_ellipsoid(BOUNDS, semi)
    for low, high, expected in zip(BOUNDS[:-1], BOUNDS[1:], found, strict=True):
        r = rng.uniform(low, high, (n, 1))
        stays = ((((inside + r * away) / semi) ** 2).sum(axis=1) <= 1).mean()
        assert expected == pytest.approx(stays, abs=4 * np.sqrt(stays * (1 - stays) / n))


@pytest.mark.parametrize("mass_kg", [50.0, 60.0, 70.0, 80.0, 100.0])
def test_the_photons_of_iodine_131_dose_the_body_as_in_the_guidance_of_the_eanm(mass_kg):
    """0.0188·m^(-2/3) Gy·kg^(2/3)/(GBq·h): Lassmann M et al. 2008, Eur J Nucl Med Mol Imaging 35:1405, equation 7."""
    s_value = body_s_value([(nuclide("I-131"), 1.0)], Measured(mass_kg, 0.0, "kg"))
    photons = s_value.components["body's shape"] / 0.07 * 3.6e12  # per GBq·h
    # theirs is a fit to phantoms; the stated standard uncertainty of the shape is 7%
    assert photons == pytest.approx(0.0188 * mass_kg ** (-2 / 3), rel=0.07)


def test_electrons_stay_in_the_body_but_for_those_of_its_surface():
    s_value = body_s_value([(nuclide("Y-90"), 1.0)], Measured(70.0, 1.4, "kg"))
    # 933 keV a decay (ICRP 107), of which 0.35% is radiated; and through a surface of 19 m² per m³ leaves about a
    # quarter of that times half the range of 4 mm: 1%
    lost = 1 - s_value.value / (933.0e3 * 1.602177e-19 / 70)
    assert 0.005 < lost < 0.02
    assert s_value.u / s_value.value == pytest.approx(0.02, rel=1e-3)


def test_a_body_without_mass_is_refused():
    with pytest.raises(BadInput, match="positive mass"):
        body_s_value([(nuclide("Y-90"), 1.0)], Measured(0.0, 0.0, "kg"))
