from __future__ import annotations

import math

import numpy as np
import pytest

from hevesy.core import Measured
from hevesy.errors import BadInput
from hevesy.stages.quantification.planar import (
    Path,
    conjugate_view,
    overlap,
    scatter_corrected,
    without_background,
)

MU, CALIBRATION = 0.0135, Measured(1e-5, 2e-7, "1/s/Bq", "calibration")


def slab_views(activity_Bq, first_mm, source_mm, body_mm, mu=MU):
    """Integrate the counts of a slab source in a uniform body by brute force: 100,000 thin layers."""
    depths = first_mm + source_mm * (np.arange(100_000) + 0.5) / 100_000
    front = activity_Bq * CALIBRATION.value * np.mean(np.exp(-mu * depths))
    back = activity_Bq * CALIBRATION.value * np.mean(np.exp(-mu * (body_mm - depths)))
    return Measured(front, 0.0, "1/s"), Measured(back, 0.0, "1/s")


@pytest.mark.parametrize("first_mm", [0.0, 40.0, 130.0])
@pytest.mark.parametrize("source_mm", [1.0, 60.0])
def test_conjugate_views_return_the_activity_of_a_slab_at_any_depth(first_mm, source_mm):
    front, back = slab_views(1e8, first_mm, source_mm, 200.0)
    path = Path(Measured(math.exp(-MU * 200)), source_mm, 200.0, MU)
    assert conjugate_view(front, back, path, CALIBRATION).value == pytest.approx(1e8, rel=1e-6)


def test_the_uncertainty_of_a_conjugate_view_is_half_that_of_each_view_and_of_the_transmission():
    path = Path(Measured(0.1, 0.01, "", "transmission"), 30.0, 200.0, MU)
    found = conjugate_view(Measured(100, 10, "1/s", "a"), Measured(50, 5, "1/s", "p"), path, CALIBRATION)
    assert found.u_relative == pytest.approx(math.hypot(0.05, 0.05, 0.05, 0.02), rel=1e-9)


def test_a_path_from_a_map_of_attenuation_is_its_line_integral():
    mu = np.zeros(100)
    mu[20:80] = MU
    inside = np.zeros(100, bool)
    inside[40:50] = True
    path = Path.through(mu, 4.0, inside)
    assert path.attenuation.value == pytest.approx(math.exp(-MU * 240), rel=1e-12)
    assert (path.source_mm, path.body_mm) == (40.0, 240.0)
    assert path.mu_per_mm == pytest.approx(MU)


def test_background_before_and_behind_a_region_is_taken_off():
    path = Path(Measured(0.1), 50.0, 200.0, MU)
    # 100 pixels see 20 counts each from the region, and 3 × 0.75 from what it does not fill
    counts = without_background(Measured(100 * (20 + 3 * 0.75)), Measured(40 * 3.0), (100, 40), path)
    assert counts.value == pytest.approx(2000.0, rel=1e-12)


def test_a_scatter_that_is_straight_in_energy_is_removed_exactly_by_three_windows():
    def scatter(low, high):
        return sum(50 - 0.1 * (e + 0.5) for e in range(low, high))

    peak = Measured(1000 + scatter(188, 228), 0.0)
    side = [(Measured(scatter(182, 188)), 6.0), (Measured(scatter(228, 234)), 6.0)]
    assert scatter_corrected(peak, side, 40.0).value == pytest.approx(1000.0, abs=1e-9)


def test_views_without_counts_on_one_side_are_refused():
    path = Path(Measured(0.1), 50.0, 200.0, MU)
    with pytest.raises(BadInput, match="both sides"):
        conjugate_view(Measured(0.0, 0.0, "1/s"), Measured(1.0, 0.0, "1/s"), path, CALIBRATION)


@pytest.mark.parametrize(
    ("source", "body", "transmission"), [(300.0, 200.0, 0.1), (10.0, 200.0, 1.5), (10.0, 200.0, 0.0)]
)
def test_impossible_paths_are_refused(source, body, transmission):
    with pytest.raises(BadInput):
        Path(Measured(transmission), source, body, MU)


def test_the_share_of_a_region_under_others_is_counted_once():
    mask = np.zeros((10, 10), bool)
    mask[:4, :5] = True
    other = np.zeros_like(mask)
    other[:2, :5] = True
    assert overlap(mask, [other, other]) == pytest.approx(0.5)
    assert overlap(mask, []) == 0.0
