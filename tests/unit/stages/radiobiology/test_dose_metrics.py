"""Held against drawing what is uncertain many times over, and reading the histogram each time."""

from dataclasses import fields, replace

import numpy as np
import pytest

from hevesy.core import Grid, Image, Measured, Quantity, Region
from hevesy.stages.radiobiology.dose_metrics import NOISE, Delineation, dose_metrics
from hevesy.stages.radiobiology.histogram import dose_volume_histogram

STEP_MM = 2.0
GRID = Grid.regular((48, 48, 48), (STEP_MM,) * 3)
PLACE = np.meshgrid(*(STEP_MM * (np.arange(n) - 23.5) for n in GRID.shape), indexing="ij")
FAR_MM = np.sqrt(sum(p**2 for p in PLACE))
RADIUS_MM, U_MM = 24.0, 1.2
#: falls smoothly from 30 Gy in the middle, as a blurred hot sphere's dose does
DOSE = Image(30.0 / (1 + np.exp((FAR_MM - 26.0) / 6.0)), GRID, Quantity.ABSORBED_DOSE)


def sphere(radius_mm):
    return Region.from_mask("sphere", GRID, np.clip((radius_mm - FAR_MM) / STEP_MM + 0.5, 0, 1))


def delineation():
    region = sphere(RADIUS_MM)
    volume = Measured(region.volume_mL, region.volume_mL * 3 * U_MM / RADIUS_MM, "mL", "volume")
    return Delineation(region, volume, sphere(RADIUS_MM + U_MM), sphere(RADIUS_MM - U_MM))


def read(dose, region):
    histogram = dose_volume_histogram(dose, region)
    return np.array([histogram.minimum_Gy, *map(histogram.at_volume, (98, 50, 2)), histogram.maximum_Gy])


def values(metrics):
    found = [getattr(metrics, field.name) for field in fields(metrics)]
    return np.array([one.value for one in found]), np.array([one.u for one in found])


def mean_dose(drawn, scale_u=0.04):
    mean = dose_volume_histogram(DOSE, drawn.region).mean_Gy
    # a wider outline lowers the mean; its share here is beside the point, for metrics replace it
    return (
        Measured(mean, 0.0, "Gy")
        * Measured(1.0, scale_u, label="calibration")
        * (1.0 / (drawn.volume / drawn.volume.value))
    )


def test_uncertainty_is_that_of_drawing_outline_and_scale_again():
    drawn = delineation()
    value, u = values(dose_metrics(DOSE, drawn, mean_dose(drawn)))
    random = np.random.default_rng(2)
    again = [
        read(DOSE, sphere(radius)) * scale
        for radius, scale in zip(random.normal(RADIUS_MM, U_MM, 400), random.normal(1.0, 0.04, 400), strict=True)
    ]
    assert value == pytest.approx(read(DOSE, drawn.region))
    # a standard deviation of 400 draws is known to 3.5%; first order and steps of single voxels are the rest
    assert u[1:4] == pytest.approx(np.std(again, axis=0)[1:4], rel=0.12)


def test_what_scales_the_region_scales_every_metric_alike():
    drawn = delineation()
    still = replace(drawn, wider=drawn.region, narrower=drawn.region)
    value, u = values(dose_metrics(DOSE, still, mean_dose(drawn)))
    assert u / value == pytest.approx(np.full(5, 0.04))


def test_recovery_read_at_the_volume_is_one_cause_with_the_outline():
    drawn = delineation()
    recovery = (drawn.volume / drawn.volume.value) ** 0.3
    region = replace(drawn.region, recovery=(recovery * 0.8).to(1.0, ""))
    plain = dose_metrics(DOSE, drawn, mean_dose(drawn)).d98
    with_recovery = dose_metrics(DOSE, replace(drawn, region=region), mean_dose(drawn)).d98
    # a wider outline lowers D98, and is corrected less: both lower it
    lower = 0.3 * drawn.volume.u_relative * plain.value
    assert with_recovery.components["volume"] == pytest.approx(plain.components["volume"] + lower)


def test_noise_is_named_where_an_engine_brought_it_and_bounds_what_it_did():
    drawn = delineation()
    even = Image(np.full(GRID.shape, 20.0), GRID, Quantity.ABSORBED_DOSE)
    noise = Image(np.full(GRID.shape, 0.05), GRID, Quantity.RELATIVE)
    noisy = even.with_values(even.values * np.random.default_rng(3).normal(1.0, 0.05, GRID.shape), even.quantity)
    mean = Measured(20.0, 0.0, "Gy")
    for one in (dose_metrics(noisy, drawn, mean, noise).d2, dose_metrics(noisy, drawn, mean, noise).d98):
        # all that is seen is noise: the truth is 20 Gy, √3 standard uncertainties away
        assert one.components[NOISE] == pytest.approx(abs(one.value - 20.0) / np.sqrt(3), rel=0.1)
    assert NOISE not in dose_metrics(noisy, drawn, mean).d2.components


def test_a_region_of_which_nothing_would_be_left_is_judged_by_the_wider_one():
    drawn = replace(delineation(), narrower=None)
    found = dose_metrics(DOSE, drawn, mean_dose(drawn, 0.0)).d98
    shift = read(DOSE, drawn.wider)[1] - read(DOSE, drawn.region)[1]
    assert found.u == pytest.approx(abs(shift), rel=1e-6)
