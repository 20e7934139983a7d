"""Laws of `Measured`: first-order propagation agrees with sampling, and a quantity is correlated with itself."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hevesy.core import Measured
from hevesy.errors import BadInput, WrongQuantity

values = st.floats(0.5, 50)
relative = st.floats(1e-4, 0.02)


@given(values, relative)
def test_a_quantity_minus_itself_is_exactly_zero(x, u):
    m = Measured(x, x * u, "Bq")
    assert (m - m).value == 0
    assert (m - m).u == 0


@given(values, relative)
def test_a_product_with_itself_has_the_uncertainty_of_its_square(x, u):
    m = Measured(x, x * u, "mm")
    assert (m * m).u == pytest.approx((m**2).u, rel=1e-12)
    assert (m * m).unit == (m**2).unit == "mm^2"


@given(values, values, relative, relative)
def test_independent_relative_uncertainties_of_a_quotient_add_in_quadrature(x, y, u, v):
    ratio = Measured(x, x * u, "Bq") / Measured(y, y * v, "mL")
    assert ratio.u_relative == pytest.approx(math.hypot(u, v), rel=1e-9)
    assert ratio.unit == "Bq/mL"


@given(values, values, relative, relative)
def test_components_sum_in_quadrature_to_the_whole(x, y, u, v):
    z = Measured(x, x * u, label="a") * Measured(y, y * v, label="b") + 3.0
    assert math.hypot(*z.components.values()) == pytest.approx(z.u, rel=1e-12)


def test_propagation_agrees_with_sampling_where_a_quantity_enters_twice():
    # z = (x + y) · x / w: x enters twice. 2 % uncertainties: second order is below 0.1 % of u;
    # 400,000 samples estimate u to 0.11 % (one standard deviation); 1 % is nine of them.
    rng = np.random.default_rng(1)
    n = 400_000
    x, y, w = rng.normal(3, 0.06, n), rng.normal(5, 0.1, n), rng.normal(2, 0.04, n)
    mx, my, mw = Measured(3, 0.06), Measured(5, 0.1), Measured(2, 0.04)
    result = (mx + my) * mx / mw
    assert result.u == pytest.approx(((x + y) * x / w).std(), rel=0.01)
    naive = math.hypot(0.06 / 3, math.hypot(0.06, 0.1) / 8, 0.04 / 2) * result.value
    assert abs(naive / result.u - 1) > 0.05, "the example must tell correlation from its absence"


def test_covariance_of_two_results_agrees_with_sampling():
    rng = np.random.default_rng(2)
    n = 400_000
    shared, a, b = rng.normal(10, 0.2, n), rng.normal(4, 0.1, n), rng.normal(7, 0.1, n)
    ms, ma, mb = Measured(10, 0.2), Measured(4, 0.1), Measured(7, 0.1)
    assert (ms * ma).covariance(ms * mb) == pytest.approx(np.cov(shared * a, shared * b)[0, 1], rel=0.02)


def test_unlike_units_are_not_added():
    with pytest.raises(WrongQuantity, match="cannot be added"):
        Measured(1, 0.1, "Bq") + Measured(1, 0.1, "s")


def test_what_is_not_finite_or_has_a_negative_uncertainty_is_refused():
    for bad in (lambda: Measured(math.nan), lambda: Measured(1, -0.1), lambda: Measured(1) / Measured(0)):
        with pytest.raises(BadInput):
            bad()
