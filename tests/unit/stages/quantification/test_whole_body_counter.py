"""Readings of a counter give the activity in the patient; the first, before voiding, is all of it."""

import math

import numpy as np
import pytest

from hevesy.core import Measured
from hevesy.errors import BadInput, EmptyInput, HevesyError, ImpossibleTiming, MissingInformation, UnreadableFile
from hevesy.stages.quantification.whole_body_counter import counter_curve

HOUR = 3600.0
DECAY = math.log(2) / (8.0233 * 24 * HOUR)
GIVEN = Measured(3.7e9, 3.7e7, "Bq", "activity meter")
HEAD = "t_h,counts,opposite_counts,duration_s,background_counts,background_s"
#: counts per second and becquerel from front and back
FRONT, BACK, ROOM = 4e-6, 1e-6, 20.0


def present(t_h):
    """All of it at half an hour; then excreted with a half-life of 15 h."""
    return 3.7e9 * math.exp(-DECAY * t_h * HOUR) * 2 ** (-max(t_h - 0.5, 0.0) / 15)


def table(path, times=(0.5, 4, 24, 48, 96), head=HEAD):
    rows = [
        f"{t},{(present(t) * FRONT + ROOM) * 60},{(present(t) * BACK + ROOM) * 60},60,{ROOM * 600},600" for t in times
    ]
    path.write_text("\n".join([head, *rows]), encoding="utf-8")
    return path


def test_the_activity_in_the_patient_is_recovered_from_both_sides_over_background(tmp_path):
    found = counter_curve(table(tmp_path / "counter.csv"), GIVEN, DECAY)
    expected = [present(t) for t in (0.5, 4, 24, 48, 96)]
    np.testing.assert_allclose(found.curve.activity_Bq, expected, rtol=1e-9)
    assert found.present.value == pytest.approx(present(0.5), rel=1e-12)
    assert found.present.components == pytest.approx({"activity meter": 0.01 * present(0.5)})


def test_the_uncertainty_of_a_reading_is_that_of_counting_signal_and_background(tmp_path):
    path = tmp_path / "counter.csv"
    path.write_text("t_h,counts,duration_s,background_counts,background_s\n1,10000,10,400,10\n9,2500,10,400,10\n")
    curve = counter_curve(path, GIVEN, DECAY, u_relative=0.05).curve
    counting = math.sqrt(2500 + 400) / 2100
    assert curve.u_Bq[1] / curve.activity_Bq[1] == pytest.approx(math.hypot(counting, 0.05), rel=1e-9)
    curve = counter_curve(path, GIVEN, DECAY).curve
    assert curve.u_Bq[1] / curve.activity_Bq[1] == pytest.approx(counting, rel=1e-9)


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("t_h,counts\n1,5\n2,4", MissingInformation, "no column 'duration_s'"),
        (
            "t_h,counts,opposite_counts,duration_s\n1,500,400,60\n5,400,,60",
            MissingInformation,
            "Reading 2 has no opposite_counts, and others have",
        ),
        ("t_h,counts,duration_s\n5,500,60\n5,400,60", ImpossibleTiming, "twice at one time"),
        ("t_h,counts,duration_s\n1,500,60", BadInput, "two or more"),
        ("t_h,counts,duration_s\n5,500,60\n1,400,60", ImpossibleTiming, "out of order"),
        ("t_h,counts,duration_s\n1,many,60\n2,400,60", BadInput, "'many' for counts"),
        ("t_h,counts,duration_s\n1,500,0\n2,400,60", BadInput, "500 counts in 0 s"),
        (
            "t_h,counts,duration_s,background_counts,background_s\n1,500,60,100,60\n2,90,60,100,60",
            BadInput,
            "Reading 2 is not above its background",
        ),
    ],
)
def test_bad_tables_are_refused_in_one_line(tmp_path, text, kind, said):
    path = tmp_path / "counter.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(kind, match=said) as refused:
        counter_curve(path, GIVEN, DECAY)
    assert isinstance(refused.value, HevesyError)
    assert "\n" not in str(refused.value)


def test_what_is_no_text_is_refused(tmp_path):
    (tmp_path / "counter.csv").write_bytes(b"\x00\xff\xfe")
    with pytest.raises(UnreadableFile, match="no table of text"):
        counter_curve(tmp_path / "counter.csv", GIVEN, DECAY)


def test_a_table_that_is_not_there_is_named(tmp_path):
    with pytest.raises(EmptyInput, match="no file"):
        counter_curve(tmp_path / "none.csv", GIVEN, DECAY)
