"""Laws that every integral of activity over time obeys, whatever the patient."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hevesy.core import Curve, Measured
from hevesy.errors import HevesyError
from hevesy.stages.kinetics import PopulationHalfLife, bounded_tia, fit_curve, one_scan_tia, trapezoid_tia
from hevesy.stages.quantification.dead_time import observed_rate, true_rate

HOUR = 3600.0
PHYSICAL = math.log(2) / (6.647 * 24 * HOUR)
POPULATION = PopulationHalfLife(60 * HOUR, 1.3, "a test")


@st.composite
def curves(draw, least=2):
    steps = draw(st.lists(st.floats(2.0, 60.0), min_size=least, max_size=6))
    values = draw(st.lists(st.floats(0.05, 1.0), min_size=len(steps), max_size=len(steps)))
    relative = draw(st.floats(0.01, 0.2))
    activity = 1e8 * np.array(values)
    return Curve.at_instants(np.cumsum(steps) * HOUR, activity, relative * activity, "any")


@settings(max_examples=60, deadline=None)
@given(curves(), st.floats(1e-3, 1e3))
def test_twice_the_activity_is_twice_the_integral(curve, factor):
    scaled = Curve.at_instants(curve.mid_s, factor * curve.activity_Bq, factor * curve.u_Bq)
    try:
        one, other = fit_curve(curve, PHYSICAL, "mono"), fit_curve(scaled, PHYSICAL, "mono")
    except HevesyError:
        assume(False)
        return
    assert other.tia.value == pytest.approx(factor * one.tia.value, rel=1e-6)
    assert other.tia.u == pytest.approx(factor * one.tia.u, rel=1e-3)


@settings(max_examples=60, deadline=None)
@given(curves(), st.floats(0.1, 10.0))
def test_time_in_another_unit_changes_the_integral_by_that_unit(curve, factor):
    stretched = Curve.at_instants(factor * curve.mid_s, curve.activity_Bq, curve.u_Bq)
    try:
        one, other = fit_curve(curve, PHYSICAL), fit_curve(stretched, PHYSICAL / factor)
    except HevesyError:
        assume(False)
        return
    assert other.tia.value == pytest.approx(factor * one.tia.value, rel=1e-4)


@settings(max_examples=60, deadline=None)
@given(curves(least=3))
def test_every_fit_lies_in_its_interval_and_decays_no_slower_than_the_nuclide(curve):
    try:
        fit = fit_curve(curve, PHYSICAL)
    except HevesyError:
        assume(False)
        return
    assert fit.interval95[0] <= fit.tia.value * (1 + 1e-9)
    assert fit.interval95[1] >= fit.tia.value * (1 - 1e-9)
    assert fit.effective_half_life.value <= math.log(2) / PHYSICAL * (1 + 1e-9)
    assert 0 <= fit.tail_fraction <= 1 + 1e-9
    late = np.linspace(0, 2000, 400) * HOUR
    assert (fit.activity(late) >= -1e-6 * curve.activity_Bq.max()).all()


@settings(max_examples=60, deadline=None)
@given(curves())
def test_bounds_hold_their_own_estimate_and_are_linear_in_activity(curve):
    one = bounded_tia(curve, PHYSICAL, POPULATION)
    double = Curve.at_instants(curve.mid_s, 2 * curve.activity_Bq, 2 * curve.u_Bq)
    assert one.interval95[0] <= one.tia.value <= one.interval95[1]
    assert bounded_tia(double, PHYSICAL, POPULATION).tia.value == pytest.approx(2 * one.tia.value, rel=1e-12)
    assert trapezoid_tia(double, PHYSICAL).value == pytest.approx(2 * trapezoid_tia(curve, PHYSICAL).value, rel=1e-12)


@given(st.floats(5, 150), st.floats(4, 200))
def test_one_scan_of_a_patient_with_the_assumed_half_life_is_exact_at_any_time(half_life_h, scan_h):
    value = 1e8 * 2 ** (-scan_h / half_life_h)
    curve = Curve.at_instants([scan_h * HOUR], [value], [0.05 * value])
    assumed = PopulationHalfLife(half_life_h * HOUR, 1.2, "a test")
    estimate = one_scan_tia(curve, PHYSICAL, "madsen2018", assumed)
    assert estimate.tia.value == pytest.approx(1e8 * half_life_h * HOUR / math.log(2), rel=1e-9)


@given(st.floats(0, 0.9), st.floats(1e-7, 1e-5), st.sampled_from(["paralysable", "non-paralysable"]))
def test_correcting_for_dead_time_undoes_losing_counts(busy, tau, behaviour):
    true = busy / tau
    seen = Measured(observed_rate(true, tau, behaviour), 0.0, "1/s")
    assert true_rate(seen, Measured(tau, 0.0, "s"), behaviour).value == pytest.approx(true, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(
    ("hours", "relative"), [((4, 24, 96, 168), 0.01), ((1, 4, 24, 96), 0.02), ((24, 48, 96, 168), 0.02)]
)
def test_intervals_hold_the_truth_however_long_uptake_took_up_to_a_half_life_of_3_hours(hours, relative):
    random, times, inside, errors, widths = np.random.default_rng(6), np.array(hours) * HOUR, 0, [], []
    for uptake_h, washout_h in zip(random.uniform(1e-3, 3, 400), random.uniform(40, 90, 400), strict=True):
        rise, fall = (math.log(2) / (h * HOUR) for h in (uptake_h, washout_h))
        exact, truth = 1e8 * (np.exp(-fall * times) - np.exp(-rise * times)), 1e8 * (1 / fall - 1 / rise)
        seen = exact * (1 + relative * random.standard_normal(times.size))
        fit = fit_curve(Curve.at_instants(times, seen, relative * exact), PHYSICAL)
        inside += fit.interval95[0] <= truth <= fit.interval95[1]
        errors.append(fit.tia.value / truth - 1)
        widths.append((fit.interval95[1] - fit.interval95[0]) / (2 * 1.96 * fit.tia.value))
    # two standard deviations of a binomial of 400 are 2.2%
    assert inside / 400 > 0.95 - 0.022
    # as wide as the errors are large, not wider
    assert np.mean(widths) < 1.25 * np.sqrt(np.mean(np.square(errors)))
