"""Floods whose uniformity is known in closed form."""

import numpy as np
import pytest

from hevesy.core import PlanarView
from hevesy.errors import BadInput, OutsideValidity
from hevesy.stages.quality.uniformity import fields_of_view, flood_uniformity, nine_point_smooth, rebinned

SIZE = 6.4


def flood(counts, pixel=SIZE):
    """A flood with a dark rim of three pixels."""
    return PlanarView(np.pad(counts, 3), (pixel, pixel))


def test_a_linear_gradient_has_the_uniformity_of_its_ends():
    """Smoothing keeps a straight line, but for the outermost column, which it draws in by a third of a pixel."""
    slope, n = 0.002, 41
    x = np.arange(n) - n // 2
    found = flood_uniformity(flood(np.tile(20_000 * (1 + slope * x), (31, 1))))
    # NEMA leaves out what touches the dark rim: the outermost pixel on each side
    outermost = n // 2 - 1 - 1 / 3
    assert found.useful.integral.value == pytest.approx(100 * slope * outermost, rel=1e-9)
    # five in line, the end one drawn in: 4 - 1/3 steps about their middle; where counts are lowest
    low, high = 1 - slope * (n // 2 - 2), 1 - slope * (n // 2 - 5)
    assert found.useful.differential_rows.value == pytest.approx(
        max(100 * (b - a) / (a + b) for a, b in ((low, high + slope), (1 - slope * outermost, high))), rel=1e-9
    )
    assert found.useful.differential_columns.value == pytest.approx(0, abs=1e-9)
    assert found.useful.differential is found.useful.differential_rows


def test_the_central_field_is_three_quarters_as_wide():
    slope, n = 0.002, 81
    x = np.arange(n) - n // 2
    found = flood_uniformity(flood(np.tile(20_000 * (1 + slope * x), (61, 1))))
    # a pixel's width of 6.4 mm in 389: where the central field's edge falls within its pixel
    assert found.central.integral.value == pytest.approx(100 * slope * 0.75 * n / 2, abs=100 * slope)


def test_a_cold_spot_of_one_pixel_is_seen_at_the_depth_that_smoothing_leaves():
    counts = np.full((31, 41), 20_000.0)
    counts[15, 20] *= 0.8
    found = flood_uniformity(flood(counts)).central
    depth = 0.2 * 4 / 16
    assert found.integral.value == pytest.approx(100 * depth / (2 - depth), rel=1e-9)
    assert found.differential_rows.value == pytest.approx(found.integral.value, rel=1e-9)


def test_noise_of_a_perfect_camera_is_told_from_a_fault():
    noisy = np.random.default_rng(7).poisson(10_500, (41, 51)).astype(float)
    found = flood_uniformity(flood(noisy))
    by_noise = found.useful.integral_by_noise
    # three standard deviations of the drawn extremes
    assert found.useful.integral.value == pytest.approx(by_noise.value, abs=3 * by_noise.u)
    assert not any("10000" in warning for warning in found.warnings)


def test_smoothing_a_constant_leaves_it_also_at_the_edge():
    field = np.zeros((9, 9), bool)
    field[2:7, 1:8] = True
    assert nine_point_smooth(np.full((9, 9), 5.0), field)[field] == pytest.approx(5.0)


def test_fine_pixels_are_added_up_to_the_nearest_to_6_4_mm():
    counts, pixel = rebinned(PlanarView(np.ones((256, 256)), (2.065, 2.065)))
    assert counts.shape == (85, 85)
    assert pixel == pytest.approx((6.195, 6.195))
    assert counts == pytest.approx(9)


def test_pixels_that_cannot_come_near_6_4_mm_are_refused():
    with pytest.raises(OutsideValidity, match=r"6\.4 mm"):
        rebinned(PlanarView(np.ones((64, 64)), (9.6, 9.6)))


def test_too_few_counts_are_said():
    assert any("10000" in warning for warning in flood_uniformity(flood(np.full((31, 41), 900.0))).warnings)


def test_a_dim_edge_is_left_out_and_what_touches_it():
    counts = np.full((31, 41), 1000.0)
    counts[:, 0] = 600  # lit, but below 75% of the middle
    useful, _ = fields_of_view(np.pad(counts, 3), (SIZE, SIZE))
    assert np.flatnonzero(useful.any(0))[0] == 3 + 2
    assert np.flatnonzero(useful.any(1))[0] == 3 + 1


def test_the_makers_useful_field_is_kept_to():
    useful, _ = fields_of_view(np.pad(np.full((41, 61), 1000.0), 3), (SIZE, SIZE), (21 * SIZE, 31 * SIZE))
    assert [np.ptp(i) + 1 for i in np.nonzero(useful)] == [19, 29]


@pytest.mark.parametrize("counts", [np.zeros((64, 64)), np.eye(64) * 1000, np.full((64, 64), 3.0)])
def test_what_is_no_flood_is_refused(counts):
    with pytest.raises(BadInput, match="flood"):
        flood_uniformity(PlanarView(counts, (SIZE, SIZE)))
