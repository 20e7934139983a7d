"""One-scan methods against the published ratio of estimate to truth, 2x·2⁻ˣ with x = t/T."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hevesy.core import Curve, Measured
from hevesy.errors import BadInput, OutsideValidity, UnknownName
from hevesy.stages.kinetics import METHODS, PopulationHalfLife, half_life_ratio, hanscheid_ratio, one_scan_tia
from hevesy.stages.kinetics.one_scan import valid_half_lives

HOUR = 3600.0
PHYSICAL = math.log(2) / (6.647 * 24 * HOUR)
KIDNEY = PopulationHalfLife(51 * HOUR, 1.2, "a test")


def scanned(t_h, half_life_h, relative_u=0.05):
    value = 1e8 * 2.0 ** (-t_h / half_life_h)
    return Curve.at_instants(
        [t_h * HOUR], [value], [relative_u * value], "kidney"
    ), 1e8 * half_life_h * HOUR / math.log(2)


@pytest.mark.parametrize("x", [0.76, 1.0, 1 / math.log(2), 2.0, 2.4])
def test_hanscheid_2018_over_truth_is_the_published_ratio(x):
    curve, truth = scanned(60 * x, 60)
    estimate = one_scan_tia(curve, PHYSICAL, "hanscheid2018").tia.value
    assert estimate / truth == pytest.approx(2 * x * 2**-x, rel=1e-12)
    assert float(hanscheid_ratio(x)) == pytest.approx(2 * x * 2**-x, rel=1e-12)


def test_hanscheid_2018_is_at_most_6_percent_too_high():
    ratios = hanscheid_ratio(np.linspace(0.01, 10, 10_000))
    assert ratios.max() == pytest.approx(1.0615, abs=5e-5)


@pytest.mark.parametrize(("x", "ratio"), [(0.764, 0.90), (2.437, 0.90)])
def test_hanscheid_2018_is_10_percent_off_at_the_ends_of_its_validity(x, ratio):
    # the ends are given to three digits
    assert float(hanscheid_ratio(x)) == pytest.approx(ratio, abs=1e-3)


@pytest.mark.parametrize("method", ["madsen2018", "hanscheid2017", "fixed-half-life"])
@pytest.mark.parametrize("t_h", [4, 24, 96, 168])
def test_a_population_half_life_is_exact_for_a_patient_who_has_it(method, t_h):
    curve, truth = scanned(t_h, 51)
    assert one_scan_tia(curve, PHYSICAL, method, KIDNEY).tia.value == pytest.approx(truth, rel=1e-12)


def test_the_half_life_of_an_earlier_cycle_is_exact_where_it_has_not_changed():
    curve, truth = scanned(24, 63)
    own = Measured(63 * HOUR, 3 * HOUR, "s")
    assert one_scan_tia(curve, PHYSICAL, "previous-cycle", own).tia.value == pytest.approx(truth, rel=1e-12)


@pytest.mark.parametrize("true_h", [30, 80])
def test_an_assumed_half_life_errs_as_its_ratio_says(true_h):
    curve, truth = scanned(24, true_h)
    estimate = one_scan_tia(curve, PHYSICAL, "madsen2018", KIDNEY).tia.value
    assert estimate / truth == pytest.approx(float(half_life_ratio(24, 51, true_h)), rel=1e-12)


@pytest.mark.parametrize("method", ["hanscheid2018", "madsen2018"])
def test_the_interval_holds_the_truth_of_95_in_100_patients_of_the_population(method):
    random = np.random.default_rng(6)
    inside = 0
    half_lives = np.minimum(51 * 1.2 ** random.standard_normal(500), 6.647 * 24)
    for half_life in half_lives:
        curve, truth = scanned(72, half_life)
        noisy = curve.activity_Bq * (1 + 0.05 * random.standard_normal(1))
        fit = one_scan_tia(Curve.at_instants(curve.mid_s, noisy, 0.05 * noisy), PHYSICAL, method, KIDNEY)
        inside += fit.interval95[0] <= truth <= fit.interval95[1]
    # three standard deviations of a binomial of 500 below 95%; adding the two in quadrature is a little generous
    assert inside / 500 > 0.95 - 0.03


@pytest.mark.parametrize("t_h", [4, 24, 200])
def test_hanscheid_2018_refuses_a_scan_outside_its_validity_and_says_when_to_scan(t_h):
    curve, _ = scanned(t_h, 51)
    with pytest.raises(OutsideValidity, match="Scan between 39 and 124 h"):
        one_scan_tia(curve, PHYSICAL, "hanscheid2018", KIDNEY)


def test_hanscheid_2018_without_a_population_says_for_which_half_lives_it_holds():
    curve, _ = scanned(96, 51)
    fit = one_scan_tia(curve, PHYSICAL, "hanscheid2018")
    assert any("between 39.4 and 126 h" in warning for warning in fit.warnings)


def test_an_early_scan_with_an_assumed_half_life_is_flagged():
    curve, _ = scanned(24, 51)
    fit = one_scan_tia(curve, PHYSICAL, "madsen2018", KIDNEY)
    assert any("more than 10% off" in warning for warning in fit.warnings)


def test_more_than_one_point_is_refused():
    with pytest.raises(BadInput, match="needs one point"):
        one_scan_tia(Curve.at_instants([1.0, 2.0], [1.0, 1.0], [1.0, 1.0]), PHYSICAL, "hanscheid2018")


def test_a_method_that_needs_a_half_life_says_so():
    with pytest.raises(BadInput, match="needs an effective half-life"):
        one_scan_tia(scanned(24, 51)[0], PHYSICAL, "madsen2018")


def test_an_unknown_method_is_refused_with_those_that_exist():
    with pytest.raises(UnknownName, match="hanscheid2018"):
        one_scan_tia(scanned(24, 51)[0], PHYSICAL, "guess")


@pytest.mark.parametrize("method", METHODS)
def test_every_method_says_that_the_washout_is_assumed(method):
    fit = one_scan_tia(scanned(72, 51)[0], PHYSICAL, method, KIDNEY)
    assert any("not measured" in warning for warning in fit.warnings)


def test_right_after_administration_an_assumed_half_life_is_within_10_percent_where_the_true_one_is():
    # the estimate is then A·T'/ln 2 for a truth of A·T/ln 2; the ends are sought on a grid of 0.04%
    assert valid_half_lives(1.0, 51 * HOUR) == pytest.approx((51 * HOUR / 1.1, 51 * HOUR / 0.9), rel=1e-3)


@pytest.mark.parametrize("t_h", [4, 24, 72, 168])
def test_at_the_ends_of_validity_an_assumed_half_life_is_10_percent_off(t_h):
    for end in valid_half_lives(t_h * HOUR, 51 * HOUR):
        assert abs(float(half_life_ratio(t_h * HOUR, 51 * HOUR, end)) - 1) == pytest.approx(0.10, abs=2e-3)


@pytest.mark.parametrize("method", METHODS)
def test_the_method_states_for_which_half_lives_it_holds_and_whose_it_took(method):
    fit = one_scan_tia(scanned(72, 51)[0], PHYSICAL, method, KIDNEY)
    assert "Within 10% for an effective half-life of" in fit.method
    assert "a test (51 h, geometric standard deviation 1.2)" in fit.method
