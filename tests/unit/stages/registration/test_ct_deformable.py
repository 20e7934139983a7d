"""A known displacement of a CT is taken back; two CT that differ by a rigid motion alone stay; activity goes along."""

import numpy as np
import pytest
from scipy import ndimage

from factories import torso
from hevesy.core import Image, Quantity
from hevesy.errors import RegistrationWorsened, WrongQuantity
from hevesy.stages.registration.ct_deformable import deform_by_ct
from hevesy.stages.registration.deformable import Deformation, refuse_failure
from hevesy.stages.registration.rigid import Motion, resample

GRID = torso.grid(6.0)
STILL = Motion(np.eye(4), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 0.5, 0.5)


def shifted(by_mm):
    matrix = np.eye(4)
    matrix[:3, 3] = by_mm
    return Motion(matrix, (0.0, 0.0, 0.0), by_mm, 0.5, 0.5)


@pytest.fixture(scope="module")
def truth():
    """A smooth displacement of at most 15 mm."""
    rng = np.random.default_rng(4)
    rough = np.stack([ndimage.gaussian_filter(rng.normal(size=GRID.shape), 45 / 6.0) for _ in range(3)], -1)
    return 15 * rough / np.linalg.norm(rough, axis=-1).max()


@pytest.fixture(scope="module")
def found(truth):
    """The same displacement, seen by a CT that lies 20 mm away besides."""
    there = torso.grid(6.0, (20.0, 0.0, 0.0))
    moving = Image(torso.hounsfield(GRID).values, there, Quantity.HOUNSFIELD)
    return deform_by_ct(GRID, torso.hounsfield(GRID, truth), moving, shifted((20.0, 0.0, 0.0)))


def test_a_known_displacement_is_taken_back_where_tissue_shows_it(found, truth):
    """The edge of a smooth shape shows displacement across it, and none along it; 1.5 mm are a quarter of a voxel."""
    shown = torso.hounsfield(GRID, truth).values.astype(np.float64)
    slope = np.stack(np.gradient(ndimage.gaussian_filter(np.clip(shown, -300, 300), 0.7)), -1)
    steepness = np.linalg.norm(slope, axis=-1)
    edge = steepness > 100
    across = (slope / np.maximum(steepness, 1)[..., None])[edge]
    before = np.abs((truth[edge] * across).sum(-1)).mean()
    after = np.abs(((found.displacement_mm - truth)[edge] * across).sum(-1)).mean()
    assert before > 2.5
    assert after < 1.5
    assert found.agreement_after > found.agreement_before == found.motion.agreement_before
    assert found.volume_change[0] > 0.4


def test_activity_goes_along_and_keeps_its_concentration(found, truth):
    """What is moved is concentration: the liver keeps its Bq/mL, and its activity changes as its volume does."""
    source = torso.emission(GRID)
    moving = Image(source.values, torso.grid(6.0, (20.0, 0.0, 0.0)), source.quantity)
    wanted = torso.emission(GRID, truth).values
    rigid, moved = (resample(moving, GRID, one).values for one in (found.motion, found))
    assert np.abs(moved - wanted).sum() < 0.6 * np.abs(rigid - wanted).sum()
    assert moved.sum() == pytest.approx(wanted.sum(), rel=0.02)  # what a millimetre off makes of an organ's volume
    core = torso.places(GRID) + truth
    liver = (((core - (-65, -10, 20)) / (45, 45, 30)) ** 2).sum(-1) < 1  # where no blur reaches
    assert moved[liver].mean() == pytest.approx(wanted[liver].mean(), rel=0.01)


def test_two_ct_that_a_rigid_motion_brings_together_are_not_deformed():
    moving = Image(torso.hounsfield(GRID).values, torso.grid(6.0, (20.0, -8.0, 4.0)), Quantity.HOUNSFIELD)
    still = deform_by_ct(GRID, torso.hounsfield(GRID), moving, shifted((20.0, -8.0, 4.0)))
    assert still.largest_mm < 0.1  # mm; interpolation between voxels


def test_what_folds_space_is_refused():
    folded = Deformation(STILL, GRID, np.zeros((*GRID.shape, 3), np.float32), 5.0, (-0.1, 1.2), 0.9, 0.95)
    with pytest.raises(RegistrationWorsened, match="folded space"):
        refuse_failure(folded)


def test_ct_of_two_patients_is_refused_or_agrees_no_worse():
    """Noise is no patient: what is made of it is not believed."""
    noise = np.random.default_rng(0).uniform(-300, 300, GRID.shape)
    lumps = 20 * ndimage.gaussian_filter(noise, 3.0)
    with pytest.raises(RegistrationWorsened):
        deform_by_ct(GRID, torso.hounsfield(GRID), Image(lumps, GRID, Quantity.HOUNSFIELD), STILL)


def test_only_ct_is_registered_so():
    with pytest.raises(WrongQuantity, match="hounsfield"):
        deform_by_ct(GRID, torso.hounsfield(GRID), torso.emission(GRID), STILL)
