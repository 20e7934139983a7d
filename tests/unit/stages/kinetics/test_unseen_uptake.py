"""What nobody measured before the first scan is between a straight line from zero and uptake that was over at once."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hevesy.core import Curve
from hevesy.stages.kinetics import fit_curve, fit_shared_tail

HOUR = 3600.0
PHYSICAL = math.log(2) / (6.647 * 24 * HOUR)
HEAD = "before the first scan"


def falling(hours, half_life_h=60.0, relative_u=0.02, name="kidney"):
    times = np.array(hours) * HOUR
    values = 1e8 * np.exp2(-np.array(hours) / half_life_h)
    return Curve.at_instants(times, values, relative_u * values, name)


def taken_up(hours, uptake_h, washout_h):
    """Return activity that comes with one half-life and goes with another, and its integral over all time."""
    times, (rise, fall) = np.array(hours) * HOUR, (math.log(2) / (h * HOUR) for h in (uptake_h, washout_h))
    return 1e8 * (np.exp(-fall * times) - np.exp(-rise * times)), 1e8 * (1 / fall - 1 / rise)


def test_the_component_is_the_distance_between_the_limits_over_the_root_of_twelve_by_hand():
    fit = fit_curve(falling([6, 24, 96, 168]), PHYSICAL, "mono")
    rate = math.log(2) / (60 * HOUR)
    at_once, line = 1e8 / rate * -math.expm1(-rate * 6 * HOUR), 0.5 * 6 * HOUR * 1e8 * 2 ** (-0.1)
    assert fit.tia.components[HEAD] == pytest.approx((at_once - line) / math.sqrt(12), rel=1e-6)
    assert fit.tia.value == pytest.approx(1e8 / rate, rel=1e-9)


def test_with_points_known_exactly_the_interval_reaches_to_the_straight_line_from_zero():
    fit = fit_curve(falling([6, 24, 96, 168], relative_u=1e-7), PHYSICAL, "mono")
    excess = math.sqrt(12) * fit.tia.components[HEAD]
    # the central 95% of what lies evenly between the limits ends at 97.5% of them
    assert fit.tia.value - fit.interval95[0] == pytest.approx(0.975 * excess, rel=1e-3)
    assert fit.interval95[1] == pytest.approx(fit.tia.value, rel=1e-5)


@pytest.mark.parametrize("asked", ["mono", "average", "bi"])
def test_whatever_washout_is_asked_for_its_uptake_is_not_known(asked):
    assert fit_curve(falling([4, 24, 72, 120, 168]), PHYSICAL, asked).tia.components[HEAD] > 0


def test_curves_that_share_their_tail_have_heads_of_their_own():
    curves = [falling([4, 24, 96, 168], name=name) for name in ("one", "other")]
    one, other = (fit.tia for fit in fit_shared_tail(curves, PHYSICAL, "mono"))
    assert one.components[HEAD] == pytest.approx(other.components[HEAD], rel=1e-6) != 0
    assert one.covariance(other) < one.u * other.u - one.components[HEAD] ** 2 / 2


def test_a_first_scan_at_once_leaves_nothing_open():
    assert HEAD not in fit_curve(falling([0.1, 24, 96, 168]), PHYSICAL, "mono").tia.components


def test_uptake_that_the_first_scan_saw_is_measured():
    values, _ = taken_up([1, 4, 24, 96], 3.0, 60.0)
    fit = fit_curve(Curve.at_instants(np.array([1, 4, 24, 96]) * HOUR, values, 0.02 * values), PHYSICAL)
    assert fit.model == "uptake"
    assert HEAD not in fit.tia.components


@pytest.mark.parametrize(("model", "immediate"), [("mono", True), ("physical", False)])
def test_activity_that_was_there_from_the_start_has_no_uptake(model, immediate):
    assert HEAD not in fit_curve(falling([24, 96, 168]), PHYSICAL, model, immediate=immediate).tia.components
