"""The CT lies where the reference lies: its own at once, another scan's moved with that scan."""

from datetime import datetime

import numpy as np
import pytest

from factories import torso
from hevesy.core import Grid, Image, Timing
from hevesy.workflows.case import Case
from hevesy.workflows.measurement import align
from hevesy.workflows.scans import Scan

SHIFT_MM = (24.0, -16.0, 32.0)


def grid(frame, shift_mm=(0.0, 0.0, 0.0)):
    there = torso.grid(8.0)
    affine = there.affine.copy()
    affine[:3, 3] += shift_mm
    return Grid(there.shape, affine, frame)


FIRST, SECOND = grid("1.2.1"), grid("1.2.2", SHIFT_MM)


def scan(label, where):
    """The same patient, who lies elsewhere in another frame of reference."""
    image = torso.emission(torso.grid(8.0))
    return Scan(label, None, Image(image.values, where, image.quantity, Timing(datetime(2024, 3, 5, 13), 60.0)), 3600.0)


def ct(where):
    image = torso.hounsfield(torso.grid(8.0))
    return Image(image.values, where, image.quantity)


@pytest.mark.parametrize(("reference", "own", "others"), [(1, FIRST, SECOND), (2, SECOND, FIRST)])
def test_the_ct_of_another_scan_is_moved_with_it_and_its_own_is_not(reference, own, others):
    scans = [scan("Day 1", FIRST), scan("Day 4", SECOND)]
    case = Case({"reference": reference})
    with_own = align(scans, ct(own), case, lambda step: None)
    assert with_own.ct.grid is own
    moved = align(scans, ct(others), case, lambda step: None)
    # the registration of one emission image with itself elsewhere: to a tenth of a voxel
    np.testing.assert_allclose(moved.ct.grid.affine, own.affine, atol=0.8)
    assert moved.ct.grid.frame_of_reference == own.frame_of_reference
    misfit = np.abs(moved.anatomy.values - with_own.anatomy.values)[2:-2, 2:-2, 2:-2]
    assert misfit.mean() < 20  # HU; 233 where it stays where its header places it
    assert np.abs(moved.body.mask() - with_own.body.mask()).sum() < 0.03 * with_own.body.mask().sum()
