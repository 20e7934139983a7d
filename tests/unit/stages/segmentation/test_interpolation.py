import numpy as np
import pytest

from hevesy.errors import BadInput
from hevesy.stages.segmentation.interpolation import interpolate_slices

ROWS, COLUMNS = np.mgrid[:41, :37]


def disc(i, j, radius):
    return (ROWS - i) ** 2 + (COLUMNS - j) ** 2 <= radius**2


def drawn(first, last, between=7):
    mask = np.zeros((41, 37, between + 2), bool)
    mask[:, :, 0], mask[:, :, -1] = first, last
    return mask


def test_what_was_drawn_stays_and_what_lies_between_is_filled():
    mask = drawn(disc(20, 18, 12), disc(20, 18, 6))
    filled = interpolate_slices(mask, 2, (1.0, 1.0, 3.0))
    assert np.array_equal(filled[:, :, [0, -1]], mask[:, :, [0, -1]])
    assert filled.any(axis=(0, 1)).all()


def test_the_slices_of_a_cone_lie_on_the_cone():
    filled = interpolate_slices(drawn(disc(20, 18, 14), disc(20, 18, 6)), 2, (1.0, 1.0, 3.0))
    for k in range(9):
        radius = 14 - k
        # discs of voxels: within a voxel of the true radius
        assert not (filled[:, :, k] & ~disc(20, 18, radius + 1)).any()
        assert not (disc(20, 18, radius - 1) & ~filled[:, :, k]).any()


def test_a_shape_that_does_not_change_is_carried_along():
    shape = disc(15, 20, 9) & (ROWS > 10)
    filled = interpolate_slices(drawn(shape, shape), 2, (1.0, 1.0, 3.0))
    assert (filled == shape[:, :, None]).all()


@pytest.mark.parametrize("axis", [0, 1])
def test_any_axis_gives_the_same(axis):
    mask = drawn(disc(20, 18, 12), disc(22, 16, 6))
    there = np.moveaxis(mask, 2, axis)
    filled = interpolate_slices(there, axis, (1.0, 1.0, 1.0))
    assert np.array_equal(np.moveaxis(filled, axis, 2), interpolate_slices(mask, 2, (1.0, 1.0, 1.0)))


def test_a_single_slice_is_refused():
    with pytest.raises(BadInput, match="Draw another slice"):
        interpolate_slices(np.pad(disc(20, 18, 5)[:, :, None], ((0, 0), (0, 0), (2, 2))), 2, (1.0, 1.0, 1.0))
