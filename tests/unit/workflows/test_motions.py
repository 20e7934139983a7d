"""Motions that are kept are the same to the last digit, so that what follows is, too."""

import json

import numpy as np
import pytest

from hevesy.core import Grid
from hevesy.stages.registration.deformable import Deformation
from hevesy.stages.registration.rigid import Motion
from hevesy.workflows.motions import KnownMotions, keep_motions

GRID = Grid((4, 3, 2), np.diag([2.0, 2.0, 3.0, 1.0]), "1.2.3")


@pytest.fixture
def rigid():
    rng = np.random.default_rng(1)
    return Motion(rng.normal(size=(4, 4)), (0.1, 1 / 3, -2e-17), (np.float64(0.7), 0.0, 5.0), 0.5, np.float64(0.91))


@pytest.fixture
def deformation(rigid):
    displacement = np.random.default_rng(2).normal(size=(4, 3, 2, 3)).astype(np.float32)
    return Deformation(rigid, GRID, displacement, 3.2, (0.9, 1.1), 0.91, 0.93)


def test_kept_motions_come_back_from_json_to_the_last_digit(rigid, deformation, tmp_path):
    kept = json.loads(json.dumps(keep_motions([None, rigid, deformation], tmp_path)))
    known = KnownMotions(kept, tmp_path)
    assert known.of(0, GRID) is None
    back, bent = known.of(1, GRID), known.of(2, GRID)
    for found in (back, bent.motion):
        assert np.array_equal(found.matrix, rigid.matrix)
        assert (found.rotation_deg, found.shift_mm) == (rigid.rotation_deg, rigid.shift_mm)
        assert (found.agreement_before, found.agreement_after) == (0.5, 0.91)
    assert np.array_equal(bent.displacement_mm, deformation.displacement_mm)
    assert bent.displacement_mm.dtype == np.float32
    assert (bent.largest_mm, bent.volume_change, bent.agreement_after) == (3.2, (0.9, 1.1), 0.93)


def test_a_deformation_without_its_field_moves_nothing(deformation):
    kept = keep_motions([deformation])
    with pytest.raises(AssertionError, match="was not kept"):
        KnownMotions(kept).of(0, GRID)
