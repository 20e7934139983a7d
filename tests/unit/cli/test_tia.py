from __future__ import annotations

import json
import math

import pytest

from hevesy.cli import main

LU177 = 6.647 * 24  # physical half-life, h: ICRP 107
HEAD = "region,t_h,activity_MBq,u_MBq\n"


@pytest.fixture
def table(tmp_path):
    def write(text, name="curves.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def rows(region, times, half_life_h, a0=100.0):
    lines = [f"{region},{t},{a0 * 2 ** (-t / half_life_h)!r},{0.05 * a0 * 2 ** (-t / half_life_h)!r}\n" for t in times]
    return "".join(lines)


def run(capsys, *arguments):
    code = main(["tia", *arguments])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_json_holds_the_closed_form_integral_under_the_documented_names(table, capsys):
    path = table(HEAD + rows("left kidney", (4, 24, 96, 168), 50))
    code, out, _ = run(capsys, path, "--nuclide", "Lu-177", "--model", "mono", "--json")
    region = json.loads(out)["regions"][0]
    assert code == 0
    assert region["name"] == "left kidney"
    assert region["model"] == "mono"
    assert region["tia_MBq_h"]["value"] == pytest.approx(100 * 50 / math.log(2), rel=1e-9)
    low, high = region["tia_MBq_h"]["interval95"]
    assert low < region["tia_MBq_h"]["value"] < high
    assert region["tia_MBq_h"]["u"] > 0
    assert region["effective_half_life_h"] == pytest.approx(50, rel=1e-9)
    assert region["tail_fraction"] == pytest.approx(2 ** (-168 / 50), rel=1e-6)
    assert region["warnings"] == []


def test_one_scan_methods_are_chosen_by_name(table, capsys):
    path = table(HEAD + rows("kidney", (72,), 50))
    arguments = (path, "--nuclide", "Lu-177", "--one-scan", "hanscheid2018", "--json")
    code, out, _ = run(capsys, *arguments, "--radiopharmaceutical", "Lu-177 DOTATATE")
    assert code == 0
    value = json.loads(out)["regions"][0]["tia_MBq_h"]["value"]
    assert value == pytest.approx(100 * 2 ** (-72 / 50) * 2 * 72 / math.log(2), rel=1e-9)


def test_the_table_shows_every_region_and_its_warnings(table, capsys):
    path = table(HEAD + rows("liver", (4, 24), 60) + "lesion 1,4,30,1\nlesion 1,24,45,1\n")
    code, out, _ = run(capsys, path, "--nuclide", "Lu-177", "--radiopharmaceutical", "Lu-177 DOTATATE")
    assert code == 0
    assert "liver" in out
    assert "bounded" in out
    assert "lesion 1: Uptake may have gone on" in out


def test_bayes_uses_the_cohort(table, capsys):
    cohort = "patient,region,t_h,activity_MBq,u_MBq\n" + "".join(
        f"p{i},{line}\n"
        for i, half_life in enumerate((40, 45, 50, 55, 60, 48))
        for line in rows("kidney", (4, 24, 96, 168), half_life).splitlines()
    )
    path = table(HEAD + rows("kidney", (24,), 50))
    code, out, _ = run(
        capsys, path, "--nuclide", "Lu-177", "--model", "bayes", "--cohort", table(cohort, "c.csv"), "--json"
    )
    assert code == 0
    region = json.loads(out)["regions"][0]
    assert region["effective_half_life_h"] == pytest.approx(49, rel=0.05)
    assert region["best_next_scan_h"] > 24
    assert "6 of 6 patients" in region["method"]


@pytest.mark.parametrize(
    ("text", "arguments", "said", "code"),
    [
        (HEAD + "kidney,24,10,1\n", (), "has one point", 5),
        (HEAD + "kidney,48,10,1\nkidney,24,20,1\n", (), "out of order", 2),
        (HEAD + "kidney,24,-3,1\nkidney,48,1,1\n", (), "must be positive", 2),
        (HEAD + "kidney,24,0,1\nkidney,48,1,1\n", (), "must be positive", 2),
        (HEAD + "kidney,24,nan,1\nkidney,48,1,1\n", (), "has nan for activity_MBq", 2),
        (HEAD + "kidney,24,ten,1\nkidney,48,1,1\n", (), "'ten'", 2),
        (HEAD + "kidney,24,10,1\nkidney,24,9,1\n", (), "two points at one time", 2),
        (HEAD + "kidney,24,10,1\nkidney,48,20,1\n", (), "still rises at its last scan", 5),
        (HEAD + "kidney,24,100000,9\nkidney,48,50000,9\n", ("--administered-GBq", "7.4"), "MBq or kBq", 8),
        ("region,t_h,activity_MBq\nkidney,24,10\nkidney,48,5\n", (), "--u-percent", 5),
        (HEAD + "kidney,24,10,1\nkidney,48,5,\n", (), "has points without u_MBq", 5),
        (HEAD + "kidney,24,10,\nkidney,48,5,\n", ("--u-percent", "0"), "not positive", 2),
        ("region,t_h,activity\nkidney,24,10\n", (), "Is 'activity_MBq' meant", 2),
        ("region,t_h\nkidney,24\n", (), "no column 'activity_MBq'", 5),
        (HEAD, (), "holds no point", 3),
        (HEAD + "kidney,24,10,1\nkidney,48,5,1\n", ("--model", "tri"), "needs at least 6", 2),
        (HEAD + "kidney,24,10,1\nkidney,48,5,1\n", ("--nuclide", "Xx-999"), "Xx-999", 6),
        (HEAD + "kidney,24,10,1\n", ("--one-scan", "madsen2018", "--half-life-h", "50"), "--half-life-gsd", 2),
    ],
)
def test_bad_input_is_refused_in_one_line_that_says_what_to_do(table, capsys, text, arguments, said, code):
    found, out, err = run(capsys, table(text), "--nuclide", "Lu-177", *arguments)
    assert found == code
    assert said in err
    assert err.count("\n") == 1
    assert out == ""


def test_a_missing_file_is_refused(tmp_path, capsys):
    code, _, err = run(capsys, str(tmp_path / "none.csv"), "--nuclide", "Lu-177")
    assert code == 3
    assert "There is no file" in err


def test_activity_a_thousand_times_too_large_is_flagged_without_an_administered_activity(table, capsys):
    path = table(HEAD + "kidney,24,40000,2000\nkidney,48,20000,1000\nkidney,96,5000,250\n")
    code, out, _ = run(capsys, path, "--nuclide", "Lu-177")
    assert code == 0
    assert "Curve 'kidney' reaches 4e+04 MBq: is that the unit?" in out


def test_a_whole_body_may_hold_more_than_a_region(table, capsys):
    path = table(HEAD + "whole body,1,18000,500\nwhole body,24,9000,250\nwhole body,48,4500,120\n")
    _, out, _ = run(capsys, path, "--nuclide", "I-131")
    assert "is that the unit" not in out


def test_activity_a_thousand_times_too_small_is_flagged_against_the_administered_activity(table, capsys):
    text = HEAD + "kidney,24,0.1,0.005\nkidney,48,0.05,0.003\nkidney,96,0.0125,0.001\n"
    _, out, _ = run(capsys, table(text), "--nuclide", "Lu-177", "--administered-GBq", "7.4")
    # 0.1 MBq at 24 h was 0.111 at administration: 1.5e-5 of 7.4 GBq
    assert "All regions together hold 1.5e-05 of the administered activity: is the table in MBq?" in out


def test_protocol_prints_bias_spread_and_share_beyond_10_percent_for_every_organ(capsys):
    code = main(
        ["protocol", "--times", "24", "--times", "24,96,168", "--patients", "40", "--method", "bayes", "--json"]
    )
    assert code == 0
    document = json.loads(capsys.readouterr().out)
    scores = document["scores"]
    assert {s["tissue"] for s in scores} == {"tumour", "kidney", "liver", "spleen"}
    assert all(set(s) >= {"bias", "spread", "beyond", "times_h", "method"} for s in scores)


def test_protocol_refuses_times_that_are_not_numbers(capsys):
    with pytest.raises(SystemExit):
        main(["protocol", "--times", "early"])
    assert "not a list of hours" in capsys.readouterr().err


def test_an_option_cut_short_is_refused_since_it_may_hide_another_unit(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["tia", str(tmp_path / "c.csv"), "--nuclide", "Lu-177", "--administered", "7400"])
    assert "unrecognized arguments: --administered" in capsys.readouterr().err


COUNTER = "t_h,counts,opposite_counts,duration_s,background_counts,background_s\n"


def readings(half_life_h=15.0, times=(0.5, 24, 48, 96)):
    """What a probe counts of a body that loses activity with one effective half-life from the first reading on."""
    rates = [900 * 2 ** (-(t - 0.5) / half_life_h) for t in times]
    rows = [
        f"{t},{(r + 2) * 600:.0f},{(r / 2 + 2) * 600:.0f},600,1200,600\n" for t, r in zip(times, rates, strict=True)
    ]
    return COUNTER + "".join(rows)


GIVEN = ("--nuclide", "I-131", "--administered-GBq", "3.7", "--administered-u-percent", "3")


def test_a_whole_body_counter_gives_the_time_integrated_activity_of_the_body(table, capsys):
    code, out, _ = run(capsys, "--counter", table(readings()), *GIVEN, "--json")
    (region,) = json.loads(out)["regions"]
    assert code == 0
    assert region["name"] == "whole body"
    first = 3700 * 2 ** (-0.5 / (8.0233 * 24))  # half-life of I-131, ICRP 107, d
    expected = first * 2 ** (0.5 / 15) * 15 / math.log(2)
    assert region["tia_MBq_h"]["value"] == pytest.approx(expected, rel=2e-3)  # whole counts, some hundred in the last
    assert region["tia_MBq_h"]["components"]["administered activity"] / expected == pytest.approx(0.03, rel=2e-3)


def test_the_model_that_is_asked_for_is_fitted_to_a_counters_readings(table, capsys):
    counts = table(readings(times=(0.5, 6, 12, 24, 48, 96)))
    for model in ("mono", "bi"):
        code, out, _ = run(capsys, "--counter", counts, *GIVEN, "--model", model, "--json")
        assert code == 0
        assert json.loads(out)["regions"][0]["model"] == model


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--model", "bayes"), "cannot be fitted by 'bayes'"),
        (("--model", "uptake"), "Take auto, mono or bi"),
        (("--criterion", "aicc"), "are compared by aic"),
    ],
)
def test_what_a_counters_readings_cannot_be_fitted_by_is_refused(table, capsys, asked, said):
    code, _, err = run(capsys, "--counter", table(readings()), *GIVEN, *asked)
    assert code != 0
    assert said in err


def test_a_counter_stands_beside_a_table_of_curves(table, capsys):
    curves = table(HEAD + rows("thyroid", (4, 24, 96, 168), 50))
    code, out, _ = run(capsys, curves, "--counter", table(readings(), "counter.csv"), *GIVEN, "--json")
    assert code == 0
    assert [region["name"] for region in json.loads(out)["regions"]] == ["thyroid", "whole body"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--nuclide", "I-131"), "Give --administered-GBq and --administered-u-percent"),
        (GIVEN[:-2], "Give --administered-GBq and --administered-u-percent"),
        ((*GIVEN[:-1], "-3"), "cannot be -3.0%"),
    ],
)
def test_a_counter_without_its_calibration_is_refused(table, capsys, arguments, said):
    code, _, err = run(capsys, "--counter", table(readings()), *arguments)
    assert code != 0
    assert said in err
    assert err.count("\n") == 1


def test_neither_curves_nor_counter_is_refused(capsys):
    code, _, err = run(capsys, "--nuclide", "I-131")
    assert code != 0
    assert "Give a table of curves, or --counter" in err


def test_the_criterion_is_named_in_the_table_and_in_json(table, capsys):
    path = table(HEAD + rows("kidney", (4, 24, 48, 96, 168), 50))
    _, out, _ = run(capsys, path, "--nuclide", "Lu-177")
    assert "Models compared by AIC: kidney." in out
    _, out, _ = run(capsys, path, "--nuclide", "Lu-177", "--criterion", "aicc", "--json")
    region = json.loads(out)["regions"][0]
    assert region["criterion"] == "AICc"
    assert "Too many parameters for 5 scans" in region["method"]


def test_a_table_without_uncertainties_is_fitted_with_those_of_its_scatter_and_aicc(table, capsys):
    scatter = (1.03, 0.96, 1.02, 0.98, 1.03, 0.97)
    lines = [
        f"kidney,{t},{100 * 2 ** (-t / 50) * s!r}\n" for t, s in zip((4, 24, 48, 96, 120, 168), scatter, strict=True)
    ]
    path = table("region,t_h,activity_MBq\n" + "".join(lines))
    code, out, _ = run(capsys, path, "--nuclide", "Lu-177", "--json")
    region = json.loads(out)["regions"][0]
    assert code == 0
    assert region["criterion"] == "AICc"
    assert "estimated from their scatter" in region["method"]
    low, high = region["tia_MBq_h"]["interval95"]
    assert low < 100 * 50 / math.log(2) < high


@pytest.mark.parametrize(
    ("points", "arguments"),
    [
        ("kidney,24,10\n", ("--one-scan", "hanscheid2018")),
        ("kidney,24,10\nkidney,48,5\n", ("--model", "bayes", "--half-life-h", "50", "--half-life-gsd", "1.2")),
        ("kidney,24,10\nkidney,48,20\n", ("--half-life-h", "50", "--half-life-gsd", "1.2")),
    ],
)
def test_what_fits_nothing_refuses_a_table_without_uncertainties(table, capsys, points, arguments):
    code, _, err = run(capsys, table("region,t_h,activity_MBq\n" + points), "--nuclide", "Lu-177", *arguments)
    assert code == 5
    assert "states no uncertainty" in err
    assert "--u-percent" in err


@pytest.mark.parametrize(
    ("region", "extra", "open_"),
    [("kidney", (), True), ("kidney", ("--immediate-uptake",), False), ("whole body", (), False)],
)
def test_uptake_before_the_first_scan_is_a_part_of_u_unless_activity_was_there_at_once(
    table, capsys, region, extra, open_
):
    path = table(HEAD + rows(region, (6, 24, 96, 168), 50))
    _, out, _ = run(capsys, path, "--nuclide", "Lu-177", "--json", *extra)
    assert ("before the first scan" in json.loads(out)["regions"][0]["tia_MBq_h"]["components"]) == open_
