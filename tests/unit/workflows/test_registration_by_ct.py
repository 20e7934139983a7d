"""Scans are brought together by the CT of each where each has its own, and by nothing else where one has none."""

from dataclasses import replace
from datetime import datetime
from types import SimpleNamespace

import numpy as np
import pytest

from factories import torso
from hevesy.core import Image, Timing
from hevesy.errors import MissingInformation
from hevesy.stages.registration.deformable import Deformation
from hevesy.workflows.case import Case
from hevesy.workflows.measurement import align
from hevesy.workflows.motions import KnownMotions, keep_motions
from hevesy.workflows.scans import Scan

GRID = torso.grid(8.0)
BY_CT = Case({"registration": "deformable-ct"})


def scan(label, ct, displacement=0.0):
    activity = torso.emission(GRID, displacement)
    present = Image(activity.values, GRID, activity.quantity, Timing(datetime(2024, 3, 5, 13), 60.0))
    series = SimpleNamespace(uid=ct, image=lambda: torso.hounsfield(GRID, displacement)) if ct else None
    return Scan(label, None, present, 3600.0, ct=series)


@pytest.fixture(scope="module")
def breath():
    """Organs 12 mm towards the head, less and less towards the hips."""
    height = torso.places(GRID)[..., 2]
    moved = np.zeros((*GRID.shape, 3))
    moved[..., 2] = 12 / (1 + np.exp(-height / 40))
    return moved


def test_a_later_scan_is_brought_along_its_ct_and_kept(breath, tmp_path):
    scans = [scan("Day 1", "1"), scan("Day 4", "2", breath)]
    series = align(scans, None, BY_CT, lambda step: None)
    motion = series.motions[1]
    assert isinstance(motion, Deformation)
    reference = series.activity[0].values
    rigid = align(scans, None, Case(), lambda step: None).activity[1].values
    assert np.abs(series.activity[1].values - reference).sum() < np.abs(rigid - reference).sum()
    known = KnownMotions(keep_motions(series.motions, tmp_path), tmp_path)
    again = align([replace(one, ct=None) for one in scans], None, BY_CT, lambda step: None, known)
    np.testing.assert_array_equal(again.activity[1].values, series.activity[1].values)


@pytest.mark.parametrize(("ct", "said"), [(None, "No CT .* Day 4"), ("1", "Day 1 and Day 4 have one CT")])
def test_a_scan_without_a_ct_of_its_own_is_refused(ct, said):
    with pytest.raises(MissingInformation, match=said):
        align([scan("Day 1", "1"), scan("Day 4", ct)], None, BY_CT, lambda step: None)
