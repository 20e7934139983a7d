"""Bars whose modulation is known."""

import numpy as np
import pytest

from hevesy.core import PlanarView
from hevesy.errors import BadInput
from hevesy.stages.quality.bars import bar_pattern, quadrant_bars


def bars(period, modulation, across_deg=0.0, n=160, mean=100.0):
    row, column = np.indices((n, n))
    angle = np.deg2rad(across_deg)
    along = np.sin(angle) * row + np.cos(angle) * column
    return mean * (1 + modulation * np.cos(2 * np.pi * along / period + 0.4))


@pytest.mark.parametrize(("period", "modulation", "across"), [(4.23, 0.15, 0.0), (6.35, 0.45, 90.0), (8.5, 0.9, 3.0)])
def test_period_direction_and_modulation_of_a_sine_are_found(period, modulation, across):
    found = bar_pattern(bars(period, modulation, across), (1.0, 1.0))
    # 0.5% of the modulation: leakage of the window from the sine's mirror image
    assert found.modulation.value == pytest.approx(modulation, rel=0.005)
    assert 2 * found.bar_mm == pytest.approx(period, rel=1e-3)
    assert (found.across_deg - across + 90) % 180 - 90 == pytest.approx(0, abs=0.1)
    assert found.visible


def test_opaque_bars_are_carried_over_fully():
    square = 200.0 * (np.arange(160) % 8 < 4) * np.ones((160, 1))
    found = bar_pattern(square, (0.5, 0.5))
    assert found.bar_mm == pytest.approx(2.0, rel=1e-3)
    # 3%: eight samples a period stand for a square wave
    assert found.transfer.value == pytest.approx(1.0, rel=0.03)


def test_the_gaussian_that_blurs_bars_is_found_again():
    period, fwhm = 8.0, 5.0
    sigma = fwhm / (2 * np.sqrt(2 * np.log(2)))
    passed = np.exp(-2 * (np.pi * sigma / period) ** 2)
    found = bar_pattern(bars(period, 4 / np.pi * passed), (1.0, 1.0))
    assert found.implied_fwhm_mm == pytest.approx(fwhm, rel=0.01)


def test_bars_in_noise_have_the_uncertainty_of_counting_and_noise_alone_is_not_visible():
    random = np.random.default_rng(5)
    found = [bar_pattern(random.poisson(bars(6.0, 0.3, n=64, mean=60)), (1.0, 1.0)).modulation for _ in range(12)]
    values = np.array([m.value for m in found])
    # the scatter of twelve is known to a fifth; half leaves it 2.5 standard deviations
    assert values.std(ddof=1) == pytest.approx(found[0].u, rel=0.5)
    assert values.mean() == pytest.approx(0.3, abs=4 * found[0].u / np.sqrt(12) + 0.0015)
    assert not bar_pattern(random.poisson(20.0, (96, 96)), (1.0, 1.0)).visible


def test_each_quadrant_is_told():
    periods = ((4.0, 5.0), (6.0, 8.0))
    view = np.block([[bars(p, 0.5) for p in row] for row in periods])
    found = {b.quadrant: 2 * b.bar_mm for b in quadrant_bars(PlanarView(view, (1.0, 1.0)))}
    expected = {"upper left": 4.0, "upper right": 5.0, "lower left": 6.0, "lower right": 8.0}
    assert found == pytest.approx(expected, rel=2e-3)


def test_a_point_is_no_bar_phantom():
    view = np.zeros((256, 256))
    view[120:136, 120:136] = 1000
    with pytest.raises(BadInput, match="no bar phantom"):
        quadrant_bars(PlanarView(view, (1.0, 1.0)))
