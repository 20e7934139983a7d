"""The chain from counts to BED, against brute-force sampling of every cause at once."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hevesy.core import Curve, Measured
from hevesy.errors import BadInput
from hevesy.stages.kinetics import fit_curve
from hevesy.stages.quantification.activity_chain import (
    absorbed_dose,
    activity,
    biologically_effective_dose,
    counts_in_outline,
)
from hevesy.stages.quantification.delineation import activity_exponent, equivalent_radius_mm
from hevesy.stages.quantification.recovery import fit_recovery

HOUR = 3600.0
PHYSICAL = math.log(2) / (6.647 * 24 * HOUR)
RESOLUTION_MM, VOLUME_ML = 12.0, 60.0
CALIBRATION, DURATION_S = 1e-5, 1800.0
ENERGY_J, DENSITY = 2.36e-14, 1.05e-3
TIMES = np.array([24.0, 96.0, 168.0]) * HOUR
RATE, ALPHA_BETA, REPAIR = math.log(2) / (60 * HOUR), 2.6, 2.8 * HOUR
COUNTS = 2e6 * np.exp(-RATE * TIMES)
U_VOLUME, U_CALIBRATION, U_COUNTS = 0.08, 0.03, 0.02


def recovery_curve():
    volumes = np.array([0.5, 1.2, 2.6, 5.6, 11.5, 26.5, 110.0])
    truth = volumes / (volumes + 3.0)
    return fit_recovery(volumes, [Measured(r, 0.03 * r) for r in truth])


def chain():
    """Return absorbed dose and BED by propagation: one outline and one calibration for three scans."""
    volume = Measured(VOLUME_ML, U_VOLUME * VOLUME_ML, "mL", "volume")
    calibration = Measured(CALIBRATION, U_CALIBRATION * CALIBRATION, "1/s/Bq", "calibration")
    recovery = recovery_curve().at(volume)
    scans = [counts_in_outline(c, U_COUNTS * c, volume, RESOLUTION_MM) for c in COUNTS]
    activities = [activity(c, DURATION_S, calibration, recovery) for c in scans]
    values = np.array([a.value for a in activities])
    fit = fit_curve(Curve.at_instants(TIMES, values, U_COUNTS * values), PHYSICAL, "mono", immediate=True)
    # what the scans share scales the whole curve: take it from any of them, without its counts
    common = counts_in_outline(COUNTS[0], 0.0, volume, RESOLUTION_MM)
    scale = activity(common, DURATION_S, calibration, recovery) / values[0]
    tia = (fit.tia * scale).to(1.0, "Bq·s")
    dose = absorbed_dose(tia, volume, Measured(DENSITY, 0.01 * DENSITY, "kg/mL", "density"), ENERGY_J)
    ratio, repair = Measured(ALPHA_BETA, 0.0, "Gy"), Measured(REPAIR, 0.0, "s")
    return dose, biologically_effective_dose(dose, fit.effective_half_life, ratio, repair)


def sampled(n=4000):
    """Return absorbed doses and BEDs with every input drawn at random, computed by another route."""
    random = np.random.default_rng(12)
    curve = recovery_curve()
    covariance = np.array(
        [[curve.beta.u**2, curve.beta.covariance(curve.gamma)], [curve.beta.covariance(curve.gamma), curve.gamma.u**2]]
    )
    beta, gamma = random.multivariate_normal([curve.beta.value, curve.gamma.value], covariance, n).T
    volume = VOLUME_ML * (1 + U_VOLUME * random.standard_normal(n))
    exponent = activity_exponent(VOLUME_ML, RESOLUTION_MM)
    calibration = CALIBRATION * (1 + U_CALIBRATION * random.standard_normal(n))
    density = DENSITY * (1 + 0.01 * random.standard_normal(n))
    recovery = 1 - 1 / (1 + (volume / beta) ** gamma)
    noise = 1 + U_COUNTS * random.standard_normal((n, 3))
    counts = COUNTS * noise * ((volume / VOLUME_ML) ** exponent)[:, None]
    activities = counts / (DURATION_S * calibration * recovery)[:, None]
    # weighted straight line through the logarithms: equal relative uncertainties, so equal weights
    centred = TIMES - TIMES.mean()
    logs = np.log(activities)
    rate = -(logs @ centred) / (centred @ centred)
    start = np.exp(logs.mean(axis=1) + rate * TIMES.mean())
    dose = start / rate * ENERGY_J / (density * volume)
    half_life = math.log(2) / rate
    return dose, dose + dose**2 / ALPHA_BETA * REPAIR / (REPAIR + half_life)


def test_propagation_agrees_with_sampling_the_whole_chain_to_dose_and_bed():
    drawn = sampled()
    for propagated, samples in zip(chain(), drawn, strict=True):
        # the median: a ratio's mean is shifted at second order, here by under 1%
        assert propagated.value == pytest.approx(np.median(samples), rel=0.01)
        # the spread of 4000 samples is good to 1.1%; second order adds a few percent
        assert propagated.u == pytest.approx(np.std(samples), rel=0.06)


def test_the_parts_of_the_uncertainty_are_named_and_the_outline_counts_less_than_its_own_size():
    dose, _ = chain()
    assert {"calibration", "counts", "fit", "recovery", "volume", "density"} >= set(dose.components)
    # u(V)/V is 8%: counts grow with the outline while mass grows and recovery grows, so most of the outline cancels or
    # adds with its sign; quadrature of the parts would give more
    share = dose.components["volume"] / dose.value
    exponent = activity_exponent(VOLUME_ML, RESOLUTION_MM)
    recovered = 3.0 / (VOLUME_ML + 3.0)
    assert share == pytest.approx(U_VOLUME * abs(exponent - recovered - 1), rel=0.05)


def test_calibration_is_one_cause_in_all_scans():
    calibration = Measured(CALIBRATION, U_CALIBRATION * CALIBRATION, "1/s/Bq", "calibration")
    one = Measured(1.0)
    first, second = (activity(Measured(c), DURATION_S, calibration, one) for c in COUNTS[:2])
    assert (first + second).u == pytest.approx(first.u + second.u, rel=1e-12)


def test_the_edge_of_a_large_sphere_holds_half_of_what_is_inside():
    assert activity_exponent(1e6, RESOLUTION_MM) == pytest.approx(0.5, abs=0.02)
    assert equivalent_radius_mm(4 * math.pi / 3) == pytest.approx(10.0, rel=1e-12)


@pytest.mark.parametrize("counts", [0.0, -5.0])
def test_no_counts_are_refused(counts):
    with pytest.raises(BadInput, match="must be positive"):
        counts_in_outline(counts, 1.0, Measured(1.0, 0.1, "mL"), 10.0)


def test_a_calibration_in_another_unit_is_refused():
    with pytest.raises(BadInput, match="1/s/Bq"):
        activity(Measured(1.0), 1.0, Measured(1.0, 0.1, "Bq"), Measured(1.0))
