"""Whole-body views and one SPECT of a patient with a known answer, through DICOM, to time-integrated activity."""

import json
import re

import numpy as np
import pydicom
import pytest

from factories import planar_views, therapy_case
from factories.dicom import ct, write
from factories.planar_views import counts, scan
from factories.therapy_case import LESION, ORGAN, structures, true_tia_Bq_s
from hevesy.cli import main
from hevesy.stages.quantification.dead_time import observed_rate

HOURS = (4.0, 24.0, 96.0, 168.0)
#: how the third view was moved along x and z, mm
MOVED = (-10.0, 16.0)
#: behind the organ, in the body
BEHIND = ((8, 16), (26, 30), (6, 16))
CONFIG = "planar: true\nregions: {lesion: {role: lesion}}\n"


def make_case(folder, config=CONFIG, hours=HOURS, views=("Anterior", "Posterior"), windows="peak", **more):
    therapy_case.write_case(folder, hours=(30.0,), config=config, drawn="none")
    images = therapy_case.scan(30.0, 1)
    write(folder / "scan1", images)
    write(folder / "scan1", [structures(images, 1, organ=ORGAN, lesion=LESION, **more)], "rs")
    planar = [scan(t, k, MOVED if k == 3 else (0.0, 0.0), views, windows) for k, t in enumerate(hours, start=1)]
    write(folder / "planar", planar)
    return folder


@pytest.fixture(scope="module", autouse=True)
def warm_body():
    """A body with a tenth of the organ's concentration, which leaves faster: its share of the counts changes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(therapy_case.WASHOUT, "body", (4e4, 40 * 3600.0))
        yield


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("planar")
    case = make_case(folder / "case")
    assert main(["dose", str(case), "--out", str(folder / "out")]) == 0
    return json.loads((folder / "out" / "results.json").read_text())


@pytest.mark.parametrize("name", ["organ", "lesion"])
def test_time_integrated_activity_is_that_of_the_closed_form(results, name):
    (found,) = [r for r in results["regions"] if r["name"] == name]
    # counting leaves up to 1% in the last views; without a CT the background's share knows no attenuation, which leaves
    # a few per mille of their change. Without any subtraction it would be 2.6% and 7%
    assert found["tia_MBq_h"]["value"] * 3.6e9 == pytest.approx(true_tia_Bq_s(name), rel=0.015)
    assert any("scaled to the SPECT at 30.17 h" in note for note in found["fit"]["notes"])


def test_the_whole_body_gets_the_shape_of_all_counts(results):
    # half-life between the first and the last view, from what the camera expects to count; the fit weighs four points
    first, last = (np.sqrt(np.prod(counts(t * 3600.0, (0.0, 0.0)).sum(axis=(1, 2)))) for t in (HOURS[0], HOURS[-1]))
    expected_h = (HOURS[-1] - HOURS[0]) / np.log2(first / last)
    assert results["whole_body"]["fit"]["effective_half_life_h"]["value"] == pytest.approx(expected_h, rel=0.02)
    planar = results["provenance"]["settings"]["planar"]["whole body"]
    assert planar["value"][-1] / planar["value"][0] == pytest.approx(last / first, rel=2e-3)  # counting


def test_a_view_that_was_moved_is_brought_back_and_that_is_said(results):
    (note,) = [w for w in results["warnings"] if w.startswith("Planar scan 3 ")]
    moved = float(re.search(r"moved by (\d+) mm", note)[1])
    assert moved == pytest.approx((MOVED[0] ** 2 + MOVED[1] ** 2) ** 0.5, abs=2.0)


def test_the_method_and_the_energy_window_are_told(results):
    assert any("4 geometric means" in w and "208 keV" in w for w in results["warnings"])


def test_with_a_ct_attenuation_is_that_of_the_ct(tmp_path):
    case = make_case(tmp_path / "case")
    stored = np.full(therapy_case.SHAPE, 24, np.uint16)
    stored[tuple(slice(a, b) for a, b in therapy_case.BODY)] = 1024
    spacing = (therapy_case.VOXEL_MM,) * 3
    write(tmp_path / "case" / "ct", ct(stored.transpose(2, 1, 0), spacing_mm=spacing, origin_mm=therapy_case.ORIGIN_MM))
    assert main(["dose", str(case), "--out", str(tmp_path / "out")]) == 0
    found = json.loads((tmp_path / "out" / "results.json").read_text())
    for region in found["regions"]:
        # the background's share is exact, counting is not
        assert region["tia_MBq_h"]["value"] * 3.6e9 == pytest.approx(true_tia_Bq_s(region["name"]), rel=0.015)


def doses(tmp_path, config=CONFIG, **change):
    case = make_case(tmp_path / "case", config=config, **change)
    assert main(["dose", str(case), "--out", str(tmp_path / "out")]) == 0
    return json.loads((tmp_path / "out" / "results.json").read_text())


def test_scatter_is_subtracted_by_the_windows_beside_the_photopeak(results, tmp_path):
    found = doses(tmp_path, windows="triple")
    made = found["provenance"]["settings"]["planar_views"]
    assert made["photopeak"] == "208 keV (187-229 keV)"
    assert made["scatter_windows"] == ["below (166-187 keV)", "above (229-250 keV)"]
    # of what the photopeak holds; blurred over the edge of the view a little is lost
    share = planar_views.SCATTER / (1 + planar_views.SCATTER)
    assert made["scatter_share"] == pytest.approx([share] * 4, rel=0.03)
    assert any("scatter subtracted by three energy windows (below (166-187 keV) and" in w for w in found["warnings"])
    assert any(w.startswith("Scatter was 2") for w in found["warnings"])
    clean, net = (r["provenance"]["settings"]["planar"]["lesion"] for r in (results, found))
    # the lesion's counts are those without scatter, within two standard uncertainties of counting
    for one, other, u in zip(net["value"], clean["value"], net["u"], strict=True):
        assert abs(one - other) < 2 * u
    assert "lesion" in {r["name"] for r in found["regions"]}


def test_scatter_is_left_in_where_that_is_said(results, tmp_path):
    found = doses(tmp_path, "planar: {scatter: none}\nregions: {lesion: {role: lesion}}\n", windows="triple")
    assert found["provenance"]["settings"]["planar_views"]["scatter_windows"] == []
    assert any("208 keV (187-229 keV), without correction for scatter" in w for w in found["warnings"])
    whole, clean = (r["provenance"]["settings"]["planar"]["whole body"]["value"] for r in (found, results))
    assert np.array(whole) / clean == pytest.approx(1 + planar_views.SCATTER, rel=0.02)


def test_named_windows_are_taken(tmp_path, results):
    config = "planar: {window: 187-229 keV, scatter: [below, 229-250 keV]}\nregions: {lesion: {role: lesion}}\n"
    found = doses(tmp_path, config, windows="triple")["provenance"]["settings"]["planar_views"]
    assert found["scatter_windows"] == ["below (166-187 keV)", "above (229-250 keV)"]


DEAD = "planar: {{dead_time: {{tau_us: {tau}, u_percent: 10, behaviour: paralysable{field}}}}}\n"


def with_losses(folder, tau_s, kind=None, velocity=None):
    """Take from every planar scan what a paralysable camera that stands still misses."""
    for file in (folder / "planar").glob("*"):
        made = pydicom.dcmread(file)
        counts = made.pixel_array.astype(float)
        kept = [observed_rate(view.sum() / 900.0, tau_s, "paralysable") / (view.sum() / 900.0) for view in counts]
        made.PixelData = np.rint(counts * np.array(kept)[:, None, None]).astype(np.uint16).tobytes()
        if kind:
            made.ImageType = ["ORIGINAL", "PRIMARY", kind, "EMISSION"]
        made.save_as(file)
    return folder


def test_counts_that_dead_time_took_are_put_back(results, tmp_path):
    tau = 5e-5  # a slow camera, so that the example's low rates lose some per cent
    case = with_losses(make_case(tmp_path / "case", config=DEAD.format(tau=50, field="")), tau, "STATIC")
    assert main(["dose", str(case), "--out", str(tmp_path / "out")]) == 0
    found = json.loads((tmp_path / "out" / "results.json").read_text())
    settings = found["provenance"]["settings"]
    assert settings["planar_views"]["dead_time_gain"][0] > 1.02
    assert any(w.startswith("Dead time: the counts of the planar scans were raised by") for w in found["warnings"])
    kept, clean = (r["provenance"]["settings"]["planar"]["whole body"] for r in (found, results))
    # whole counts, rounded once more
    assert kept["value"] == pytest.approx(clean["value"], rel=2e-3)
    assert kept["u"][0] / kept["value"][0] > clean["u"][0] / clean["value"][0]


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("", "the length of the detector's field is not stated"),
        (", field_mm: 400", "its Scan Velocity (0018,1300) is not stated"),
    ],
)
def test_a_sweep_whose_rate_cannot_be_known_is_refused(tmp_path, capsys, field, said):
    case = make_case(tmp_path / "case", config=DEAD.format(tau=5, field=field))
    if not field:
        for file in (case / "planar").glob("*"):
            made = pydicom.dcmread(file)
            made.ScanVelocity = "2"
            made.save_as(file)
    assert main(["dose", str(case), "--out", str(tmp_path / "out")]) != 0
    error = capsys.readouterr().err.strip()
    assert said in error
    assert "\n" not in error


def test_scans_that_are_not_all_corrected_alike_are_refused(tmp_path, capsys):
    case = make_case(tmp_path / "case", windows="triple")
    write(case / "planar", [planar_views.scan(50.0, 9)], "other")
    assert main(["dose", str(case), "--out", str(tmp_path / "out")]) != 0
    assert "a curve needs one for all" in capsys.readouterr().err


def test_a_region_behind_another_is_flagged(tmp_path):
    case = make_case(tmp_path / "case", behind=BEHIND)
    assert main(["dose", str(case), "--out", str(tmp_path / "out")]) == 0
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert results["provenance"]["settings"]["planar_views"]["overlap"] == {"organ": 1.0, "lesion": 0.0, "behind": 1.0}
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.count("on the planar views 100% of it lies over or under other regions") == 2
    warnings = results["warnings"]
    assert any(w.startswith("behind: on the planar views 100% of it") for w in warnings)
    assert any(w.startswith("organ: on the planar views 100% of it") for w in warnings)
    assert not any(w.startswith("lesion: on the planar views") for w in warnings)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"views": ("Anterior",)}, "There is no posterior view"),
        (
            {"windows": "two peaks"},
            "2 are centred on photons of Lu-177. Name the photopeak's: 'planar: {window: NAME}'",
        ),
        (
            {"windows": "off peak"},
            "none is centred on a photon of Lu-177. Name the photopeak's: 'planar: {window: NAME}'",
        ),
        ({"windows": "above"}, "and none below, where scatter is. Go without: 'planar: {scatter: none}'"),
        ({"windows": "triple", "config": "planar: {window: 113 keV}\n"}, "no energy window called '113 keV'"),
        ({"windows": "triple", "config": "planar: {scatter: [lower]}\n"}, "no energy window called 'lower'"),
        ({"windows": "triple", "config": "planar: {scatter: [208 keV]}\n"}, "overlaps the photopeak"),
        ({"windows": "triple", "config": "planar: {scatter: []}\n"}, "planar.scatter: [] should be non-empty"),
        ({"config": "planar: {windw: 208 keV}\n"}, "'windw' is not a key of planar. Did you mean 'window'?"),
        (
            {"config": "planar: {dead_time: {tau_us: -1, u_percent: 5, behaviour: paralysable}}\n"},
            "planar.dead_time.tau_us: -1 is less than or equal to the minimum of 0",
        ),
        ({"hours": (24.0,)}, "need two or more scans"),
        ({"config": "planar: {series: [Whole body 1, Whole body 7]}\n"}, "No planar series is called 'Whole body 7'"),
    ],
)
def test_views_that_give_no_curve_are_refused_in_one_line(tmp_path, capsys, change, said):
    case = make_case(tmp_path / "case", **change)
    assert main(["dose", str(case), "--out", str(tmp_path / "out")]) != 0
    error = capsys.readouterr().err.strip()
    assert said in error.splitlines()[-1]
    assert not (tmp_path / "out").exists()
