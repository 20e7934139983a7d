"""Laws of the stopping of alphas; published ranges are in ``tests/reference/nist``."""

import numpy as np
import pytest

from hevesy.core.material import Material
from hevesy.data.materials import material
from hevesy.physics.alpha_range import alpha_range_g_cm2, alpha_stopping_power_MeV_cm2_g


@pytest.mark.parametrize("name", ["water", "lung", "cortical bone", "lead"])
def test_the_slope_of_the_range_is_the_reciprocal_stopping_power(name):
    energy = np.array([0.2, 1.0, 3.0, 6.0, 9.0])
    slope = (alpha_range_g_cm2(material(name), 1.001 * energy) - alpha_range_g_cm2(material(name), energy)) / energy
    assert 1e-3 / slope == pytest.approx(alpha_stopping_power_MeV_cm2_g(material(name), 1.0005 * energy), rel=0.005)


def test_stopping_is_continuous_where_the_formulas_join():
    energy = np.linspace(0.5, 8.0, 2000)
    for name in ("water", "air", "cortical bone"):
        stopping = alpha_stopping_power_MeV_cm2_g(material(name), energy)
        # a step of 4 keV changes it by less than 1%
        assert np.abs(np.diff(stopping) / stopping[1:]).max() < 0.01


def test_mass_ranges_do_not_depend_on_density_and_vanish_at_rest():
    thin, thick = (material("lung").with_density(rho) for rho in (100.0, 1000.0))
    assert alpha_range_g_cm2(thin, 5.0) == alpha_range_g_cm2(thick, 5.0)
    assert alpha_range_g_cm2(thin, 0.0) == 0.0


def test_a_mixture_stops_slow_alphas_as_its_elements_do_together():
    mixture = Material("mixture", 1000.0, {"O": 0.6, "C": 0.4}, 1000.0)
    elements = [Material(symbol, 1000.0, {symbol: 1.0}, 1000.0) for symbol in ("O", "C")]
    parts = [float(alpha_stopping_power_MeV_cm2_g(one, 1.0)) for one in elements]
    assert float(alpha_stopping_power_MeV_cm2_g(mixture, 1.0)) == pytest.approx(0.6 * parts[0] + 0.4 * parts[1])
