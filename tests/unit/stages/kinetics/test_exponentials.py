"""Fits are judged by closed forms: the integral of Σ A exp(-λt) is Σ A/λ."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hevesy.core import Curve, Measured
from hevesy.errors import BadInput, ImpossibleTiming, NoWashout, UnknownName
from hevesy.stages.kinetics import MODELS, fit_curve

HOUR = 3600.0
PHYSICAL = math.log(2) / (6.647 * 24 * HOUR)


def rate(biological_h):
    return PHYSICAL + math.log(2) / (biological_h * HOUR)


def sampled(amplitudes, rates, times_h, relative_u=0.05, name="kidney"):
    values = np.exp(-np.outer(np.array(times_h) * HOUR, rates)) @ np.array(amplitudes)
    return Curve.at_instants(np.array(times_h) * HOUR, values, relative_u * values, name)


#: model → how realistic amplitudes (share of 100 MBq) and rates are drawn, and the scans
def draw(model, random):
    def between(low, high):
        return rate(math.exp(random.uniform(math.log(low), math.log(high))))

    slow, share = between(40, 300), random.uniform(0.2, 0.7)
    first, second, third = random.dirichlet([3, 3, 3])
    amplitudes, rates = {
        "physical": ([1], [PHYSICAL]),
        "mono": ([1], [slow]),
        "bi": ([share, 1 - share], [between(3, 15), slow]),
        "bi-physical": ([share, 1 - share], [between(10, 60), PHYSICAL]),
        "uptake": ([-1, 1], [between(0.5, 4), slow]),
        "uptake-physical": ([-1, 1], [between(0.5, 4), PHYSICAL]),
        "uptake-free": ([-share, 1], [between(3, 12), slow]),
        "tri": ([first, second, third], [between(0.8, 2), between(8, 20), between(100, 400)]),
        "tri-physical": ([first, second, third], [between(1, 3), between(15, 50), PHYSICAL]),
        "tri-uptake": ([-1, share, 1 - share], [between(0.3, 1.5), between(8, 30), between(80, 400)]),
    }[model]
    return 1e8 * np.array(amplitudes), np.array(rates)


SCANS = {1: [4, 48, 144], 2: [4, 48, 144], 3: [4, 48, 144], 4: [4, 24, 72, 168], 5: [0.5, 2, 6, 24, 72, 192]}
SCANS[6] = SCANS[5]


@pytest.mark.parametrize("model", MODELS)
def test_the_true_model_returns_the_closed_form_integral_of_noise_free_points(model):
    random = np.random.default_rng(len(model))
    errors = []
    for _ in range(100):
        amplitudes, rates = draw(model, random)
        fit = fit_curve(sampled(amplitudes, rates, SCANS[MODELS[model].parameters]), PHYSICAL, model)
        errors.append(fit.tia.value / np.sum(amplitudes / rates) - 1)
    # 0.1% is what a report can show; a local minimum would be out by percents
    assert np.abs(errors).max() < 1e-3


def test_frames_are_fitted_by_the_mean_of_the_model_over_them_not_by_its_middle():
    decay = math.log(2) / (1.0 * HOUR)
    starts, ends = np.array([0.0, 2.0, 5.0]) * HOUR, np.array([2.0, 5.0, 9.0]) * HOUR
    means = 1e6 * (np.exp(-decay * starts) - np.exp(-decay * ends)) / (decay * (ends - starts))
    fit = fit_curve(Curve(starts, ends, means, 0.02 * means), decay / 2, "mono")
    assert fit.tia.value == pytest.approx(1e6 / decay, rel=1e-9)


def test_no_rate_falls_below_physical_decay():
    curve = sampled([1e8], [0.9 * PHYSICAL], [24, 96, 168], relative_u=0.2)
    fit = fit_curve(curve, PHYSICAL, "mono")
    assert fit.parameters["rate_1"].value == pytest.approx(PHYSICAL, rel=1e-12)
    assert any("no biological clearance" in warning for warning in fit.warnings)


def test_the_uncertainty_of_a_two_point_fit_is_that_of_propagation_by_hand():
    curve = sampled([1e8], [rate(60)], [24, 96])
    fit = fit_curve(curve, PHYSICAL, "mono", immediate=True)
    a, b = (Measured(v, u, "Bq") for v, u in zip(curve.activity_Bq, curve.u_Bq, strict=True))
    t1, t2 = curve.mid_s
    # λ = ln(a/b)/(t2 - t1), Ã = a exp(λ t1)/λ
    slope = math.log(a.value / b.value) / (t2 - t1)
    tia = a.value * math.exp(slope * t1) / slope
    d_slope = tia * (t1 - 1 / slope) / (t2 - t1)
    by_hand = math.hypot((tia + d_slope) * 0.05, d_slope * 0.05)
    assert fit.tia.value == pytest.approx(tia, rel=1e-9)
    assert fit.tia.u == pytest.approx(by_hand, rel=1e-6)


def test_parameters_keep_their_covariance_when_the_integral_is_computed_from_them():
    fit = fit_curve(sampled([-1e8, 1e8], [rate(2), rate(60)], [1, 6, 24, 96, 168]), PHYSICAL, "uptake")
    p = fit.parameters
    again = p["amplitude_1"] / p["rate_1"] + p["amplitude_2"] / p["rate_2"]
    assert again.value == pytest.approx(fit.tia.value, rel=1e-9)
    assert again.u == pytest.approx(fit.tia.u, rel=1e-6)


def test_95_percent_intervals_of_a_biexponential_cover_the_truth_95_times_in_a_hundred():
    random = np.random.default_rng(4)
    amplitudes, rates, times = [-1e8, 1e8], [rate(3), rate(70)], [2, 8, 24, 96, 168]
    exact = sampled(amplitudes, rates, times)
    truth = np.sum(np.array(amplitudes) / rates)
    inside, ratio = 0, []
    for _ in range(400):
        noisy = exact.activity_Bq * (1 + 0.05 * random.standard_normal(5))
        fit = fit_curve(Curve.at_instants(exact.mid_s, noisy, exact.u_Bq), PHYSICAL, "uptake")
        inside += fit.interval95[0] <= truth <= fit.interval95[1]
        ratio.append(fit.tia.value / truth)
    # three standard deviations of a binomial of 400 are 3.3%; of the mean of 400 errors of about 4%, 0.6%
    assert abs(inside / 400 - 0.95) < 0.033
    assert abs(np.mean(ratio) - 1) < 0.01


def test_the_tail_fraction_is_the_share_of_the_closed_form_beyond_the_last_scan():
    fit = fit_curve(sampled([1e8], [rate(1000)], [4, 24, 48]), PHYSICAL, "mono")
    assert fit.tail_fraction == pytest.approx(math.exp(-rate(1000) * 48 * HOUR), rel=1e-6)
    assert any("after the last scan" in warning for warning in fit.warnings)


def test_the_average_of_models_is_as_uncertain_as_the_models_disagree():
    curve = sampled([4e7, 6e7], [rate(10), rate(150)], [4, 24, 72, 168], relative_u=0.15)
    auto, average = fit_curve(curve, PHYSICAL), fit_curve(curve, PHYSICAL, "average")
    assert average.tia.components["model"] > 0
    assert average.tia.u >= average.tia.components["fit"]
    assert abs(average.tia.value / auto.tia.value - 1) < 0.25


@pytest.mark.parametrize("share", [0.4, 0.9, 1.0])
def test_an_uptake_that_the_scans_hardly_see_leaves_the_washout_its_own_uncertainty(share):
    # amplitude and rate of the uptake take up the first two scans, uncertain by 10⁷ of themselves; what is left of them
    # cancels in the washout, which the last two scans give
    times = np.array([4, 24, 72, 168]) * HOUR
    exact = 1e8 * (np.exp(-rate(80) * times) - share * np.exp(-rate(0.8) * times))
    fit = fit_curve(Curve.at_instants(times, exact, 0.05 * exact), PHYSICAL, "uptake-free")
    late = fit_curve(Curve.at_instants(times[2:], exact[2:], 0.05 * exact[2:]), PHYSICAL, "mono")
    assert fit.parameters["amplitude_2"].u == pytest.approx(late.parameters["amplitude_1"].u, rel=1e-3)
    assert (np.diag(fit.covariance) > 0).all()


def test_a_curve_that_still_rises_at_its_last_scan_is_not_fitted():
    with pytest.raises(NoWashout, match="still rises at its last scan"):
        fit_curve(Curve.at_instants([4 * HOUR, 24 * HOUR], [1e8, 1.4e8], [5e6, 7e6], "lesion"), PHYSICAL)


def test_one_point_is_refused_with_the_way_out():
    with pytest.raises(BadInput, match="one-scan method"):
        fit_curve(sampled([1e8], [rate(60)], [24]), PHYSICAL)


def test_fewer_points_than_parameters_are_refused():
    with pytest.raises(BadInput, match="needs at least 4"):
        fit_curve(sampled([1e8], [rate(60)], [24, 48, 96]), PHYSICAL, "bi")


def test_an_unknown_model_is_refused_with_those_that_exist():
    with pytest.raises(UnknownName, match="mono, bi"):
        fit_curve(sampled([1e8], [rate(60)], [24, 48]), PHYSICAL, "quadratic")


def test_scans_out_of_order_are_refused():
    with pytest.raises(ImpossibleTiming, match="out of order"):
        sampled([1e8], [rate(60)], [48, 24])


def test_points_that_no_model_meets_are_flagged():
    values = np.array([1e8, 2e7, 8e7, 1e7])
    fit = fit_curve(Curve.at_instants(np.array([4, 24, 48, 96]) * HOUR, values, 0.03 * values), PHYSICAL, "mono")
    assert any("misses its points" in warning for warning in fit.warnings)


def test_a_fit_with_no_degree_of_freedom_says_that_it_cannot_be_checked():
    fit = fit_curve(sampled([1e8], [rate(60)], [24, 96]), PHYSICAL, "mono")
    assert any("cannot be checked" in warning for warning in fit.warnings)


def test_the_band_is_as_wide_as_the_point_where_there_is_nothing_else_to_know():
    curve = sampled([1e8], [rate(60)], [24, 96])
    fit = fit_curve(curve, PHYSICAL, "mono")
    low, high = fit.band(curve.mid_s)
    assert (high - low) / 2 == pytest.approx(1.96 * curve.u_Bq, rel=1e-4)
    assert fit.activity(curve.mid_s) == pytest.approx(curve.activity_Bq, rel=1e-8)


@pytest.mark.parametrize("model", MODELS)
def test_auto_finds_the_integral_of_noise_free_points_or_warns(model):
    random = np.random.default_rng(20 + len(model))
    times = SCANS[max(4, MODELS[model].parameters)]
    errors = []
    for _ in range(60):
        amplitudes, rates = draw(model, random)
        fit = fit_curve(sampled(amplitudes, rates, times, relative_u=0.01), PHYSICAL)
        errors.append(abs(fit.tia.value / np.sum(amplitudes / rates) - 1))
        assert errors[-1] < 0.05 or fit.warnings
    assert np.median(errors) < 0.01


def test_auto_without_enough_scans_to_tell_models_apart_warns():
    amplitudes, rates = np.array([4e7, 6e7]), np.array([rate(30), PHYSICAL])
    fit = fit_curve(sampled(amplitudes, rates, [4, 48, 144]), PHYSICAL)
    assert abs(fit.tia.value / np.sum(amplitudes / rates) - 1) > 0.05
    assert fit.warnings
