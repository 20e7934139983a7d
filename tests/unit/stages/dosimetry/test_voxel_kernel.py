"""Voxel kernels against closed forms and against random pairs of points."""

import numpy as np
import pytest

from hevesy.core.point_kernel import PointKernel
from hevesy.errors import BadInput
from hevesy.stages.dosimetry.voxel_kernel import multiplicity, voxel_kernel


def exponential(per_mm, last_mm, beyond=True):
    """A point kernel whose energy falls exponentially with radius; 1 J in all."""
    radius = np.concatenate([[0.0], np.geomspace(1e-3, last_mm, 400)])
    energy = -np.diff(np.exp(-per_mm * radius))
    rest = float(np.exp(-per_mm * last_mm))
    return PointKernel("none", "water", 1000.0, radius, energy, 0 * energy, rest if beyond else 0.0)


def self_energy(kernel, sides):
    """Energy within the source voxel when no shell is wider than the smallest side.

    The product of triangles, averaged over directions: <|x|> = 1/2, <|x y|> = 2/(3π), <|x y z|> = 1/(4π).
    """
    a, b, c = sides
    radius = np.linspace(0, kernel.radius_mm[-1], 100_001)
    energy = np.diff(np.interp(radius, kernel.radius_mm, np.append(0, np.cumsum(kernel.charged_J))))
    r = (radius[1:] + radius[:-1]) / 2
    pairs = 1 / (a * b) + 1 / (b * c) + 1 / (c * a)
    inside = 1 - r / 2 * (1 / a + 1 / b + 1 / c) + 2 * r**2 / (3 * np.pi) * pairs - r**3 / (4 * np.pi * a * b * c)
    return float(energy @ inside)


@pytest.mark.parametrize("per_mm", [0.5, 2.0, 10.0])
@pytest.mark.parametrize("sides", [(2.0, 2.0, 2.0), (2.0, 2.0, 3.0), (4.8, 4.8, 4.8), (2.0, 5.0, 9.0)])
def test_the_self_voxel_is_the_closed_form(per_mm, sides):
    kernel = exponential(per_mm, 2.0, beyond=False)
    found = voxel_kernel(kernel, sides, (2, 2, 2)).octant_J[0, 0, 0]
    assert found == pytest.approx(self_energy(kernel, sides), rel=2e-3)  # quadrature in direction


def test_no_energy_is_lost_within_reach():
    kernel = exponential(2.0, 10.0)
    assert voxel_kernel(kernel, (2.0, 2.0, 3.0), (6, 6, 5)).contained == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("sides", [(4.8, 4.8, 4.8), (2.0, 2.0, 3.0)])
def test_the_far_field_holds_its_energy_to_one_per_mille(sides):
    kernel = exponential(0.05, 150.0)
    found = voxel_kernel(kernel, sides, tuple(int(155 / a) for a in sides))
    assert found.contained == pytest.approx(1 - kernel.beyond_J, abs=1e-3)


def test_neighbours_are_those_of_random_pairs_of_points():
    random, n, sides = np.random.default_rng(7), 400_000, np.array([2.0, 2.0, 3.0])
    direction = random.normal(size=(n, 3))
    direction /= np.linalg.norm(direction, axis=1)[:, None]
    place = random.random((n, 3)) * sides + direction * random.exponential(2.0, n)[:, None]
    offset = np.abs(np.floor(place / sides).astype(int))
    kernel = voxel_kernel(exponential(0.5, 60.0), tuple(sides), (12, 12, 12))
    expected = kernel.octant_J * multiplicity(kernel.octant_J.shape)
    for voxel in [(0, 0, 0), (1, 0, 0), (0, 0, 1), (1, 1, 0), (1, 1, 1), (2, 0, 0), (2, 1, 1), (4, 2, 0)]:
        share = (offset == voxel).all(axis=1).mean()
        sigma = np.sqrt(share * (1 - share) / n)
        assert share == pytest.approx(expected[voxel], abs=4 * sigma)


def test_a_cube_does_not_prefer_an_axis():
    octant = voxel_kernel(exponential(0.3, 40.0), (2.21, 2.21, 2.21), (9, 9, 9)).octant_J
    np.testing.assert_allclose(octant, octant.transpose(1, 2, 0), rtol=5e-3)  # quadrature in direction


def test_density_scales_lengths_and_conserves_energy():
    kernel = exponential(0.5, 60.0)
    thin = kernel.at_density(250.0)
    assert thin.energy_J == kernel.energy_J
    np.testing.assert_allclose(
        voxel_kernel(thin, (8.0, 8.0, 8.0), (4, 4, 4)).octant_J,
        voxel_kernel(kernel, (2.0, 2.0, 2.0), (4, 4, 4)).octant_J,
        rtol=1e-9,
    )


def test_impossible_voxels_are_refused():
    with pytest.raises(BadInput):
        voxel_kernel(exponential(1.0, 10.0), (2.0, 0.0, 2.0), (1, 1, 1))


def test_a_kernel_whose_radii_do_not_rise_is_refused():
    with pytest.raises(BadInput, match="rise"):
        PointKernel("none", "water", 1000.0, np.array([0.0, 1.0, 1.0]), np.ones(2), np.ones(2))
