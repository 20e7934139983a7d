"""Mass that a CT shows is in the voxels of the SPECT, however they lie on it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hevesy.core import Grid, Image, Quantity
from hevesy.physics.hounsfield import density_from_hounsfield
from hevesy.workflows.density import averaged_density

CT = Grid.regular((96, 84, 60), (1.3, 1.3, 2.0), (-20.0, -30.0, 5.0))
MIDDLE = (np.array(CT.shape) - 1) / 2


def turned(degrees):
    """A coarse grid about the middle of the CT, turned about its axis, and larger than it."""
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    shape = (44, 40, 34)
    affine = np.eye(4)
    affine[:3, :3] = 4.42 * turn
    affine[:3, 3] = CT.to_mm(MIDDLE) - affine[:3, :3] @ (np.array(shape) - 1) / 2
    return Grid(shape, affine)


def noise(seed):
    """Bone, lung, fat and tissue at random in air: what changes from one voxel of the CT to the next."""
    values = np.full(CT.shape, -1000.0)
    inside = (slice(4, -4),) * 3
    values[inside] = np.random.default_rng(seed).choice([-750, -100, 40, 90, 110, 1200], size=values[inside].shape)
    return Image(values, CT, Quantity.HOUNSFIELD)


def chest():
    """Lung within a thin shell of bone within tissue, in air."""
    place = CT.to_mm(np.moveaxis(np.indices(CT.shape), 0, -1)) - CT.to_mm(MIDDLE)
    out = np.sqrt(((place / (50, 45, 48)) ** 2).sum(axis=-1))
    values = np.select([out < 0.8, (out > 0.85) & (out < 0.9), out < 1], [-750.0, 900.0, 40.0], -1000.0)
    return Image(values, CT, Quantity.HOUNSFIELD)


def mass_kg(density):
    # what is no more than air is left out: the grids do not hold as much of it
    return float((density.values - 1.21).sum(dtype=np.float64)) * density.grid.voxel_volume_mL * 1e-6


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([0, 90, 180]))
def test_mass_is_the_same_on_a_coarse_grid_whose_axes_run_along_the_cts(seed, degrees):
    ct = noise(seed)
    truth = mass_kg(density_from_hounsfield(ct))
    assert mass_kg(averaged_density(ct, turned(degrees))) == pytest.approx(truth, rel=1e-5)  # single precision


@pytest.mark.parametrize("degrees", [13.0, 40.0])
def test_mass_of_a_chest_is_the_same_to_a_thousandth_on_a_grid_that_lies_askew(degrees):
    ct = chest()
    truth = mass_kg(density_from_hounsfield(ct))
    assert mass_kg(averaged_density(ct, turned(degrees))) == pytest.approx(truth, rel=1e-3)


@pytest.mark.parametrize("degrees", [0, 30])
@pytest.mark.parametrize("number", [-750.0, 40.0, 1200.0])
def test_a_constant_stays_what_it_is(degrees, number):
    ct = Image(np.full(CT.shape, number), CT, Quantity.HOUNSFIELD)
    inner = Grid(turned(degrees).shape, turned(degrees).affine).part((slice(16, 20),) * 3)
    density = float(density_from_hounsfield(ct).values[0, 0, 0])
    np.testing.assert_allclose(averaged_density(ct, inner).values, density, rtol=1e-6)
    beyond = Grid(inner.shape, turned(degrees).affine)
    assert averaged_density(ct, beyond).values[0, 0, 0] == pytest.approx(1.21)  # air
