import re
from dataclasses import replace

import numpy as np
import pytest

from factories.case_result import case_result
from hevesy.core import Measured
from hevesy.stages.reporting.charts import (
    Axes,
    dose_volume_chart,
    interval_bar,
    own_and_shared,
    ticks,
    time_activity_chart,
)


@pytest.fixture(scope="module")
def lesion():
    return case_result().regions[0]


@pytest.mark.parametrize("most", [0.0031, 0.9, 1.0, 7.3, 96.0, 105.0, 12345.0])
def test_ticks_are_round_even_and_within_the_axis(most):
    found = ticks(most)
    assert found[0] == 0
    assert 0.7 * most < found[-1] <= most
    assert 3 <= len(found) <= 12
    assert np.allclose(np.diff(found), found[1])


def test_axes_put_zero_in_the_lower_left_and_most_in_the_upper_right():
    axes = Axes(10.0, 5.0)
    assert axes.x(10) > axes.x(0)
    assert axes.y(5) < axes.y(0)
    assert axes.x(5) == pytest.approx((axes.x(0) + axes.x(10)) / 2)


def test_every_measured_point_is_drawn_and_says_its_number(lesion):
    drawn = time_activity_chart(lesion)
    assert drawn.count('class="point"') == 3
    assert re.findall(r"<title>([\d.]+ h: [^<]+)</title>", drawn) == [
        "4.0 h: 71.9 ± 3.9 MBq",
        "24.0 h: 62.2 ± 3.4 MBq",
        "96.0 h: 37.0 ± 2.0 MBq",
    ]


def test_what_points_share_is_told_apart_from_what_each_has_for_itself():
    shared = Measured(1.0, 0.05, label="calibration")
    points = [Measured(value, 0.02 * value, "Bq", "counts") * shared for value in (100.0, 50.0)]
    own, common = own_and_shared(points)
    assert own == pytest.approx((2.0, 1.0))
    assert common == pytest.approx(0.05)


def test_nothing_is_shared_where_there_is_one_point():
    own, common = own_and_shared([Measured(10.0, 1.0, "Bq", "counts")])
    assert (own, common) == ((1.0,), 0.0)


def test_a_band_that_runs_away_does_not_flatten_the_curve(lesion):
    wild = replace(lesion, model=replace(lesion.model, upper_Bq=lesion.model.upper_Bq * 50))
    heights = [float(y) for y in re.findall(r'cy="([\d.]+)"', time_activity_chart(wild))]
    assert max(heights) - min(heights) > 40  # of 230: the points still fill a good part of the frame


def test_the_histogram_marks_three_doses_by_volume(lesion):
    drawn = dose_volume_chart(lesion, lesion.histogram)
    assert [name for name in ("D98", "D50", "D2") if f">{name}</text>" in drawn] == ["D98", "D50", "D2"]


def test_an_interval_that_leaves_the_scale_stays_inside_its_cell():
    drawn = interval_bar(Measured(5.0, 4.0, "Gy"), (-2.0, 14.0), 10.0)
    left, right = re.search(r'x1="([\d.-]+)" x2="([\d.-]+)"[^>]*class="span"', drawn).groups()
    assert (float(left), float(right)) == (4.0, 116.0)  # the ends of the scale


def test_the_dot_of_a_dose_lies_where_its_scale_says():
    drawn = interval_bar(Measured(5.0, 1.0, "Gy"), (3.0, 7.0), 10.0)
    assert float(re.search(r'cx="([\d.]+)"', drawn).group(1)) == 60.0  # half of the scale
