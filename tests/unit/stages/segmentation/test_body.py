import numpy as np
import pytest

from hevesy.core import Grid, Image, Quantity
from hevesy.errors import BadInput, WrongQuantity
from hevesy.stages.segmentation.body import body


def ellipse(grid, half_axes):
    axes = [(np.arange(n) - (n - 1) / 2) * s for n, s in zip(grid.shape, grid.spacing_mm, strict=True)]
    x, y, _ = np.meshgrid(*axes, indexing="ij")
    return (x / half_axes[0]) ** 2 + (y / half_axes[1]) ** 2 < 1


def test_ct_gives_the_body_with_its_lungs_and_without_the_couch():
    grid = Grid.regular((80, 80, 20), (5.0, 5.0, 5.0))
    inside, lungs = ellipse(grid, (150, 100)), ellipse(grid, (60, 50))
    values = np.where(inside, 40.0, -1000.0)
    values[lungs] = -800
    values[:, 76:78, :] = 100  # couch
    found = body(Image(values, grid, Quantity.HOUNSFIELD))
    assert np.array_equal(found.mask() > 0, inside)


def test_emission_gives_an_outline_that_closes_cold_gaps():
    grid = Grid.regular((80, 80, 40), (5.0, 5.0, 5.0))
    inside = ellipse(grid, (150, 100))
    rng = np.random.default_rng(3)
    values = np.where(inside, rng.gamma(0.3, 20_000.0, grid.shape), 0.0)
    values[38:42, 38:42, :] = 5e5
    found = body(Image(values.astype(np.float32), grid, Quantity.ACTIVITY_CONCENTRATION))
    # smoothing by 8 mm and a threshold of 0.5 % move the edge by a voxel or two of 5 mm
    assert found.volume_mL == pytest.approx(inside.sum() * grid.voxel_volume_mL, rel=0.2)
    assert (found.mask()[inside] > 0).mean() > 0.99


def test_nothing_is_not_a_body():
    grid = Grid.regular((8, 8, 8), (5.0, 5.0, 5.0))
    with pytest.raises(BadInput, match="No body"):
        body(Image(np.zeros(grid.shape), grid, Quantity.ACTIVITY_CONCENTRATION))
    with pytest.raises(WrongQuantity):
        body(Image(np.zeros(grid.shape), grid, Quantity.DENSITY))
