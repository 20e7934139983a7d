"""Cycles of a course, added up."""

import math

import pytest

from hevesy.errors import EmptyInput, UnreadableFile
from hevesy.workflows.course import add_up, read_record

DAY = 86400.0


def record(dose, name="Left kidney", parameters=None, **components):
    components = components or {"calibration": 5.0, "counts": 3.0}
    u = dose * math.hypot(*components.values()) / 100
    washout = {"amplitude_1": {"value": 1e8}, "rate_1": {"value": math.log(2) / (50 * 3600)}}
    fit = {"parameters": washout if parameters is None else parameters}
    region = {"name": name, "fit": fit, "absorbed_dose_Gy": {"value": dose, "u": u, "components": components}}
    return {"regions": [region]}


def test_doses_add_and_what_cycles_share_adds_with_them():
    found = add_up([record(5.0), record(4.0)])["regions"][0]["absorbed_dose_Gy"]
    assert found["value"] == 9.0
    shared, own = 0.05 * 9.0, math.hypot(0.03 * 5.0, 0.03 * 4.0)
    assert found["u"] == pytest.approx(math.hypot(shared, own), rel=1e-12)


def test_the_effective_dose_is_summed_cycle_by_cycle_and_not_of_the_sum():
    found = add_up([record(5.0), record(5.0), record(5.0)])["regions"][0]
    factor = 2.8 / (2.8 + 50)
    by_cycle = 3 * (5.0 + 25.0 / 2.6 * factor)
    of_the_sum = 15.0 + 225.0 / 2.6 * factor
    assert found["bed_Gy"] == pytest.approx(by_cycle, rel=1e-12)
    assert found["bed_Gy"] < of_the_sum - 2


def test_limits_say_who_set_them_and_whether_that_was_read():
    limits = add_up([record(14.0)])["regions"][0]["limits"]
    absorbed = next(one for one in limits if one["quantity"] == "absorbed dose")
    assert (absorbed["limit_Gy"], absorbed["verified"]) == (23.0, False)
    assert absorbed["percent"] == pytest.approx(100 * 14 / 23)
    assert {one["limit_Gy"]: one["verified"] for one in limits if one["quantity"] == "BED"} == {28.0: True, 40.0: True}


def test_a_lesion_has_a_sum_and_no_limit():
    found = add_up([record(30.0, "Lesion 1")])["regions"][0]
    assert (found["bed_Gy"], found["limits"], found["notes"]) == (None, [], [])


def test_a_cycle_without_the_region_is_told():
    found = add_up([record(5.0), record(30.0, "Lesion 1")])["regions"][0]
    assert found["absorbed_dose_Gy"]["value"] == 5.0
    assert found["notes"] == ["Cycle 2 has no dose to this region: the sum is that of the others."]


def test_without_exponentials_there_is_no_effective_dose():
    found = add_up([record(5.0), record(5.0, parameters={})])["regions"][0]
    assert found["bed_Gy"] is None
    assert "was not fitted by exponentials" in found["notes"][0]


def test_nothing_to_add_up_is_refused(tmp_path):
    with pytest.raises(EmptyInput):
        add_up([])
    with pytest.raises(UnreadableFile):
        read_record(tmp_path)
