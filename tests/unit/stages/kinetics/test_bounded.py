from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from hevesy.core import Curve, Measured
from hevesy.data.effective_half_lives import published_half_life
from hevesy.errors import BadInput, UnknownName, UnphysicalCurve
from hevesy.stages.kinetics import PopulationHalfLife, bounded_tia, check_physical, still_rising, trapezoid_tia

HOUR = 3600.0
PHYSICAL = math.log(2) / (6.647 * 24 * HOUR)
TUMOUR = PopulationHalfLife.published("Lu-177 DOTATATE", "tumour")


@pytest.fixture
def rising():
    return Curve.at_instants([4 * HOUR, 24 * HOUR], [1.0e8, 1.3e8], [5e6, 6.5e6], "lesion 1")


def test_a_rise_larger_than_its_uncertainty_is_seen(rising):
    assert still_rising(rising, PHYSICAL)


def test_a_rise_within_its_uncertainty_is_not_taken_for_one():
    assert not still_rising(Curve.at_instants([4 * HOUR, 24 * HOUR], [1.0e8, 1.02e8], [1e7, 1e7]), PHYSICAL)


def test_two_points_that_fall_slower_than_physical_decay_allows_show_no_washout():
    assert still_rising(Curve.at_instants([24 * HOUR, 168 * HOUR], [1.0e8, 0.9e8], [1e6, 1e6]), PHYSICAL)


def test_the_bounds_are_those_computed_by_hand(rising):
    fit = bounded_tia(rising, PHYSICAL, TUMOUR)
    fast = math.log(2) / (TUMOUR.median_s * TUMOUR.geometric_sd**-1.96)
    before = 0.5 * 4 * HOUR * 1.0e8
    between = 0.5 * 20 * HOUR * 2.3e8
    tail = 0.5 * 1.3e8 * (1 / PHYSICAL + 1 / fast)
    assert fit.tia.value == pytest.approx(before + between + tail, rel=1e-12)
    assert fit.tail_fraction == pytest.approx(tail / (before + between + tail), rel=1e-12)
    assert set(fit.tia.components) == {"before the first scan", "between scans", "after the last scan", "counts"}


@pytest.mark.parametrize("uptake_h", [2, 8, 15])
@pytest.mark.parametrize("washout_h", [60, 120, 400])
def test_the_interval_holds_every_true_curve_whose_uptake_is_over_by_the_last_scan(uptake_h, washout_h):
    slow, fast = PHYSICAL + math.log(2) / (washout_h * HOUR), PHYSICAL + math.log(2) / (uptake_h * HOUR)
    times = np.array([0.3, 0.8]) * math.log(fast / slow) / (fast - slow)
    values = np.exp(-slow * times) - np.exp(-fast * times)
    curve = Curve.at_instants(times, 1e8 * values, 5e6 * values)
    # what the warning leaves out, uptake after the last scan, is taken from the truth too
    late = max(0.0, 1e8 * (math.exp(-slow * times[1]) * (1 / slow) - math.exp(-fast * times[1]) / fast))
    truth = 1e8 * (1 / slow - 1 / fast) - late + curve.activity_Bq[-1] / slow
    low, high = bounded_tia(curve, PHYSICAL, TUMOUR).interval95
    assert low < truth < high


def test_it_says_what_the_interval_does_not_cover(rising):
    fit = bounded_tia(rising, PHYSICAL, TUMOUR)
    assert any("does not cover" in warning for warning in fit.warnings)
    assert fit.effective_half_life is None
    assert "Hänscheid" in fit.method


def test_the_next_scan_is_sought_after_the_last_and_later_for_slower_tissue(rising):
    slow = PopulationHalfLife(1.3 * TUMOUR.median_s, TUMOUR.geometric_sd, "a slower tissue")
    fast = PopulationHalfLife(0.5 * TUMOUR.median_s, TUMOUR.geometric_sd, "a faster tissue")
    times = [bounded_tia(rising, PHYSICAL, p).best_next_scan_s for p in (fast, TUMOUR, slow)]
    assert rising.mid_s[-1] < times[0] < times[1] < times[2]


def test_the_next_scan_is_the_one_that_simulated_patients_profit_from_most(rising):
    """Brute force: draw a rate, measure it once more at t, estimate it by posterior mean; least squared error wins."""
    random = np.random.default_rng(8)
    rates, weights = TUMOUR.rates(PHYSICAL)
    relative = 0.05
    truth = random.choice(rates, 4000, p=weights)
    since = np.array([10, 30, 60, 90, 120, 160, 220, 320, 480]) * HOUR
    errors = []
    for t in since:
        spread = relative * np.sqrt(1 + np.exp(truth * t))
        measured = -truth * t + spread * random.standard_normal(truth.size)
        sd = relative * np.sqrt(1 + np.exp(rates * t))
        likelihood = weights / sd * np.exp(-0.5 * ((measured[:, None] + rates * t) / sd) ** 2)
        estimate = likelihood @ (1 / rates) / likelihood.sum(axis=1)
        errors.append(np.mean((estimate - 1 / truth) ** 2))
    advised = bounded_tia(rising, PHYSICAL, TUMOUR).best_next_scan_s - rising.mid_s[-1]
    least = np.interp(advised, since, errors)
    # a flat optimum: what counts is that the advised time loses next to nothing
    assert least < 1.25 * min(errors)


def test_no_activity_at_the_last_scan_is_refused():
    with pytest.raises(BadInput, match="no activity at its last scan"):
        bounded_tia(Curve.at_instants([1.0, 2.0], [1.0, 0.0], [1.0, 1.0]), PHYSICAL, TUMOUR)


def test_a_tissue_that_is_not_on_file_is_refused_with_what_is():
    with pytest.raises(UnknownName, match="Lu-177 DOTATATE in kidney"):
        PopulationHalfLife.published("Lu-177 DOTATATE", "toe")


def test_a_population_half_life_must_be_positive():
    with pytest.raises(BadInput, match="positive median"):
        PopulationHalfLife(-1.0, 1.2, "nowhere")


def test_a_region_cannot_hold_more_than_was_administered():
    curve = Curve.at_instants([24 * HOUR], [9e9], [1e8], "liver")
    with pytest.raises(UnphysicalCurve, match=r"1\.35 times what is left"):
        check_physical(curve, PHYSICAL, Measured(7.4e9, 0.0, "Bq"))


def test_a_factor_of_a_thousand_in_the_unit_is_refused_with_a_hint():
    curve = Curve.at_instants([24 * HOUR], [2e11], [1e10], "kidney")
    with pytest.raises(UnphysicalCurve, match="MBq or kBq"):
        check_physical(curve, PHYSICAL, Measured(7.4e9, 0.0, "Bq"))


def test_a_whole_body_cannot_gain_activity():
    curve = Curve.at_instants([4 * HOUR, 24 * HOUR], [5e9, 6e9], [1e8, 1e8], "whole body")
    with pytest.raises(UnphysicalCurve, match="closed system"):
        check_physical(curve, PHYSICAL, closed_system=True)


def test_a_whole_body_that_gains_a_little_is_warned_of():
    kept = math.exp(-PHYSICAL * 20 * HOUR)
    curve = Curve.at_instants([4 * HOUR, 24 * HOUR], [5e9, 5e9 * kept + 2.5 * math.hypot(1e8 * kept, 1e8)], [1e8, 1e8])
    assert len(check_physical(curve, PHYSICAL, closed_system=True)) == 1


def test_a_possible_curve_passes():
    curve = Curve.at_instants([4 * HOUR, 24 * HOUR], [5e9, 3e9], [1e8, 1e8])
    assert check_physical(curve, PHYSICAL, Measured(7.4e9, 0.0, "Bq"), closed_system=True) == ()


def test_the_curve_passes_through_the_points_and_its_tail_lies_between_the_limits(rising):
    fit = bounded_tia(rising, PHYSICAL, TUMOUR)
    assert fit.activity(rising.mid_s) == pytest.approx(rising.activity_Bq)
    late = np.array([100.0, 300.0]) * HOUR
    low, high = fit.band(late)
    assert (low < fit.activity(late)).all()
    assert (fit.activity(late) < high).all()


def test_straight_lines_and_a_physical_tail_are_exact_for_a_triangle_that_then_decays():
    times = np.array([10.0, 20.0]) * HOUR
    curve = Curve.at_instants(times, [1e8, 2e8], [1e6, 2e6])
    by_hand = (0.5 * 10 * 1e8 + 10 * 1.5e8) * HOUR + 2e8 / PHYSICAL
    found = trapezoid_tia(curve, PHYSICAL)
    assert found.value == pytest.approx(by_hand, rel=1e-12)
    assert found.u == pytest.approx(math.hypot(10 * HOUR * 1e6, (5 * HOUR + 1 / PHYSICAL) * 2e6), rel=1e-12)


@pytest.mark.parametrize("half_life_h", [20, 60, 150])
def test_straight_lines_and_a_physical_tail_lie_above_every_washout_seen_early_enough(half_life_h):
    times = np.array([1, 4, 24, 96, 168]) * HOUR
    rate = PHYSICAL + math.log(2) / (half_life_h * HOUR)
    curve = Curve.at_instants(times, 1e8 * np.exp(-rate * times), np.full(5, 1e6))
    assert trapezoid_tia(curve, PHYSICAL).value > 1e8 / rate


def test_a_half_life_that_nobody_compared_with_its_article_says_so():
    row = published_half_life("Lu-177 PSMA-617", "kidney")
    assert "not compared with the article" in PopulationHalfLife.of_row(replace(row, checked="no")).source
    assert "not compared" not in PopulationHalfLife.of_row(row).source
