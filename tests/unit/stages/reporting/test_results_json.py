import json
from dataclasses import replace
from datetime import datetime, timedelta

import jsonschema
import numpy as np
import pytest

from factories.case_result import BALLS, case_result, rising_case
from hevesy.core import Measured
from hevesy.errors import BadInput, OutputFailed
from hevesy.stages.reporting.results_json import dumps, results_schema, to_json, write_json

NOW = datetime(2024, 3, 9, 12, 0)


@pytest.fixture(scope="module")
def case():
    return case_result()


@pytest.fixture(scope="module")
def record(case):
    return to_json(case, NOW)


def test_what_is_written_is_what_the_shipped_schema_describes(case, tmp_path):
    write_json(case, NOW, tmp_path / "results.json")
    schema = results_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads((tmp_path / "results.json").read_text()), schema)


def test_two_runs_differ_in_the_time_of_making_alone():
    first = dumps(to_json(case_result(), NOW)).splitlines()
    second = dumps(to_json(case_result(), NOW + timedelta(minutes=1))).splitlines()
    different = [a for a, b in zip(first, second, strict=True) if a != b]
    assert different == ['    "created": "2024-03-09T12:00:00",']


def test_units_at_the_door_are_those_in_the_names(record):
    # 1% of 7400 MBq with an effective half-life of 96 h: 74 MBq × 96 h / ln 2
    lesion = record["regions"][0]
    assert lesion["tia_MBq_h"]["value"] == pytest.approx(74 * 96 / np.log(2), rel=1e-8)
    assert lesion["tia_coefficient_h"]["value"] == pytest.approx(0.96 / np.log(2), rel=1e-8)
    assert lesion["activity_MBq"][1] == pytest.approx(
        {"t_h": 24.0, "value": 74 * 2**-0.25, "u": 74 * 2**-0.25 * np.hypot(0.02, 0.05)}, rel=1e-6
    )
    assert lesion["fit"]["effective_half_life_h"]["value"] == pytest.approx(BALLS[0].half_life_h)
    assert lesion["mass_g"] == pytest.approx(1.04 * lesion["volume_mL"])
    dose = lesion["absorbed_dose_Gy"]["value"]
    assert lesion["absorbed_dose_per_activity_Gy_GBq"]["value"] == pytest.approx(dose / 7.4, rel=1e-6)
    assert record["administered_activity_MBq"] == 7400
    assert record["administered_activity_u_MBq"] == 150
    assert record["physical_half_life_h"]["value"] == pytest.approx(6.647 * 24)


def test_the_causes_of_uncertainty_add_in_quadrature_to_the_whole(record):
    for region in record["regions"]:
        dose = region["absorbed_dose_Gy"]
        assert set(dose["components"]) == {"calibration", "fit", "volume"}
        whole = np.hypot.reduce(list(dose["components"].values()))
        assert whole == pytest.approx(100 * dose["u"] / dose["value"], rel=1e-6)


def test_doses_by_volume_lie_between_the_extremes(record):
    for region in record["regions"]:
        dose = region["absorbed_dose_Gy"]
        assert dose["min"] <= dose["d98"] <= dose["d50"] <= dose["d2"] <= dose["max"]


def test_an_effective_half_life_that_could_not_be_fitted_is_null_and_not_a_number():
    lesion = to_json(rising_case(), NOW)["regions"][0]
    assert lesion["fit"]["effective_half_life_h"] is None
    assert lesion["fit"]["notes"]


def test_an_administered_activity_that_is_not_known_leaves_no_coefficient(case):
    unknown = replace(case, administration=replace(case.administration, activity=None))
    record = to_json(unknown, NOW)
    assert record["administered_activity_MBq"] is None
    assert record["regions"][0]["tia_coefficient_h"] is None
    jsonschema.validate(record, results_schema())


def test_a_long_histogram_is_thinned_and_keeps_both_ends(case, record):
    written, whole = record["regions"][0]["dose_volume_histogram"], case.regions[0].histogram
    assert len(written["dose_Gy"]) <= 201
    assert written["volume_fraction"][0] == 1.0
    assert written["dose_Gy"][-1] == pytest.approx(whole.dose_Gy[-1], rel=1e-5)


def test_notes_of_the_images_are_kept_once_each(record):
    assert record["provenance"]["notes"] == ["DecayCorrection says ADMIN and is believed."]


def test_settings_of_every_usual_kind_find_a_form_in_json(case, tmp_path):
    settings = {"when": NOW, "path": tmp_path, "n": np.int64(3), "k": Measured(1.0, 0.1, "s"), "set": {"b", "a"}}
    written = to_json(replace(case, settings=settings), NOW)["provenance"]["settings"]
    assert written["when"] == "2024-03-09T12:00:00"
    assert written["n"] == 3
    assert written["k"] == {"value": 1.0, "u": 0.1, "unit": "s"}
    assert written["set"] == ["a", "b"]


def test_a_number_that_is_not_finite_is_refused_by_its_place(case):
    with pytest.raises(BadInput, match=r"settings\.cutoff"):
        to_json(replace(case, settings={"cutoff": float("nan")}), NOW)


def test_a_place_that_cannot_be_written_is_refused_and_nothing_stays(case, tmp_path):
    (tmp_path / "results.json").mkdir()
    with pytest.raises(OutputFailed, match=r"results\.json"):
        write_json(case, NOW, tmp_path / "results.json")
    assert [p.name for p in tmp_path.iterdir()] == ["results.json"]
    with pytest.raises(OutputFailed):
        write_json(case, NOW, tmp_path / "absent" / "results.json")
