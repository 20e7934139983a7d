"""Averaging keeps integrals, whatever the axes, and knows how far an image reaches."""

import numpy as np
import pytest

from hevesy.core import Grid, Image, Quantity
from hevesy.stages.registration.averaging import average

COARSE = Grid((8, 7, 5), np.array([[9.0, 0, 0, -30], [0, 8, 0, -25], [0, 0, -7, 14], [0, 0, 0, 1]]))


def blob(affine, shape=(60, 50, 30)):
    """Return a smooth blob of 8 mm about the origin, sampled on a grid."""
    grid = Grid(shape, affine)
    place = grid.to_mm(np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1))
    return Image(np.exp(-((place / 8.0) ** 2).sum(axis=-1) / 2), grid, Quantity.ATTENUATION)


def turned(degrees):
    a = np.deg2rad(degrees)
    affine = np.diag([1.5, 1.5, 2.0, 1.0])
    affine[:3, :3] = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]]) @ affine[:3, :3]
    affine[:3, 3] = -affine[:3, :3] @ (29.5, 24.5, 14.5)
    return affine


@pytest.mark.parametrize("degrees", [0, 90, 180, 25])
def test_the_integral_of_an_image_is_kept(degrees):
    image = blob(turned(degrees))
    made, _ = average(image, COARSE)
    total = image.values.sum() * image.grid.voxel_volume_mL
    # the blob is cut 2 to 3 standard deviations from its middle by the coarse grid, the same for every direction
    upright, _ = average(blob(turned(0)), COARSE)
    assert made.values.sum() == pytest.approx(upright.values.sum(), rel=2e-3)
    assert made.values.sum() * COARSE.voxel_volume_mL == pytest.approx(total, rel=0.05)


def test_the_mean_over_aligned_voxels_is_exact():
    fine = Grid.regular((6, 4, 2), (1.0, 1.0, 1.0), (0.5, 0.5, 0.5))
    values = np.random.default_rng(1).random(fine.shape)
    made, reached = average(
        Image(values, fine, Quantity.ATTENUATION), Grid.regular((2, 2, 1), (3, 2, 2), (1.5, 1.0, 1.0))
    )
    np.testing.assert_allclose(made.values, values.reshape(2, 3, 2, 2, 1, 2).mean(axis=(1, 3, 5)), rtol=1e-6)
    np.testing.assert_allclose(reached, 1)


@pytest.mark.parametrize("degrees", [0, 10])
def test_where_an_image_ends_the_rest_is_taken_as_told_and_the_reach_is_known(degrees):
    image = blob(turned(degrees))
    ones = image.with_values(np.ones(image.grid.shape))
    wide = Grid.regular((12, 12, 12), (10, 10, 10), (-55, -55, -55))
    made, reached = average(ones, wide, beyond=-1.0)
    np.testing.assert_allclose(made.values, 2 * reached - 1, atol=1e-5)
    volume = reached.sum() * wide.voxel_volume_mL
    # points stand for the edges of an oblique image
    assert volume == pytest.approx(
        np.prod(image.grid.shape) * image.grid.voxel_volume_mL, rel=1e-6 if degrees == 0 else 0.02
    )
