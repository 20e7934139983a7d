"""A known displacement of organs is found, though they washed out differently; the implausible is refused."""

import numpy as np
import pytest
from scipy import ndimage

from hevesy.core import Grid, Image, Quantity
from hevesy.errors import RegistrationWorsened
from hevesy.stages.registration.deformable import Deformation, deform
from hevesy.stages.registration.rigid import Motion, resample

SPACING = 8.0
GRID = Grid.regular((48, 32, 56), (SPACING,) * 3, (-188.0, -124.0, -220.0), "1.2")
CENTRES = GRID.to_mm(np.stack(np.indices(GRID.shape), -1))
STILL = Motion(np.eye(4), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 0.5, 0.5)
#: centre and half axes (mm), and concentration in the first and the second scan: the organs wash out differently
ORGANS = (
    ((60, -10, 60), (80, 70, 70), 8, 5),
    ((-70, 0, 70), (45, 40, 50), 10, 6),
    ((70, 50, -40), (30, 25, 55), 20, 6),
    ((-70, 50, -40), (30, 25, 55), 20, 7),
    ((0, -30, 10), (20, 20, 20), 40, 30),
)


def inside(centre, half_axes):
    return (((CENTRES - centre) / half_axes) ** 2).sum(-1) < 1


ORGAN = np.logical_or.reduce([inside(c, h) for c, h, _, _ in ORGANS])


def scan(number, displacement=None, seed=0):
    values = inside((0, 0, 0), (180, 110, 260)) * (1.0, 0.4)[number]
    for centre, half_axes, *levels in ORGANS:
        values = np.where(inside(centre, half_axes), levels[number], values)
    values = ndimage.gaussian_filter(values, 8.0 / SPACING)
    if displacement is not None:
        there = GRID.to_index(CENTRES + displacement)
        values = ndimage.map_coordinates(values, np.moveaxis(there, -1, 0), order=1, mode="nearest")
    noisy = np.random.default_rng(seed).poisson(60 * values) / 60
    return Image(ndimage.gaussian_filter(noisy, 1.0).astype(np.float32), GRID, Quantity.ACTIVITY_CONCENTRATION)


@pytest.fixture(scope="module")
def truth():
    """A smooth displacement of at most 30 mm."""
    rng = np.random.default_rng(4)
    rough = np.stack([ndimage.gaussian_filter(rng.normal(size=GRID.shape), 45 / SPACING) for _ in range(3)], -1)
    return 30 * rough / np.linalg.norm(rough, axis=-1).max()


@pytest.fixture(scope="module")
def found(truth):
    return deform(scan(0, truth, 1), scan(1, seed=2), STILL)


def test_organs_come_nearer_to_where_they_were(found, truth):
    """The camera sees 19 mm; of the displacement of organs at least a third is taken back."""
    before = np.linalg.norm(truth[ORGAN], axis=-1).mean()
    after = np.linalg.norm((found.displacement_mm - truth)[ORGAN], axis=-1).mean()
    assert after < 2 / 3 * before
    assert found.agreement_after >= found.agreement_before - 1e-3


def test_an_image_is_brought_along_the_displacement(found, truth):
    fixed, moving = scan(0, truth, 1), scan(1, seed=2)
    rigid, deformed = (np.sqrt(resample(moving, GRID, m).values[ORGAN]) for m in (STILL, found))
    still = np.sqrt(fixed.values[ORGAN])
    assert np.corrcoef(deformed, still)[0, 1] > np.corrcoef(rigid, still)[0, 1]


def test_the_displacement_is_added_before_the_motion():
    shift = Motion(
        np.array([[0.0, -1, 0, 5], [1, 0, 0, 7], [0, 0, 1, 9], [0, 0, 0, 1]]), (0, 0, 90), (5, 7, 9), 0.5, 0.5
    )
    along_x = np.zeros((*GRID.shape, 3), np.float32)
    along_x[..., 0] = 10.0
    placed = Deformation(shift, GRID, along_x, 10.0, (1.0, 1.0), 0.5, 0.5).transform().TransformPoint((1.0, 2.0, 3.0))
    assert placed == pytest.approx((-2 + 5, 11 + 7, 3 + 9))


def test_the_same_images_give_the_same_displacement(found, truth):
    again = deform(scan(0, truth, 1), scan(1, seed=2), STILL)
    assert np.array_equal(found.displacement_mm, again.displacement_mm)


def test_images_that_share_nothing_are_refused():
    rng = np.random.default_rng(0)
    noise = Image(rng.random(GRID.shape).astype(np.float32), GRID, Quantity.ACTIVITY_CONCENTRATION)
    with pytest.raises(RegistrationWorsened, match="registration: rigid"):
        deform(scan(0), noise.with_values(np.roll(scan(1).values, 40, axis=2)), STILL)
