"""Projections of a point about an axis that is known to be off the middle."""

import numpy as np
import pytest

from hevesy.core import Projections
from hevesy.errors import BadInput, MissingInformation
from hevesy.stages.quality.rotation import arc_deg, centre_of_rotation

PIXEL = 4.0


def turning(offset_mm, radius_mm=80.0, views=60, arc=360.0, counts=20_000.0, n=64):
    """Views of a Gaussian point of 12 mm, radius_mm from the axis, as its sine goes."""
    angles = np.arange(views) * arc / views
    place = offset_mm + radius_mm * np.sin(np.deg2rad(angles) + 0.3)
    x = (np.arange(n) - (n - 1) / 2) * PIXEL
    across = np.exp(-((x[None] - place[:, None]) ** 2) / (2 * 5.0**2))
    axial = np.exp(-((x - 10.0) ** 2) / (2 * 5.0**2))
    stack = axial[None, :, None] * across[:, None, :]
    return counts * stack / stack.sum((1, 2), keepdims=True), angles


@pytest.mark.parametrize("offset", [0.0, 1.7, -6.3])
def test_the_offset_of_the_axis_is_found(offset):
    counts, angles = turning(offset)
    (found,) = centre_of_rotation(Projections(counts, angles, (PIXEL, PIXEL)))
    # 0.05 mm: cutting counts below a tenth of the maximum, pixel by pixel
    assert found.offset.value == pytest.approx(offset, abs=0.05)
    assert found.radius.value == pytest.approx(80.0, abs=0.1)
    assert found.axial_spread_mm < 0.05


def test_the_uncertainty_covers_the_noise():
    random = np.random.default_rng(2)
    counts, angles = turning(1.7, counts=2000.0)
    found = [centre_of_rotation(Projections(random.poisson(counts), angles, (PIXEL, PIXEL)))[0] for _ in range(20)]
    errors = np.array([(f.offset.value - 1.7) / f.offset.u for f in found])
    # twenty draws of about unit spread: below 2 but for one in a million
    assert np.sqrt((errors**2).mean()) < 2


def test_each_detector_has_its_own_axis():
    first, angles = turning(2.0)
    second, _ = turning(-1.0)
    both = Projections(
        np.concatenate([first, second]), np.tile(angles, 2), (PIXEL, PIXEL), detectors=np.repeat([1, 2], 60)
    )
    found = centre_of_rotation(both)
    assert [f.detector for f in found] == [1, 2]
    assert [f.offset.value for f in found] == pytest.approx([2.0, -1.0], abs=0.05)


def test_a_view_that_jumps_is_seen_in_the_largest_deviation():
    counts, angles = turning(0.0)
    counts[10] = np.roll(counts[10], 1, axis=1)
    (found,) = centre_of_rotation(Projections(counts, angles, (PIXEL, PIXEL)))
    assert found.largest_deviation_mm == pytest.approx(PIXEL, rel=0.1)


def test_less_than_half_a_turn_is_refused():
    counts, angles = turning(0.0, arc=120.0)
    assert arc_deg(angles) == pytest.approx(120)
    with pytest.raises(MissingInformation, match="180"):
        centre_of_rotation(Projections(counts, angles, (PIXEL, PIXEL)))


def test_too_few_counts_and_a_point_at_the_edge_are_refused():
    counts, angles = turning(0.0, counts=100.0)
    with pytest.raises(BadInput, match="counts"):
        centre_of_rotation(Projections(counts, angles, (PIXEL, PIXEL)))
    counts, angles = turning(0.0, radius_mm=127.0)
    with pytest.raises(BadInput, match="leaves"):
        centre_of_rotation(Projections(counts, angles, (PIXEL, PIXEL)))
