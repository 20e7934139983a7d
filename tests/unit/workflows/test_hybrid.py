"""One SPECT and planar curves that are wrong by any factor give the dose of the full series."""

import json
import math

import pytest

from factories.therapy_case import concentration, true_tia_Bq_s, write_case
from hevesy.cli import main

HOURS = (4, 24, 48, 96, 168)
#: what attenuation, overlap and sensitivity did to the planar views
FACTORS = {"organ": 0.31, "lesion": 7.0}


def table(path, names=("organ", "lesion"), hours=HOURS):
    rows = ["region,t_h,activity_MBq,u_MBq"]
    for name in names:
        for t in hours:
            value = FACTORS.get(name, 1.0) * concentration("organ" if name == "other" else name, t * 3600.0)
            rows.append(f"{name},{t},{value},{0.03 * value}")
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return write_case(tmp_path_factory.mktemp("case"), hours=(24.0,))


def hybrid(case, out, planar):
    return main(["dose", str(case), "--out", str(out), "--planar", str(planar)])


@pytest.fixture(scope="module")
def results(case, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out")
    assert hybrid(case, folder / "results", table(folder / "planar.csv")) == 0
    return json.loads((folder / "results" / "results.json").read_text())


@pytest.mark.parametrize("name", ["organ", "lesion"])
def test_the_true_time_integrated_activity_is_found_whatever_the_factor(results, name):
    (found,) = [r for r in results["regions"] if r["name"] == name]
    # the SPECT is a mean over 20 min and stored in 16 bits
    assert found["tia_MBq_h"]["value"] * 3.6e9 == pytest.approx(true_tia_Bq_s(name), rel=2e-3)
    assert found["tia_MBq_h"]["interval95"][0] < found["tia_MBq_h"]["value"] < found["tia_MBq_h"]["interval95"][1]
    assert any("scaled to the SPECT at" in note for note in found["fit"]["notes"])
    assert found["absorbed_dose_Gy"]["value"] > 0


def test_a_planar_curve_of_the_whole_body_gives_it_its_washout(case, tmp_path):
    half_life_h = 60.0
    rows = [f"whole body,{t},{1e3 * 2 ** (-t / half_life_h)},{30 * 2 ** (-t / half_life_h)}" for t in HOURS]
    planar = table(tmp_path / "planar.csv")
    planar.write_text("\n".join([planar.read_text(encoding="utf-8"), *rows]), encoding="utf-8")
    assert hybrid(case, tmp_path / "out", planar) == 0
    found = json.loads((tmp_path / "out" / "results.json").read_text())["whole_body"]
    assert found["fit"]["effective_half_life_h"]["value"] == pytest.approx(half_life_h, rel=1e-6)
    (seen,) = found["activity_MBq"]
    left = 2 ** (-seen["t_h"] / half_life_h)
    assert found["tia_MBq_h"]["value"] == pytest.approx(seen["value"] / left * half_life_h / math.log(2), rel=1e-5)


def test_the_planar_curves_are_kept_with_the_results(results):
    assert results["provenance"]["settings"]["planar"]["organ"]["t_h"] == list(HOURS)


@pytest.mark.parametrize(
    ("names", "hours", "said"),
    [
        (("organ",), HOURS, "'lesion' has no planar curve"),
        (("organ", "lesion", "other"), HOURS, "no such region"),
        (("organ", "lesion"), (48, 96, 168), "outside the planar views"),
        (("organ", "lesion"), (24,), "has one point"),
    ],
)
def test_planar_curves_that_do_not_fit_the_spect_are_refused_in_one_line(case, tmp_path, capsys, names, hours, said):
    out = tmp_path / "out"
    assert hybrid(case, out, table(tmp_path / "planar.csv", names, hours)) != 0
    error = capsys.readouterr().err.strip()
    assert said in error.splitlines()[-1]
    assert not out.exists()


def test_two_spects_are_refused(tmp_path, capsys):
    folder = write_case(tmp_path / "case", hours=(24.0, 96.0))
    assert hybrid(folder, tmp_path / "out", table(tmp_path / "planar.csv")) != 0
    assert "there are 2" in capsys.readouterr().err
