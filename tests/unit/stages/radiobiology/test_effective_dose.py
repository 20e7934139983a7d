import numpy as np
import pytest
from scipy.integrate import dblquad

from hevesy.errors import BadInput
from hevesy.stages.radiobiology.effective_dose import effective_dose_Gy, protraction_factor

HOUR = 3600.0


def rate(half_life_h):
    return np.log(2) / (half_life_h * HOUR)


def test_one_exponential_has_the_closed_form_of_the_half_lives():
    # the half-time of repair over the sum of both half-lives
    assert protraction_factor([5.0], [rate(50)], rate(2.8)) == pytest.approx(2.8 / (2.8 + 50), rel=1e-12)


def test_several_exponentials_are_the_double_integral():
    a, rates, mu = np.array([3.0, 1.0, -1.5]), np.array([0.02, 0.1, 0.8]), 0.25
    dose = (a / rates).sum()

    def product(w, t):
        return float(a @ np.exp(-rates * t)) * float(a @ np.exp(-rates * w)) * np.exp(-mu * (t - w))

    inner, _ = dblquad(product, 0, 600, 0, lambda t: t, epsabs=1e-3)
    # the integral is cut at 12 half-lives of the slowest exponential, and known to about 1e-5
    assert protraction_factor(a, rates, mu) == pytest.approx(2 * inner / dose**2, rel=1e-3)


def test_a_dose_given_at_once_is_not_protracted():
    assert protraction_factor([1.0], [1e6], 1e-4) == pytest.approx(1.0, rel=1e-9)


def test_the_effective_dose_of_a_cycle_is_that_of_the_linear_quadratic_model():
    # D + D²/(α/β) · T_repair/(T_repair + T_effective), Bodei et al. 2008
    factor = protraction_factor([1.0], [rate(50)], rate(2.8))
    assert effective_dose_Gy(6.0, 2.6, factor) == pytest.approx(6.0 + 36.0 / 2.6 * 2.8 / 52.8, rel=1e-12)


@pytest.mark.parametrize(("amplitudes", "rates", "repair"), [([1], [0], 1), ([1], [1], 0), ([-1], [1], 1)])
def test_rates_that_cannot_be_are_refused(amplitudes, rates, repair):
    with pytest.raises(BadInput):
        protraction_factor(amplitudes, rates, repair)
