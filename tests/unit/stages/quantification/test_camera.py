"""Recovery, dead time and calibration, by their closed forms."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import numpy as np
import pytest

from hevesy.core import Grid, Image, Measured, Quantity, Region, Timing
from hevesy.errors import BadInput, MissingInformation, OutsideValidity, WrongQuantity
from hevesy.stages.quantification.calibration import (
    KnownActivity,
    calibrate_image,
    calibration_factor,
    combine,
    cross_calibrate,
)
from hevesy.stages.quantification.dead_time import fit_dead_time, observed_rate, true_rate
from hevesy.stages.quantification.recovery import equivalent_volume_mL, fit_recovery

HOUR = 3600.0
SPHERES_ML = np.array([0.5, 1.2, 2.6, 5.6, 11.5, 26.5])
NOON = datetime(2024, 3, 1, 12)
LU177 = Measured(math.log(2) / (6.647 * 24 * HOUR), 0.0, "1/s")


def spheres(beta=3.0, gamma=1.1, u=0.02):
    recovery = 1 - 1 / (1 + (SPHERES_ML / beta) ** gamma)
    return [Measured(r, u * r) for r in recovery]


def test_noise_free_spheres_return_the_curve_they_lie_on():
    curve = fit_recovery(SPHERES_ML, spheres())
    assert curve.beta.value == pytest.approx(3.0, rel=1e-6)
    assert curve.gamma.value == pytest.approx(1.1, rel=1e-6)


def test_the_fitted_uncertainty_of_a_recovery_is_the_scatter_of_repeated_fits():
    random = np.random.default_rng(1)
    volume = Measured(4.0, 0.0, "mL")
    values = []
    for _ in range(200):
        noisy = [Measured(m.value * (1 + 0.02 * random.standard_normal()), m.u) for m in spheres()]
        values.append(fit_recovery(SPHERES_ML, noisy).at(volume).value)
    # the spread of 200 values is good to 5%
    assert fit_recovery(SPHERES_ML, spheres()).at(volume).u == pytest.approx(np.std(values), rel=0.2)


def test_the_recovery_of_an_uncertain_volume_moves_as_the_curve_does():
    curve = fit_recovery(SPHERES_ML, spheres())
    volume = Measured(4.0, 0.4, "mL", "volume")
    up, down = (curve.at(Measured(v, 0.0, "mL")).value for v in (4.004, 3.996))
    assert curve.at(volume).components["volume"] == pytest.approx((up - down) / 0.008 * 0.4, rel=1e-4)


def test_a_region_far_below_the_smallest_sphere_is_not_corrected():
    with pytest.raises(OutsideValidity, match="too small"):
        fit_recovery(SPHERES_ML, spheres()).at(Measured(0.1, 0.01, "mL"))


def test_two_spheres_are_no_curve():
    with pytest.raises(BadInput, match="three or more"):
        fit_recovery(SPHERES_ML[:2], spheres()[:2])


def test_a_sphere_is_its_own_equivalent_and_a_flat_body_is_a_smaller_one():
    radius = 15.0
    volume, surface = 4e-3 / 3 * math.pi * radius**3, 4 * math.pi * radius**2
    assert equivalent_volume_mL(volume, surface) == pytest.approx(volume, rel=1e-12)
    assert equivalent_volume_mL(volume, 2 * surface) == pytest.approx(volume / 8, rel=1e-12)
    with pytest.raises(BadInput, match="has a surface of only"):
        equivalent_volume_mL(volume, 0.9 * surface)


@pytest.mark.parametrize("behaviour", ["paralysable", "non-paralysable"])
@pytest.mark.parametrize("true", [0.0, 1e3, 2e5, 9e5])
def test_the_correction_undoes_the_loss(behaviour, true):
    tau = Measured(1e-6, 0.0, "s")
    seen = Measured(observed_rate(true, tau.value, behaviour), 0.0, "1/s")
    assert true_rate(seen, tau, behaviour).value == pytest.approx(true, rel=1e-10)


@pytest.mark.parametrize("behaviour", ["paralysable", "non-paralysable"])
def test_the_uncertainty_of_the_correction_is_its_slope(behaviour):
    def at(m, t):
        return true_rate(Measured(m, 0.0, "1/s"), Measured(t, 0.0, "s"), behaviour).value

    found = true_rate(Measured(2e5, 2e3, "1/s", "counts"), Measured(1e-6, 1e-7, "s", "dead time"), behaviour)
    assert found.components["counts"] == pytest.approx((at(2.001e5, 1e-6) - at(1.999e5, 1e-6)) / 200 * 2e3, rel=1e-5)
    assert found.components["dead time"] == pytest.approx(
        (at(2e5, 1.001e-6) - at(2e5, 0.999e-6)) / 2e-9 * 1e-7, rel=1e-5
    )


def test_a_rate_that_a_paralysed_camera_cannot_show_is_refused():
    with pytest.raises(OutsideValidity, match="its limit is"):
        true_rate(Measured(4e5, 1.0, "1/s"), Measured(1e-6, 0.0, "s"), "paralysable")


@pytest.mark.parametrize("behaviour", ["paralysable", "non-paralysable"])
def test_a_decaying_source_gives_the_dead_time_it_was_made_with(behaviour):
    times = np.arange(12) * 24 * HOUR
    true = 3e5 * np.exp(-LU177.value * times)
    rates = [Measured(observed_rate(n, 0.9e-6, behaviour), 2e-3 * n, "1/s") for n in true]
    assert fit_dead_time(times, rates, LU177.value, behaviour).value == pytest.approx(0.9e-6, rel=1e-4)


def test_the_calibration_factor_undoes_decay_before_and_during_the_scan():
    known = KnownActivity(Measured(1e9, 2e7, "Bq", "activity meter"), NOON, LU177)
    start, duration = NOON + timedelta(hours=30), 2 * HOUR
    rate = LU177.value
    during = 1e9 * math.exp(-rate * 30 * HOUR) * -math.expm1(-rate * duration) / rate
    factor = calibration_factor(Measured(1e-5 * during, 0.0, "", "counts"), Timing(start, duration), known)
    assert factor.value == pytest.approx(1e-5, rel=1e-12)
    assert factor.unit == "1/s/Bq"
    assert factor.u_relative == pytest.approx(0.02, rel=1e-9)


def phantom(quantity=Quantity.COUNTS, timing=True):
    grid = Grid.regular((10, 10, 10), (4.0, 4.0, 4.0))
    values = np.zeros((10, 10, 10), np.float32)
    values[3:7, 3:7, 3:7] = 1000.0
    return Image(values, grid, quantity, Timing(NOON, 600.0) if timing else None)


def test_a_phantom_image_gives_counts_over_time_and_activity():
    known = KnownActivity(Measured(1e8, 1e6, "Bq", "activity meter"), NOON, Measured(1e-12, 0.0, "1/s"))
    image = phantom()
    mask = np.zeros((10, 10, 10), bool)
    mask[2:8, 2:8, 2:8] = True
    factor = calibrate_image(image, known, Region.from_mask("phantom", image.grid, mask))
    assert factor.value == pytest.approx(64_000 / 600 / 1e8, rel=1e-6)
    assert factor.components["counts"] == pytest.approx(factor.value / math.sqrt(64_000), rel=1e-6)


def test_a_phantom_image_that_is_not_of_counts_or_has_no_time_is_refused():
    known = KnownActivity(Measured(1e8, 1e6, "Bq"), NOON, LU177)
    with pytest.raises(WrongQuantity):
        calibrate_image(phantom(Quantity.ACTIVITY_CONCENTRATION), known)
    with pytest.raises(MissingInformation, match="nothing of its time"):
        calibrate_image(phantom(timing=False), known)


def test_repeated_calibrations_keep_the_meter_and_average_the_rest():
    meter = Measured(1.0, 0.02, "", "activity meter")
    factors = [(Measured(v, 0.0, "1/s/Bq") * meter).to(1.0, "1/s/Bq") for v in (1.00e-5, 1.02e-5, 0.98e-5)]
    mean = combine(factors)
    assert mean.value == pytest.approx(1e-5, rel=1e-12)
    assert mean.components["activity meter"] == pytest.approx(0.02e-5, rel=1e-9)
    assert mean.components["repeats"] == pytest.approx(0.02e-5 / math.sqrt(3), rel=1e-9)


def test_cross_calibration_scales_by_the_two_readings():
    factor = cross_calibrate(Measured(1e-5, 1e-7, "1/s/Bq"), Measured(1.02e9, 0.0, "Bq"), Measured(1e9, 1e7, "Bq"))
    # the department's meter reads 2% too much, so that its calibration factor is 2% too small
    assert factor.value == pytest.approx(1.02e-5, rel=1e-12)
    assert factor.u_relative == pytest.approx(math.hypot(0.01, 0.01), rel=1e-9)


def test_background_larger_than_the_source_is_refused():
    known = KnownActivity(Measured(1e8, 1e6, "Bq"), NOON, LU177)
    with pytest.raises(BadInput, match="after background"):
        calibration_factor(Measured(100.0), Timing(NOON, 10.0), known, Measured(20.0, 0.0, "1/s"))
