"""A known motion is found, a needless one is not made, and resampling keeps activity."""

import numpy as np
import pytest
from scipy import ndimage

from hevesy.core import Grid, Image, Quantity
from hevesy.errors import RegistrationWorsened
from hevesy.stages.registration.rigid import register, resample

GRID = Grid.regular((64, 64, 48), (5.0, 5.0, 5.0), (-160.0, -160.0, 0.0), "1.2")
BLOBS = ((-60, -20, 100, 30), (50, 30, 80, 24), (10, -40, 160, 18), (-20, 40, 60, 14), (0, 0, 120, 90))


def phantom(shift=(0, 0, 0), angle_deg=0.0, noise=0.0, frame="1.2"):
    centres = GRID.to_mm(np.stack(np.indices(GRID.shape), -1))
    middle = GRID.to_mm((np.array(GRID.shape) - 1) / 2)
    a = np.deg2rad(angle_deg)
    turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    values = np.zeros(GRID.shape)
    for x, y, z, size in BLOBS:
        at = turn @ (np.array([x, y, z]) - middle) + middle + shift
        values += 1e4 / size * np.exp(-((centres - at) ** 2).sum(-1) / (2 * size**2))
    values += noise * np.abs(np.random.default_rng(5).normal(size=GRID.shape))
    grid = Grid(GRID.shape, GRID.affine, frame)
    return Image(values.astype(np.float32), grid, Quantity.ACTIVITY_CONCENTRATION)


@pytest.mark.parametrize("frame", ["1.2", "1.3"])
def test_a_known_motion_is_found_within_a_millimetre(frame):
    shift = np.array([12.0, -7.0, 9.0])
    motion = register(phantom(), phantom(shift, 4.0, noise=2.0, frame=frame))
    middle = GRID.to_mm((np.array(GRID.shape) - 1) / 2)
    for x, y, z, _ in BLOBS:
        a = np.deg2rad(4.0)
        turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
        there = turn @ (np.array([x, y, z]) - middle) + middle + shift
        found = motion.matrix @ [x, y, z, 1]
        assert np.linalg.norm(found[:3] - there) < 1.0  # a fifth of a voxel
    assert motion.agreement_after > motion.agreement_before


def test_images_that_agree_already_are_left_where_they_are():
    motion = register(phantom(), phantom(noise=1.0))
    assert np.linalg.norm(motion.shift_mm) < 0.5
    assert max(map(abs, motion.rotation_deg)) < 0.3


def test_sharp_boxes_that_lie_upon_each_other_are_not_torn_apart():
    # no noise and no blur: the gradient at the right place is undefined, and a wide search leaves it
    values = np.full(GRID.shape, 5.0)
    values[10:20, 20:30, 10:25], values[40:46, 30:36, 15:22] = 200.0, 400.0
    other = values * np.where(values > 100, 0.3, 0.1) + np.where(values > 300, 80.0, 0.0)
    fixed, moving = (Image(v.astype(np.float32), GRID, Quantity.ACTIVITY_CONCENTRATION) for v in (values, other))
    motion = register(fixed, moving)
    assert motion.agreement_after >= motion.agreement_before
    assert np.linalg.norm(motion.shift_mm) < 1.0  # a fifth of a voxel


def test_the_same_images_give_the_same_motion_to_the_last_bit():
    first, second = (register(phantom(), phantom((6, 3, -4), 2.0)) for _ in range(2))
    assert np.array_equal(first.matrix, second.matrix)


def test_a_motion_that_is_too_far_is_refused():
    with pytest.raises(RegistrationWorsened, match="registration: none"):
        register(phantom(), _unrelated())


def _unrelated():
    rng = np.random.default_rng(8)
    values = np.zeros(GRID.shape)
    values[:6, :6, :6] = rng.random((6, 6, 6))
    return Image(ndimage.gaussian_filter(values, 1).astype(np.float32), GRID, Quantity.ACTIVITY_CONCENTRATION)


@pytest.mark.parametrize("spacing", [(5.0, 5.0, 5.0), (4.0, 4.0, 4.0), (7.0, 6.0, 5.0)])
def test_resampling_keeps_total_activity(spacing):
    source = phantom()
    size = tuple(int(400 / s) for s in spacing)
    target = Grid.regular(size, spacing, (-200.0, -200.0, -80.0), "1.2")
    there = resample(source, target)
    # trilinear weights sum to one; what is left is sampling of smooth blobs: 0.5 %
    before = source.values.sum(dtype=float) * source.grid.voxel_volume_mL
    assert there.values.sum(dtype=float) * target.voxel_volume_mL == pytest.approx(before, rel=0.005)
