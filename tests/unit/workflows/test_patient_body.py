"""The whole patient beside the images: a counter, or whole-body scans, to activity and dose in results and report."""

import json
import math

import pydicom
import pytest

from factories import planar_views, therapy_case
from factories.dicom import write
from hevesy.cli import main

LAMBDA = math.log(2) / (6.647 * 24)
HALF_LIFE_H = 30.0
TIMES_H = (0.5, 4, 24, 72)
HEAD = "t_h,counts,opposite_counts,duration_s,background_counts,background_s\n"
CONFIG = "registration: none\nregions: {lesion: {role: lesion}}\npatient: {mass_kg: 70}\nwhole_body: "


def left_MBq(t_h):
    """All of it until the first reading; then it leaves with one effective half-life."""
    first = 7400 * math.exp(-LAMBDA * TIMES_H[0])
    return first * 2 ** (-(t_h - TIMES_H[0]) / HALF_LIFE_H)


def counter(folder, times=TIMES_H):
    rows = [f"{t},{(left_MBq(t) * 2 + 20) * 60:.0f},{(left_MBq(t) + 20) * 60:.0f},60,12000,600\n" for t in times]
    (folder / "counts.csv").write_text(HEAD + "".join(rows))


def run(tmp_path, settings, times=TIMES_H, scans=False):
    case = therapy_case.write_case(tmp_path / "case", hours=(24.0, 96.0), config=CONFIG + settings)
    counter(case, times)
    if scans:
        write(case / "wb", [planar_views.scan(t, k) for k, t in enumerate((1.0, 24.0, 96.0), start=1)])
    return main(["dose", str(case), "--out", str(tmp_path / "out")])


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("body")
    assert run(folder, "{counter: counts.csv}\n") == 0
    return folder / "out"


def test_the_counter_gives_the_patients_time_integrated_activity(out):
    body = json.loads((out / "results.json").read_text())["patient_body"]
    expected = left_MBq(0.0) * HALF_LIFE_H / math.log(2)
    # counts are whole numbers, some thousand in the last
    assert body["tia_MBq_h"]["value"] == pytest.approx(expected, rel=1e-3)
    assert body["tia_coefficient_h"]["value"] == pytest.approx(expected / 7400, rel=1e-3)
    # 5% of the administered activity (assumed) and what 3% on each reading leave of the shape and the scale
    assert body["tia_MBq_h"]["components"]["administered activity"] == pytest.approx(5.0, rel=1e-6)
    assert 1.0 < body["tia_MBq_h"]["components"]["fit"] < 4.0


def test_the_body_gets_a_mean_dose_between_that_of_electrons_and_that_of_everything(out):
    results = json.loads((out / "results.json").read_text())
    dose = results["patient_body"]["absorbed_dose_Gy"]
    decays = results["patient_body"]["tia_MBq_h"]["value"] * 3.6e9
    electrons, photons = 147.9e3 * 1.602e-19, 35.3e3 * 1.602e-19  # Lu-177, ICRP 107, J per decay
    assert decays * electrons / 70 < dose["value"] < decays * (electrons + 0.5 * photons) / 70
    assert {"administered activity", "fit", "body mass, assumed", "body's shape"} == set(dose["components"])
    assert dose["components"]["body mass, assumed"] == pytest.approx(2.0, rel=1e-6)
    low, high = dose["interval95"]
    assert low < dose["value"] < high


def test_the_report_tells_the_method_the_mass_and_the_dose(out):
    page = (out / "report.html").read_text()
    assert "4 readings of a counter (counts.csv), the first before voiding." in page
    assert "of no use as the dose to an organ or to marrow" in page
    assert "The mass, 70 kg as case.yaml states it, was assumed to be known to 2%" in page


def test_the_body_in_the_images_has_an_uncertain_volume_mass_and_dose(out):
    body = json.loads((out / "results.json").read_text())["whole_body"]
    assert body["volume_u_mL"] > 0
    assert body["mass_u_g"] > 0
    # the trunk of the case holds 960 voxel columns of 24; all of the electrons' energy stays in it
    tia = body["tia_MBq_h"]["value"] * 3.6e9
    expected = tia * 147.9e3 * 1.602e-19 / (body["mass_g"] * 1e-3)
    assert body["absorbed_dose_Gy"]["value"] == pytest.approx(expected, rel=0.02)  # the engine's data, and its photons
    assert body["absorbed_dose_Gy"]["u"] > 0


def test_without_a_mass_there_is_no_dose_and_that_is_said(tmp_path):
    case = therapy_case.write_case(
        tmp_path / "case", hours=(24.0, 96.0), config="registration: none\nwhole_body: {counter: counts.csv}\n"
    )
    counter(case)
    for file in case.glob("scan*/*"):
        head = pydicom.dcmread(file)
        if "PatientWeight" in head:
            del head.PatientWeight
            head.save_as(file)
    assert main(["dose", str(case), "--out", str(tmp_path / "out")]) == 0
    body = json.loads((tmp_path / "out" / "results.json").read_text())["patient_body"]
    assert body["absorbed_dose_Gy"] is None
    assert "give patient: mass_kg:" in body["notes"][0]
    assert "give patient: mass_kg:" in (tmp_path / "out" / "report.html").read_text()


def test_whole_body_scans_do_what_a_counter_does(tmp_path):
    assert run(tmp_path, "{scans: true}\n", scans=True) == 0
    body = json.loads((tmp_path / "out" / "results.json").read_text())["patient_body"]
    assert "3 geometric means of whole-body scans, photopeak 208 keV" in body["source"]
    # half-life of all counts between the first and the last view
    means = [
        math.sqrt(math.prod(planar_views.counts(t * 3600.0, (0.0, 0.0)).sum(axis=(1, 2)))) for t in (1.0, 24.0, 96.0)
    ]
    expected = (96 - 1) / math.log2(means[0] / means[-1])
    assert body["fit"]["effective_half_life_h"]["value"] == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("{counter: none.csv}\n", "no file"),
        ("{scans: true}\n", "There is no whole-body scan"),
        ("{scans: [a, b]}\n", "No planar series is called 'a' (case.yaml, whole_body)"),
        ("{scans: true, counter: counts.csv}\n", "whole_body"),
        ("{}\n", "whole_body"),
    ],
)
def test_bad_input_is_refused_in_one_line(tmp_path, capsys, settings, said):
    assert run(tmp_path, settings) != 0
    error = capsys.readouterr().err.strip()
    assert said in error
    assert "\n" not in error


def test_readings_that_rise_are_refused(tmp_path, capsys):
    case = therapy_case.write_case(tmp_path / "case", hours=(24.0, 96.0), config=CONFIG + "{counter: counts.csv}\n")
    (case / "counts.csv").write_text("t_h,counts,duration_s\n0.5,50000,60\n24,90000,60\n48,60000,60\n")
    assert main(["dose", str(case), "--out", str(tmp_path / "out")]) != 0
    assert "whole body" in capsys.readouterr().err
