from __future__ import annotations

import math

import numpy as np
import pytest

from hevesy.core import Curve, Measured
from hevesy.data.effective_half_lives import published_half_life
from hevesy.errors import BadInput, UnknownName
from hevesy.stages.kinetics import (
    KineticPrior,
    PopulationHalfLife,
    bayes_tia,
    best_next,
    expected_shrinkage,
    fit_curve,
    fit_population,
    posterior,
    prior_of_cohort,
    score,
    simulate,
)

HOUR = 3600.0
PHYSICAL = math.log(2) / (6.647 * 24 * HOUR)
KIDNEY = PopulationHalfLife(51 * HOUR, 1.2, "a test")


def one_point(t_h, value=5e7, relative=0.05):
    return Curve.at_instants([t_h * HOUR], [value], [relative * value], "kidney")


@pytest.mark.parametrize("uptake", [None, PopulationHalfLife(3 * HOUR, 1.4, "a test")])
def test_the_quadrature_agrees_with_weighting_a_million_random_patients(uptake):
    """Importance sampling from the prior is the definition of the posterior; it shares no code with the quadrature."""
    prior = KineticPrior(KIDNEY, uptake, 1e8, 1.4)
    random = np.random.default_rng(5)
    n = 1_000_000
    half_life = 51 * HOUR * 1.2 ** random.standard_normal(n)
    allowed = half_life < math.log(2) / PHYSICAL
    slow = math.log(2) / half_life
    fast = np.inf
    if uptake is not None:
        fast = math.log(2) / (3 * HOUR * 1.4 ** random.standard_normal(n)) + PHYSICAL
    activity = 1e8 * 1.4 ** random.standard_normal(n)
    curve = one_point(30)
    predicted = activity * (np.exp(-slow * curve.mid_s[0]) - np.exp(-fast * curve.mid_s[0]))
    weights = allowed * np.exp(-0.5 * ((predicted - curve.activity_Bq[0]) / curve.u_Bq[0]) ** 2)
    tia = activity * (1 / slow - 1 / fast)
    order = np.argsort(tia)
    expected = np.interp([0.025, 0.5, 0.975], np.cumsum(weights[order]) / weights.sum(), tia[order])
    # 100,000 samples matter: their quantiles are good to half a percent
    assert posterior(curve, PHYSICAL, prior).quantile([0.025, 0.5, 0.975]) == pytest.approx(expected, rel=0.012)


def test_with_many_good_scans_the_population_no_longer_matters():
    times = np.array([4, 24, 48, 96, 168, 240]) * HOUR
    values = 1e8 * np.exp(-math.log(2) / (80 * HOUR) * times)
    curve = Curve.at_instants(times, values, 0.005 * values)
    fit = fit_curve(curve, PHYSICAL, "mono", immediate=True)  # as the prior without uptake has it
    estimate = bayes_tia(curve, PHYSICAL, KineticPrior(KIDNEY))
    assert estimate.tia.value == pytest.approx(fit.tia.value, rel=2e-3)
    assert estimate.tia.u == pytest.approx(fit.tia.u, rel=0.15)


def test_intervals_cover_the_patients_of_the_population_95_times_in_a_hundred():
    random = np.random.default_rng(7)
    prior = KineticPrior(KIDNEY, None, 1e8, 1.4)
    inside = 0
    for _ in range(400):
        half_life = 51 * HOUR * 1.2 ** random.standard_normal()
        activity, rate = 1e8 * 1.4 ** random.standard_normal(), max(math.log(2) / half_life, PHYSICAL)
        value = activity * math.exp(-rate * 24 * HOUR)
        seen = value * (1 + 0.05 * random.standard_normal())
        low, high = posterior(one_point(24, seen), PHYSICAL, prior, 41).quantile([0.025, 0.975])
        inside += low <= activity / rate <= high
    assert abs(inside / 400 - 0.95) < 0.033


def test_the_expected_shrinkage_is_what_simulated_second_scans_bring():
    prior = KineticPrior(KIDNEY, None, 1e8, 1.4)
    curve = one_point(24)
    promised = expected_shrinkage(curve, PHYSICAL, prior, (120 * HOUR, 0.05))
    now = posterior(curve, PHYSICAL, prior)
    random = np.random.default_rng(3)
    before = math.sqrt(now.weights @ (now.tia - now.weights @ now.tia) ** 2)
    variances = []
    for node in random.choice(now.tia.size, 300, p=now.weights):
        truth = now.activity_Bq[node] * math.exp(-now.washout[node] * 120 * HOUR)
        u = 0.05 * truth * math.sqrt(max(curve.activity_Bq[0] / truth, 1.0))
        both = Curve.at_instants(
            [24 * HOUR, 120 * HOUR],
            [curve.activity_Bq[0], max(truth + u * random.standard_normal(), 1.0)],
            [curve.u_Bq[0], u],
        )
        after = posterior(both, PHYSICAL, prior, 41)
        variances.append(after.weights @ (after.tia - after.weights @ after.tia) ** 2)
    # 300 simulated second scans: their mean variance is good to a few percent
    assert promised == pytest.approx(math.sqrt(np.mean(variances)) / before, rel=0.08)


def test_after_an_early_scan_a_late_one_helps_more_than_another_early_one():
    prior = KineticPrior(KIDNEY)
    early, late = (expected_shrinkage(one_point(4), PHYSICAL, prior, (t * HOUR, 0.05)) for t in (8, 120))
    assert late < 0.6 * early
    best, shrunk = best_next(one_point(4), PHYSICAL, prior, 0.05)
    assert best > 48 * HOUR
    assert shrunk <= late + 0.02


def test_the_population_of_a_cohort_is_the_one_it_was_drawn_from():
    random = np.random.default_rng(9)
    true = 60 * HOUR * 1.25 ** random.standard_normal(300)
    seen = [Measured(t * (1 + 0.05 * random.standard_normal()), 0.05 * t, "s") for t in true]
    found = fit_population(seen, "a test")
    # standard errors of 300: 1.3% of the median, 4% of the logarithm of the spread
    assert found.median_s == pytest.approx(60 * HOUR, rel=0.04)
    assert math.log(found.geometric_sd) == pytest.approx(math.log(1.25), rel=0.13)


def test_the_prior_of_a_cohort_of_curves_is_the_one_they_were_drawn_from():
    random = np.random.default_rng(10)
    times = np.array([4, 24, 96, 168]) * HOUR
    curves = {}
    for i in range(60):
        rate = math.log(2) / (51 * HOUR * 1.2 ** random.standard_normal())
        values = 1e8 * 1.5 ** random.standard_normal() * np.exp(-rate * times)
        values *= 1 + 0.03 * random.standard_normal(4)
        curves[f"p{i}"] = Curve.at_instants(times, values, 0.03 * values)
    prior = prior_of_cohort(curves, PHYSICAL, "a test")
    assert prior.washout.median_s == pytest.approx(51 * HOUR, rel=0.08)
    assert prior.washout.geometric_sd == pytest.approx(1.2, abs=0.06)
    assert prior.activity_gsd == pytest.approx(1.5, abs=0.15)


def test_three_patients_are_no_population():
    with pytest.raises(BadInput, match="3 patients"):
        fit_population([Measured(1.0, 0.1, "s")] * 3, "a test")


KIDNEYS = published_half_life("Lu-177 DOTATATE", "kidney")


def test_simulated_patients_have_the_closed_form_integral_and_stay_above_physical_decay():
    patients = simulate(KIDNEYS, PHYSICAL, 2000, 1)
    assert patients.washout.min() >= PHYSICAL * (1 - 1e-12)
    assert patients.tia[0] == pytest.approx(_integral(patients, 0), rel=1e-6)
    assert np.median(math.log(2) / patients.washout) == pytest.approx(KIDNEYS.half_life_h * HOUR, rel=0.02)


def _integral(patients, index):
    from scipy.integrate import quad

    def activity(t):
        a, slow, fast = patients.activity_Bq[index], patients.washout[index], patients.uptake[index]
        return a * (math.exp(-slow * t) - math.exp(-fast * t))

    return quad(activity, 0, 100 * HOUR)[0] + quad(activity, 100 * HOUR, 5000 * HOUR)[0]


@pytest.mark.parametrize("t_h", [72.0, 96.0])
def test_the_hierarchical_estimate_errs_less_than_the_one_scan_formulas_on_their_own_population(t_h):
    patients = simulate(KIDNEYS, PHYSICAL, 800, 2)
    scores = {m: score(patients, (t_h,), m, PHYSICAL, (0.05, 3)) for m in ("hanscheid2018", "madsen2018", "bayes")}

    def error(s):
        return math.hypot(s.bias, s.spread)

    assert error(scores["bayes"]) < min(error(scores["hanscheid2018"]), error(scores["madsen2018"]))


def test_three_scans_beat_one():
    patients = simulate(KIDNEYS, PHYSICAL, 300, 2)
    one = score(patients, (24,), "bayes", PHYSICAL, (0.05, 3))
    three = score(patients, (24, 96, 168), "auto", PHYSICAL, (0.05, 3))
    assert three.beyond < 0.5 * one.beyond
    assert three.spread < 0.6 * one.spread


def test_a_method_that_does_not_exist_cannot_be_scored():
    with pytest.raises(UnknownName, match="bayes"):
        score(simulate(KIDNEYS, PHYSICAL, 20, 2), (24,), "guess", PHYSICAL, (0.05, 3))


@pytest.mark.parametrize("times", [(), (0,), (96, 24)])
def test_scan_times_must_be_positive_and_rise(times):
    with pytest.raises(BadInput, match="positive and rising"):
        score(simulate(KIDNEYS, PHYSICAL, 20, 2), times, "mono", PHYSICAL, (0.05, 3))
