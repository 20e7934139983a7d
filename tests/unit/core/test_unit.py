import pytest

from hevesy.core.unit import divide, multiply, raise_to


@pytest.mark.parametrize(
    ("first", "second", "product"),
    [("Bq", "s", "Bq·s"), ("Bq/mL", "mL", "Bq"), ("1/s", "s", ""), ("J", "1/kg", "J/kg"), ("mm", "mm", "mm^2")],
)
def test_symbols_multiply_as_their_quantities_do(first, second, product):
    assert multiply(first, second) == product


def test_a_quotient_undoes_a_product():
    assert divide(multiply("Bq", "s"), "s") == "Bq"


def test_a_root_halves_the_powers():
    assert raise_to("mm^2", 0.5) == "mm"
