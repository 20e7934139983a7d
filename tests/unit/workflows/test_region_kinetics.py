"""One scan, and a population, in the main job: the method that case.yaml names, with its name in the results."""

from __future__ import annotations

import math

import pytest

from factories.therapy_case import ORGAN, PHYSICAL_RATE, VOXEL_MM, concentration, true_tia_Bq_s, voxels, write_case
from hevesy.errors import BadConfiguration
from hevesy.stages.kinetics import METHODS
from hevesy.workflows.case import load_case
from hevesy.workflows.therapy import therapy_dose

HOUR = 3600.0
CASE = "registration: none\nregions:\n  lesion: {{role: lesion, skip: true}}\n  organ: {{model: {}, {}}}\n"


def organ(tmp_path, model, extra, hours=(72.0,)):
    folder = write_case(tmp_path, hours=hours, config=CASE.format(model, extra))
    return therapy_dose(folder, load_case(folder)).result.regions[0]


def test_hanscheid_2018_is_applied_to_one_scan_and_named_in_the_results(tmp_path):
    true_half_life_h = 60
    found = organ(tmp_path, "hanscheid2018", f"population_effective_half_life_h: {true_half_life_h}")
    middle = found.times_s[0]
    activity = concentration("organ", middle) * voxels(ORGAN) * VOXEL_MM**3 * 1e-3
    assert found.tia.value == pytest.approx(activity * 2 * middle / math.log(2), rel=2e-3)
    assert found.model.model == "hanscheid2018"
    assert found.model.description == METHODS["hanscheid2018"]
    assert any("not measured" in note for note in found.model.notes)


def test_bayes_comes_near_the_truth_of_a_patient_of_its_population(tmp_path):
    half_life_h = math.log(2) / organ_rate() / HOUR
    extra = f"population_effective_half_life_h: {half_life_h:.3f}, population_geometric_sd: 1.2"
    found = organ(tmp_path, "bayes", extra)
    # one scan and 20% spread of half-lives: within the interval, and within 5% as this patient is the median
    assert found.tia_interval95[0] < true_tia_Bq_s("organ") < found.tia_interval95[1]
    assert found.tia.value == pytest.approx(true_tia_Bq_s("organ"), rel=0.05)


def organ_rate():
    one, two = concentration("organ", 100 * HOUR), concentration("organ", 200 * HOUR)
    return math.log(one / two) / (100 * HOUR)


def test_the_organ_washes_out_faster_than_it_decays():
    assert organ_rate() > PHYSICAL_RATE


def test_a_one_scan_method_is_refused_where_there_are_more(tmp_path):
    with pytest.raises(BadConfiguration, match="is for one scan"):
        organ(tmp_path, "hanscheid2018", "population_effective_half_life_h: 60", hours=(24.0, 72.0))


def test_the_criterion_of_case_yaml_is_named_in_the_results(tmp_path):
    found = organ(tmp_path, "auto", "criterion: aicc", hours=(24.0, 48.0, 72.0, 120.0))
    assert any("Compared by AICc: mono." in note for note in found.model.notes)


def test_a_model_that_does_not_exist_is_refused_with_those_that_do(tmp_path):
    with pytest.raises(BadConfiguration, match="hanscheid2018"):
        organ(tmp_path, "quadratic", "population_effective_half_life_h: 60")


def test_of_one_scan_it_is_not_said_that_activity_was_rising(tmp_path):
    notes = organ(tmp_path, "auto", "population_effective_half_life_h: 60").model.notes
    assert any(note.startswith("One scan, at 72.17 h, shows no washout") for note in notes)
    assert not any("rising" in note for note in notes)


@pytest.mark.parametrize(("immediate", "open_"), [("false", True), ("true", False)])
def test_uptake_before_the_first_scan_is_open_unless_case_yaml_says_that_it_was_immediate(tmp_path, immediate, open_):
    found = organ(tmp_path, "auto", f"immediate_uptake: {immediate}", hours=(24.0, 48.0, 72.0, 120.0))
    assert ("before the first scan" in found.tia.components) == open_
    assert ("before the first scan" in found.dose.components) == open_


def test_the_whole_body_held_its_activity_from_administration_on(tmp_path):
    folder = write_case(tmp_path, hours=(24.0, 72.0), config=CASE.format("auto", "role: organ"))
    result = therapy_dose(folder, load_case(folder)).result
    assert "before the first scan" in result.regions[0].tia.components
    assert "before the first scan" not in result.whole_body.tia.components
