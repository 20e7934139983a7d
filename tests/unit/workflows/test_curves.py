"""Curves without the dose, and points that are left out of them."""

import json

import pytest

from factories.therapy_case import true_tia_Bq_s, write_case
from hevesy.errors import BadConfiguration, UnknownEngine
from hevesy.workflows.case import Case, load_case
from hevesy.workflows.curves import fit_curves, measure_curves
from hevesy.workflows.fit_settings import without_fit_settings
from hevesy.workflows.therapy import therapy_dose

REASON = "the patient moved"


def leaving_out(case, *scans, **more):
    regions = {
        **case.get("regions", {}),
        "organ": {"leave_out": [{"scan": n, "reason": REASON} for n in scans], **more},
    }
    return Case({**case.settings, "regions": regions})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_case(tmp_path_factory.mktemp("case"))


@pytest.fixture(scope="module")
def measured(folder):
    return json.loads(json.dumps(measure_curves(folder, load_case(folder))))


def region(found, name):
    return next(one for one in found["regions"] if one["name"] == name)


@pytest.mark.parametrize("name", ["organ", "lesion"])
def test_the_integral_is_that_of_the_closed_form(folder, measured, name):
    fit = region(fit_curves(measured, load_case(folder)), name)["fit"]
    # stored as 16-bit integers: 1/60000 of the maximum, up to 1e-3 of the faintest late frame
    assert fit["tia_MBq_h"] == pytest.approx(true_tia_Bq_s(name) / 3.6e9, rel=2e-3)
    low, high = fit["interval95_MBq_h"]
    assert low < fit["tia_MBq_h"] < high


def test_models_are_set_side_by_side_where_points_allow_them(folder, measured):
    models = {one["model"]: one for one in region(fit_curves(measured, load_case(folder)), "organ")["models"]}
    assert "tri" not in models  # six parameters, four points
    assert models["mono"]["aic"] == min(one["aic"] for one in models.values())
    assert models["bi"]["aicc"] is None  # not defined for four parameters and four points


def test_the_page_and_the_dose_come_to_the_same_integrals(folder, measured):
    case = leaving_out(load_case(folder), 2)
    dose = therapy_dose(folder, case).result
    curves = fit_curves(measured, case)
    for one in (*dose.regions, dose.whole_body):
        # rounding in the half-life alone
        assert region(curves, one.name)["fit"]["tia_MBq_h"] == pytest.approx(one.tia.value / 3.6e9, rel=1e-9)
    organ = next(one for one in dose.regions if one.name == "organ")
    assert dict(organ.left_out) == {1: REASON}
    assert any("Scan 2" in line and REASON in line for line in dose.warnings)


def test_a_point_that_is_left_out_does_not_move_the_fit(folder, measured):
    wrong = json.loads(json.dumps(measured))
    region(wrong, "organ")["points"]["activity_Bq"][1] *= 1.5
    case = load_case(folder)
    moved = region(fit_curves(wrong, case), "organ")["fit"]["tia_MBq_h"]
    cured = region(fit_curves(wrong, leaving_out(case, 2)), "organ")
    truth = true_tia_Bq_s("organ") / 3.6e9
    assert abs(moved / truth - 1) > 0.05
    assert cured["fit"]["tia_MBq_h"] == pytest.approx(truth, rel=2e-3)
    assert [p["left_out"] for p in cured["points"]] == [None, REASON, None, None]


@pytest.mark.parametrize(("scans", "words"), [((5,), "no scan 5"), ((1, 2, 3, 4), "no point is left")])
def test_leaving_out_what_is_not_there_or_all_of_it_is_refused(folder, measured, scans, words):
    case = leaving_out(load_case(folder), *scans)
    assert words in region(fit_curves(measured, case), "organ")["refusal"]
    with pytest.raises(BadConfiguration, match=words):
        therapy_dose(folder, case)


def test_choices_of_a_fit_ask_for_no_new_measurement(folder):
    case = load_case(folder)
    assert without_fit_settings(leaving_out(case, 2, model="mono").settings) == without_fit_settings(case.settings)
    assert without_fit_settings(leaving_out(case, 2, recovery=0.8).settings) != without_fit_settings(case.settings)


def test_the_engine_of_the_case_computes_the_dose_and_an_option_is_believed_over_it(folder):
    case = Case({**load_case(folder).settings, "engine": "vsv", "compare": ["local"]})
    result = therapy_dose(folder, case).result
    assert (result.engine.name, [one.engine.name for one in result.comparisons]) == ("vsv", ["local"])
    chosen = case.choosing("local", [])
    assert chosen.engines() == ("local",)
    assert (chosen.settings["engine"], chosen.settings["compare"]) == ("local", [])
    with pytest.raises(UnknownEngine):
        case.choosing("abacus").engines()


def test_the_seed_of_the_case_draws_other_random_numbers_and_the_same_again(folder):
    def dose(seed):
        chosen = {"engine": "mc", "monte_carlo": {"histories": 32_000, "seed": seed}}
        return therapy_dose(folder, Case({**load_case(folder).settings, **chosen})).result.dose.values

    once, again, other = dose(1), dose(1), dose(2)
    assert (once == again).all()
    assert (once != other).any()
