"""A planar curve in any unit, brought to the height of one SPECT, has the true integral."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hevesy.core import Curve, Measured
from hevesy.errors import BadInput, NoWashout
from hevesy.stages.kinetics import PopulationHalfLife, bounded_tia, fit_curve
from hevesy.stages.kinetics.hybrid import scaled_to

HOUR = 3600.0
DECAY = math.log(2) / (6.647 * 24 * HOUR)
TIMES = np.array([4, 24, 48, 96, 168]) * HOUR


def planar(rate, factor=1.0, relative=0.03, peak=1e8):
    values = factor * peak * np.exp(-rate * TIMES)
    return Curve.at_instants(TIMES, values, relative * values, "kidney")


@settings(max_examples=25, deadline=None)
@given(factor=st.floats(1e-6, 1e6), half_life_h=st.floats(20, 120), spect_h=st.floats(4, 168))
def test_any_factor_in_the_planar_views_cancels(factor, half_life_h, spect_h):
    rate = math.log(2) / (half_life_h * HOUR)
    fit = fit_curve(planar(rate, factor), DECAY, "mono")
    seen = Measured(1e8 * math.exp(-rate * spect_h * HOUR), 1e6, "Bq", "counts")
    found = scaled_to(fit, seen, spect_h * HOUR)
    assert found.tia.value == pytest.approx(1e8 / rate, rel=1e-5)
    assert float(found.activity(spect_h * HOUR)) == pytest.approx(seen.value, rel=1e-9)
    assert found.shape.integral() == pytest.approx(found.tia.value, rel=1e-6)


def test_an_uptake_and_washout_is_recovered_where_interpolation_between_views_would_not():
    fast, slow = math.log(2) / (3 * HOUR), math.log(2) / (60 * HOUR)
    times = np.array([1, 4, 10, 24, 72, 144]) * HOUR
    true = 5e7 * (np.exp(-slow * times) - np.exp(-fast * times))
    fit = fit_curve(Curve.at_instants(times, 0.4 * true, 0.012 * true, "kidney"), DECAY, "uptake")
    seen = 5e7 * (math.exp(-slow * 6.5 * HOUR) - math.exp(-fast * 6.5 * HOUR))
    found = scaled_to(fit, Measured(seen, 0.0, "Bq"), 6.5 * HOUR)
    assert found.tia.value == pytest.approx(5e7 * (1 / slow - 1 / fast), rel=1e-4)


def test_the_stated_uncertainty_is_the_spread_of_repeated_noisy_views():
    rate, spect_h, rng = math.log(2) / (50 * HOUR), 30.0, np.random.default_rng(8)
    clean = planar(rate, 0.7, 0.04)
    seen = Measured(1e8 * math.exp(-rate * spect_h * HOUR), 0.0, "Bq")
    found = []
    for _ in range(400):
        noisy = Curve.at_instants(TIMES, clean.activity_Bq + clean.u_Bq * rng.standard_normal(5), clean.u_Bq, "kidney")
        found.append(scaled_to(fit_curve(noisy, DECAY, "mono"), seen, spect_h * HOUR).tia)
    spread = np.std([m.value for m in found], ddof=1)
    # 400 repeats tell a standard deviation to 3.5%; 4 of these
    assert np.mean([m.u for m in found]) == pytest.approx(spread, rel=0.15)


def test_the_uncertainty_of_the_spect_is_in_the_result_by_name():
    fit = fit_curve(planar(math.log(2) / (50 * HOUR), relative=1e-6), DECAY, "mono")
    found = scaled_to(fit, Measured(5e7, 2.5e6, "Bq", "counts"), 24 * HOUR)
    assert found.tia.components["counts"] / found.tia.value == pytest.approx(0.05, rel=1e-6)
    low, high = found.interval95
    assert low < found.tia.value < high


def test_a_planar_curve_that_still_rises_has_no_shape_to_scale():
    rising = Curve.at_instants([3600.0, 7200.0], [1.0, 2.0], [0.1, 0.1], "kidney")
    fit = bounded_tia(rising, DECAY, PopulationHalfLife(50 * HOUR, 1.3, "a test"))
    with pytest.raises(NoWashout, match="no fitted shape"):
        scaled_to(fit, Measured(1e8, 1e6, "Bq"), 5000.0)


@pytest.mark.parametrize("seen", [Measured(0.0, 1.0, "Bq"), Measured(1e8, 1e6, "MBq")])
def test_a_spect_without_activity_or_in_another_unit_is_refused(seen):
    with pytest.raises(BadInput, match="positive and in Bq"):
        scaled_to(fit_curve(planar(1e-5), DECAY, "mono"), seen, 24 * HOUR)
