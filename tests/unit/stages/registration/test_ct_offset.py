"""A CT that lies elsewhere is found by how far, whatever the noise; one that lies in place is not moved."""

import numpy as np
import pytest

from factories import torso
from hevesy.core import Grid, Image, Quantity
from hevesy.errors import WrongQuantity
from hevesy.stages.registration.ct_offset import ct_offset

#: a voxel of those that are compared; activity that blur carries into the lungs draws it 5 mm towards the feet
WITHIN_MM = 8.0
SPECT = torso.emission(torso.grid())


def ct_moved(by_mm):
    """The CT of the torso, whose header places it elsewhere."""
    taken = torso.hounsfield(torso.grid())
    return Image(taken.values, torso.grid(shift_mm=by_mm), Quantity.HOUNSFIELD)


@pytest.mark.parametrize("shift", [(20, 0, 0), (0, -20, 20), (-10, 5, -30)])
def test_a_shift_is_found(shift):
    found = ct_offset(SPECT, ct_moved(shift))
    np.testing.assert_allclose(found.shift_mm, shift, atol=WITHIN_MM)
    assert found.agreement > found.agreement_in_place
    assert found.likelihood > 4.5
    assert not found.at_edge


@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_a_ct_in_place_stays_there(noise):
    found = ct_offset(torso.emission(torso.grid(), noise=noise), ct_moved((0, 0, 0)))
    np.testing.assert_allclose(found.shift_mm, 0, atol=WITHIN_MM)
    assert found.likelihood < 4.5


def test_neither_the_scale_nor_the_way_the_axes_run_matters():
    affine = SPECT.grid.affine @ np.diag([-1.0, 1.0, -1.0, 1.0])
    affine[:3, 3] = SPECT.grid.to_mm([SPECT.grid.shape[0] - 1, 0, SPECT.grid.shape[2] - 1])
    flipped = Image(1e-4 * SPECT.values[::-1, :, ::-1], Grid(SPECT.grid.shape, affine), Quantity.COUNTS)
    a, b = (ct_offset(image, ct_moved((0, 20, 0))) for image in (SPECT, flipped))
    np.testing.assert_allclose(a.shift_mm, b.shift_mm, atol=0.01)  # mm: single precision


def test_a_ct_that_shows_a_hand_of_the_body_says_nothing():
    ct = ct_moved((0, 0, 0))
    part = (slice(0, ct.grid.shape[0]), slice(0, ct.grid.shape[1]), slice(20, 40))
    assert ct_offset(SPECT, Image(ct.values[part], ct.grid.part(part), Quantity.HOUNSFIELD)) is None


def test_an_image_that_shows_nothing_moves_nothing():
    even = SPECT.with_values(np.ones(SPECT.grid.shape, np.float32))
    assert ct_offset(even, ct_moved((20, 0, 0))) is None
    assert ct_offset(even.with_values(0 * even.values), ct_moved((0, 0, 0))) is None


def test_only_a_ct_is_compared():
    with pytest.raises(WrongQuantity, match="hounsfield"):
        ct_offset(SPECT, SPECT)
