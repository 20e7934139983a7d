"""Where a curve ends that was measured, and where only its fit goes on."""

from dataclasses import replace

import numpy as np

from factories.case_result import case_result
from hevesy.core import Curve
from hevesy.stages.reporting.charts import time_activity_chart


def _last_scan(region):
    chart = str(time_activity_chart(region))
    return float(chart.split('class="last"')[0].rpartition('x1="')[2].split('"')[0])


def test_the_last_scan_of_a_planar_shape_is_its_last_view():
    region = case_result().regions[0]
    later = replace(region.model, measured_until_s=1.5 * region.times_s[-1])
    assert _last_scan(replace(region, model=later)) > _last_scan(region)


def test_planar_points_are_drawn_where_they_lie_on_the_curve():
    region = case_result().regions[0]
    chart = str(time_activity_chart(region))
    assert "planar" not in chart
    times = np.array(region.times_s) + 3600.0
    points = Curve(
        times - 300, times + 300, region.model.activity_Bq[[20, 60, 90]][: times.size], 0.02e6 + 0 * times, "planar"
    )
    with_planar = str(time_activity_chart(replace(region, model=replace(region.model, shape_points=points))))
    assert with_planar.count('class="point planar"') == len(points)
    for hours in points.mid_s / 3600:
        assert f"planar, {hours:.1f} h" in with_planar
