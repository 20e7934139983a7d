import pytest

from hevesy.web.workbench.templatetags.workbench import measured, plus_minus


@pytest.mark.parametrize(
    ("value", "u", "shown"),
    [(18.123, 0.59, "18.12 ± 0.59"), (3.3, None, "3.30"), (3.3, "", "3.30"), (None, None, "–"), ("", "", "–")],
)
def test_a_number_of_a_stored_result_is_shown_with_what_is_known_of_it(value, u, shown):
    assert plus_minus(value, u) == shown


def test_a_result_stored_without_uncertainty_is_shown_without_one():
    assert measured({"value": 23.6}) == "23.6"
    assert measured({"value": 23.6, "u": 1.2}) == "23.6 ± 1.2"
    assert measured(None) == "–"
