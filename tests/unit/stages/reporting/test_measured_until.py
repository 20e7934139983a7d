"""Where a curve ends that was measured, and where only its fit goes on."""

from dataclasses import replace

from factories.case_result import case_result
from hevesy.stages.reporting.charts import time_activity_chart


def _last_scan(region):
    chart = str(time_activity_chart(region))
    return float(chart.split('class="last"')[0].rpartition('x1="')[2].split('"')[0])


def test_the_last_scan_of_a_planar_shape_is_its_last_view():
    region = case_result().regions[0]
    later = replace(region.model, measured_until_s=1.5 * region.times_s[-1])
    assert _last_scan(replace(region, model=later)) > _last_scan(region)
