"""Akaike's criteria against their formulas, and curves whose uncertainties are not known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hevesy.core import Curve
from hevesy.errors import MissingInformation, UnknownName
from hevesy.stages.kinetics import (
    Criterion,
    KineticPrior,
    PopulationHalfLife,
    bayes_tia,
    bounded_tia,
    criterion_named,
    fit_curve,
    fit_shared_tail,
    one_scan_tia,
    prior_of_cohort,
    trapezoid_tia,
)

HOUR = 3600.0
PHYSICAL = math.log(2) / (6.647 * 24 * HOUR)
RATE = math.log(2) / (50 * HOUR)
#: Student's t for 0.975 at 3 and 4 degrees of freedom (Fisher & Yates, table III)
STUDENT = {3: 3.182446, 4: 2.776445}


def curve(times_h, values, u_known=True):
    times = np.array(times_h) * HOUR
    return Curve(times, times, np.array(values), 0.05 * np.array(values), "kidney", u_known)


def falling(times_h, noise=0.0, seed=0, u_known=True):
    exact = 1e8 * np.exp(-RATE * np.array(times_h) * HOUR)
    return curve(times_h, exact * (1 + noise * np.random.default_rng(seed).standard_normal(len(times_h))), u_known)


@pytest.mark.parametrize(
    ("corrected", "u_known", "parameters", "points", "penalty"),
    [
        (False, True, 2, 5, 4.0),
        (True, True, 2, 5, 4.0 + 12 / 2),
        (True, True, 4, 6, 8.0 + 40 / 1),
        (False, False, 2, 5, 6.0),  # the estimated scale is a parameter
        (True, False, 2, 5, 6.0 + 24 / 1),
        (True, True, 3, 4, math.inf),  # n = k + 1
        (True, False, 3, 5, math.inf),
    ],
)
def test_the_penalty_is_that_of_hurvich_and_tsai(corrected, u_known, parameters, points, penalty):
    assert Criterion(corrected, u_known).penalty(parameters, points) == pytest.approx(penalty)


def test_with_known_uncertainties_the_misfit_is_chi2_and_with_unknown_ones_its_logarithm():
    assert Criterion(corrected=False).of(3.0, 2, 5) == pytest.approx(3.0 + 4.0)
    assert Criterion(corrected=False, u_known=False).of(3.0, 2, 5) == pytest.approx(5 * math.log(3 / 5) + 6.0)


def test_a_model_that_meets_every_point_is_no_candidate_where_the_scatter_is_to_be_estimated():
    assert Criterion(corrected=False, u_known=False).of(0.0, 5, 5) == math.inf


def test_aic_is_taken_where_uncertainties_are_known_and_aicc_where_they_are_not():
    assert criterion_named(None, u_known=True).label == "AIC"
    assert criterion_named(None, u_known=False).label == "AICc"
    assert criterion_named("aicc", u_known=True).label == "AICc"


def test_an_unknown_criterion_is_refused_with_those_that_exist():
    with pytest.raises(UnknownName, match="aic, aicc"):
        fit_curve(falling((4, 24, 96, 168)), PHYSICAL, "auto", "bic")


def test_the_fit_names_its_criterion_what_it_compared_and_what_it_could_not():
    fit = fit_curve(falling((4, 24, 48, 96, 168, 200)), PHYSICAL, "auto", "aicc")
    assert fit.criterion == "AICc"
    assert "Compared by AICc: mono, uptake, bi, uptake-free." in fit.method
    assert "Too many parameters for 6 scans: tri-uptake, tri." in fit.method
    assert fit_curve(falling((4, 24, 96)), PHYSICAL, "mono").criterion == ""


@pytest.mark.parametrize(("scans", "said"), [((4, 24, 96), "not defined"), ((4, 24, 48, 96), "leave AICc one model")])
def test_where_aicc_leaves_nothing_to_choose_from_the_simplest_is_taken_and_that_is_said(scans, said):
    fit = fit_curve(falling(scans), PHYSICAL, "auto", "aicc")
    assert fit.model == "mono"
    assert any(said in warning for warning in fit.warnings)


def test_the_average_weights_models_by_the_criterion_asked_for():
    times = (2, 8, 24, 72, 120, 168)
    aic, aicc = (fit_curve(falling(times, 0.05), PHYSICAL, "average", name) for name in ("aic", "aicc"))
    assert (aic.criterion, aicc.criterion) == ("AIC", "AICc")
    # for six points the term of mono (2 parameters) is 4, of bi (4) 40: it has no weight left
    assert "bi 0%" in aicc.method
    assert "bi 0%" not in aic.method


def test_without_uncertainties_the_scatter_gives_them_and_the_interval_is_students():
    values = 1e8 * np.array([1.05, 0.93, 0.98, 1.06]) * np.exp(-PHYSICAL * HOUR * np.array([4, 24, 72, 168]))
    given = curve([4, 24, 72, 168], values, u_known=False)
    fit = fit_curve(given, PHYSICAL, "physical")
    # one linear parameter: everything by hand
    basis = np.exp(-PHYSICAL * given.mid_s)
    w = 1 / values**2
    amplitude = (w * basis) @ values / ((w * basis) @ basis)
    variance = w @ (values - amplitude * basis) ** 2 / 3
    u = math.sqrt(variance / ((w * basis) @ basis)) / PHYSICAL
    assert fit.tia.value == pytest.approx(amplitude / PHYSICAL, rel=1e-9)
    assert fit.tia.u == pytest.approx(u, rel=1e-6)
    low, high = fit.interval95
    # the root is sought to 0.2%
    assert (high - low) / 2 == pytest.approx(STUDENT[3] * u, rel=5e-3)
    assert "3 degrees of freedom" in fit.method


def test_only_the_ratios_of_unknown_uncertainties_matter():
    times = np.array([4, 24, 48, 96, 168]) * HOUR
    values = falling((4, 24, 48, 96, 168), 0.04, 3).activity_Bq
    fits = [fit_curve(Curve(times, times, values, s * values, "", u_known=False), PHYSICAL) for s in (0.01, 1.0)]
    assert fits[0].tia.u == pytest.approx(fits[1].tia.u, rel=1e-6)
    assert fits[0].model == fits[1].model


def test_intervals_without_stated_uncertainties_cover_the_truth_95_times_in_a_hundred():
    inside, truth = 0, 1e8 / RATE
    for seed in range(300):
        fit = fit_curve(falling((4, 24, 48, 96, 120, 168), 0.05, seed, u_known=False), PHYSICAL, "mono")
        inside += fit.interval95[0] <= truth <= fit.interval95[1]
    # three standard deviations of a binomial of 300
    assert abs(inside / 300 - 0.95) < 0.038


def test_points_without_uncertainties_and_without_a_residual_are_refused():
    with pytest.raises(MissingInformation, match="nothing is left to estimate them from"):
        fit_curve(falling((24, 96), u_known=False), PHYSICAL)


HALF_LIFE = PopulationHalfLife(50 * HOUR, 1.2, "stated")


@pytest.mark.parametrize(
    "ask",
    [
        lambda c: bounded_tia(c, PHYSICAL, HALF_LIFE),
        lambda c: trapezoid_tia(c, PHYSICAL),
        lambda c: bayes_tia(c, PHYSICAL, KineticPrior(HALF_LIFE)),
        lambda c: fit_shared_tail([c, c], PHYSICAL, "mono"),
        lambda c: prior_of_cohort(dict.fromkeys("ABCD", c), PHYSICAL, "us"),
        lambda c: one_scan_tia(curve([72], c.activity_Bq[:1], u_known=False), PHYSICAL, "hanscheid2018"),
    ],
    ids=["bounds", "trapezoid", "Bayes", "shared tail", "cohort", "one scan"],
)
def test_what_has_no_residuals_of_its_own_refuses_points_without_uncertainties(ask):
    with pytest.raises(MissingInformation, match="states no uncertainty"):
        ask(falling((24, 96), u_known=False))


def test_exact_points_without_uncertainties_are_not_given_more_than_they_can_hold():
    fit = fit_curve(falling((4, 24, 48, 96, 120, 168), u_known=False), PHYSICAL, immediate=True)
    assert fit.model == "mono"
    assert fit.tia.value == pytest.approx(1e8 / RATE, rel=1e-6)
    assert 0 < fit.tia.u / fit.tia.value < 1e-5
