"""A known motion of a planar view is found and undone; views that cannot be compared are refused."""

import numpy as np
import pytest

from hevesy.core import PlanarView
from hevesy.errors import BadInput, GridMismatch
from hevesy.stages.registration.planar import move_view, register_views

ROWS, COLUMNS, PIXEL_MM = 160, 96, (4.0, 4.0)
#: row and column of the centre (mm from the view's centre), size (mm), height (counts)
ORGANS = ((-150, 40, 30, 300.0), (-60, -50, 26, 500.0), (20, 35, 22, 400.0), (140, 5, 18, 250.0), (0, 0, 130, 60.0))


def view(shift=(0.0, 0.0), angle_deg=0.0, seed=None, heights=(1.0,) * 5):
    """Organs carried by a rotation about the view's centre (columns towards rows), then a shift (row, column)."""
    r, c = np.mgrid[:ROWS, :COLUMNS].astype(float)
    r, c = (r - (ROWS - 1) / 2) * PIXEL_MM[0], (c - (COLUMNS - 1) / 2) * PIXEL_MM[1]
    a = np.deg2rad(angle_deg)
    counts = np.zeros((ROWS, COLUMNS))
    for (row, column, size, height), factor in zip(ORGANS, heights, strict=True):
        at_c = np.cos(a) * column - np.sin(a) * row + shift[1]
        at_r = np.sin(a) * column + np.cos(a) * row + shift[0]
        counts += factor * height * np.exp(-((r - at_r) ** 2 + (c - at_c) ** 2) / (2 * size**2))
    return PlanarView(counts if seed is None else np.random.default_rng(seed).poisson(counts), PIXEL_MM)


@pytest.mark.parametrize(("shift", "angle"), [((0.0, 0.0), 0.0), ((23.0, -14.0), 0.0), ((-35.0, 10.0), 4.0)])
def test_a_known_motion_is_found_within_a_quarter_of_a_pixel_in_noise(shift, angle):
    found = register_views(view(seed=1), view(shift, angle, seed=2))
    assert found.shift_mm == pytest.approx(shift, abs=1.0)
    assert found.rotation_deg == pytest.approx(angle, abs=0.3)
    assert found.agreement_after >= found.agreement_before - 1e-3


def test_organs_that_wash_out_at_their_own_pace_do_not_pull_the_view_along():
    later = view((12.0, 8.0), 0.0, seed=4, heights=(0.3, 0.6, 0.2, 0.9, 0.4))
    assert register_views(view(seed=3), later).shift_mm == pytest.approx((12.0, 8.0), abs=2.0)


def test_a_view_is_brought_back_with_its_counts():
    moved = view((20.0, -12.0), 3.0)
    back = move_view(moved, register_views(view(), moved))
    middle = (slice(20, 140), slice(20, 76))
    # linear interpolation of the smallest organ (18 mm) on 4 mm pixels loses up to 1% of its peak
    assert np.abs(back.counts - view().counts)[middle].max() < 0.02 * view().counts.max()
    assert back.counts[middle].sum() == pytest.approx(view().counts[middle].sum(), rel=5e-3)


def test_views_of_other_size_or_pixels_or_without_counts_are_refused():
    small = PlanarView(np.ones((80, 96)), PIXEL_MM)
    zoomed = PlanarView(view().counts, (2.0, 2.0))
    with pytest.raises(GridMismatch, match="one matrix and zoom"):
        register_views(view(), small)
    with pytest.raises(GridMismatch, match="one matrix and zoom"):
        register_views(view(), zoomed)
    with pytest.raises(BadInput, match="no counts"):
        register_views(view(), PlanarView(np.zeros((ROWS, COLUMNS)), PIXEL_MM))
