import pytest

from hevesy.core import Measured
from hevesy.stages.reporting.rounding import alike, interval, plain, rounded, scientific, with_uncertainty


@pytest.mark.parametrize(
    ("value", "u", "expected"),
    [
        (12.3456, 1.4321, ("12.3", "1.4")),
        (7210.4, 363.0, ("7210", "360")),
        (143_210.0, 15_301.0, ("143\u202f000", "15\u202f000")),
        (0.012347, 0.00067, ("0.01235", "0.00067")),
        (10.021, 0.0996, ("10.02", "0.10")),
        (100.0, 9.96, ("100", "10")),
        (-3.14159, 0.21, ("\u22123.14", "0.21")),
        (0.0, 0.5, ("0.00", "0.50")),
        (0.4, 25.0, ("0", "25")),
    ],
)
def test_the_uncertainty_keeps_two_digits_and_the_value_ends_where_it_does(value, u, expected):
    assert rounded(value, u) == expected


def test_a_value_without_uncertainty_keeps_three_digits_and_claims_no_uncertainty():
    assert rounded(1234.56, 0.0) == ("1230", "")
    assert with_uncertainty(Measured(0.123456)) == "0.123"


def test_a_unit_at_the_door_moves_value_and_uncertainty_together():
    assert with_uncertainty(Measured(7.4e9, 0.15e9, "Bq"), 1e6) == "7400 ± 150"


def test_the_ends_of_an_interval_are_rounded_as_the_value_is():
    assert interval((8.931, 25.877), 4.04) == "8.9 to 25.9"
    assert interval((8.9e6, 25.9e6), 4.0e6, 1e6) == "8.9 to 25.9"


def test_a_rounded_zero_has_no_sign():
    assert alike(-0.001, 0.5) == "0.00"


def test_plain_keeps_significant_digits():
    assert [plain(x, 2) for x in (0.0456, 9.96, 99.6, 12345)] == ["0.046", "10", "100", "12\u202f000"]


@pytest.mark.parametrize(
    ("measured", "expected"),
    [
        (Measured(2.013e-6, 1.04e-7, "1/s"), "(2.01 ± 0.10) × 10⁻⁶ 1/s"),
        (Measured(1.2e8, 1.1e7, "Bq"), "(1.20 ± 0.11) × 10⁸ Bq"),
        (Measured(0.12, 0.03, ""), "0.120 ± 0.030"),
        (Measured(0.0), "0.00"),
    ],
)
def test_a_parameter_far_from_one_is_written_with_a_power_of_ten(measured, expected):
    assert scientific(measured) == expected
