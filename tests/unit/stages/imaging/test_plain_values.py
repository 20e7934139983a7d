"""Dates, times, ages and numbers are told from words in their place."""

import pytest

from hevesy.stages.imaging.plain_values import age, age_between, earlier, is_plain


@pytest.mark.parametrize(
    ("text", "moved"),
    [
        ("20240305", "20240304"),
        ("20240301101500.123456+0100", "20240229101500.123456+0100"),
        ("2024.03.05", "20240304"),
        ("20240305 QUORBLE", ""),
        ("20240305101500QUORBLE", ""),
        ("202411", ""),  # a month without its day is no whole date, and 2024-1-1 is not meant
        ("20241301", ""),
        ("00010101", ""),
        ("QUORBLE", ""),
    ],
)
def test_a_date_goes_back_with_its_time_and_nothing_else_stays(text, moved):
    assert earlier(text, 1) == moved


@pytest.mark.parametrize(
    ("vr", "text", "plain"),
    [
        ("DS", "-1.5E+02", True),
        ("DS", ".5", True),
        ("DS", "QX-7744", False),
        ("IS", "+12", True),
        ("IS", "12 Quorble", False),
        ("TM", "101500.123456", True),
        ("TM", "10:15:00", True),
        ("TM", "QUORBLE", False),
        ("TM", "", True),
        ("CS", "ANYTHING", True),
    ],
)
def test_a_word_is_told_from_a_value(vr, text, plain):
    assert is_plain(vr, text) is plain


@pytest.mark.parametrize(
    ("text", "kept"), [("045Y", "045Y"), ("95y", "090Y"), ("011M", "011M"), ("95", ""), ("Quorble", ""), ("", "")]
)
def test_an_age_is_kept_and_that_of_the_oldest_is_ninety(text, kept):
    assert age(text) == kept


def test_the_age_between_two_dates_is_in_whole_years():
    assert age_between("19610517", "20240516") == "062Y"
    assert age_between("19610517", "20240517") == "063Y"
    assert age_between("19110517", "20240517") == "090Y"
    assert age_between("20240517", "19610517") == age_between("", "20240517") == ""
