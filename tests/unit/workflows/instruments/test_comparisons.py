"""Comparisons of instruments, against published measurements and laws of counting."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from hevesy.errors import BadInput, MissingInformation, UnreadableFile
from hevesy.workflows.instruments import (
    compare_cardiac,
    compare_collimators,
    compare_heads,
    write_comparison,
)
from hevesy.workflows.instruments.cardiac import CAMERAS, parallel_holes, scatter_angle_deg, stopped
from hevesy.workflows.instruments.heads import reached, read_brain
from hevesy.workflows.instruments.time_of_flight import BGO, LSO, pair_efficiency

PHANTOM = Path(__file__).parents[4] / "examples/brain-perfusion/phantom.npz"


def rows(found):
    return {row[0]: dict(zip(found.columns[1:], row[1:], strict=True)) for row in found.rows}


def test_a_fan_beam_sees_more_the_farther_away_and_parallel_holes_the_same():
    found = rows(compare_collimators())
    lehr, fan = found["LEHR"], found["fan beam, focus at 445 mm"]
    assert lehr["passed per million at 50 mm"] == lehr["passed per million at 200 mm"]
    assert fan["passed per million at 200 mm"] / lehr["passed per million at 200 mm"] == pytest.approx(445 / 245)
    assert fan["FWHM at 100 mm / mm"] < lehr["FWHM at 100 mm / mm"]


def test_at_364_keV_the_thin_walls_are_said_to_leak():
    notes = " ".join(compare_collimators(364.5).notes)
    assert "LEHR" in notes and "HE" in compare_collimators(364.5).rows[-2][0]


def test_photons_that_no_collimator_stops_are_refused():
    with pytest.raises(BadInput):
        compare_collimators(5000.0)


def test_lutetium_oxyorthosilicate_and_bismuth_germanate_stop_pairs_as_published():
    # attenuation at 511 keV 0.87 and 0.96 per cm (Lecomte, EJNMMI 36 suppl. 1 (2009) S69, table 1), rounded to 1%
    assert pair_efficiency(LSO) == pytest.approx((1 - np.exp(-0.87 * 2)) ** 2, rel=0.01)
    assert pair_efficiency(BGO) == pytest.approx((1 - np.exp(-0.96 * 2)) ** 2, rel=0.01)


def test_two_heads_with_holes_of_lehr_count_at_least_what_was_measured_in_a_phantom():
    # 130 measured behind water (Imbert et al. 2012), 134 in a torso (EJNMMI Physics 10 (2023) 18); ours is in air
    _, counts = parallel_holes(1.11)
    assert 130 < counts < 230


def test_compton_scatter_by_90_degrees_leaves_110_keV():
    # 140.5 / (1 + 140.5/511) = 110.2 keV, a drop of 21.6%
    assert scatter_angle_deg(1 - 110.2 / 140.5) == pytest.approx(90, abs=0.3)


def test_a_thin_semiconductor_stops_less_and_keeps_out_more_scatter():
    anger, czt = CAMERAS[0], CAMERAS[-1]
    assert stopped(czt) < stopped(anger)
    assert scatter_angle_deg(czt.energy_fwhm) < scatter_angle_deg(anger.energy_fwhm)
    assert len(compare_cardiac().rows) == len(CAMERAS)


def test_a_third_head_counts_half_as_much_again_and_contrast_falls_with_the_radius(monkeypatch):
    monkeypatch.setattr("hevesy.workflows.instruments.heads.MERGED", 4)
    monkeypatch.setattr("hevesy.workflows.instruments.heads.ITERATIONS", 3)
    brain = read_brain(PHANTOM)
    random = np.random.default_rng(1)
    two, three, far = (reached(brain, *camera, random) for camera in ((2, 120.0), (3, 120.0), (2, 200.0)))
    # every head sees all the time: exactly 3/2
    assert three.counts / two.counts == pytest.approx(1.5, rel=1e-6)
    assert three.contrast == pytest.approx(two.contrast, abs=0.1)
    assert far.contrast[-1] < two.contrast[-1]
    # counting alone gives √1.5 = 1.22; two realisations know it to 15%
    assert two.noise[-1] / three.noise[-1] == pytest.approx(1.22, rel=0.15)


def test_the_brain_holds_the_activity_that_it_was_given():
    brain = read_brain(PHANTOM)
    assert brain.activity.sum() * brain.voxel_mm**3 * 1e-3 == pytest.approx(60e6, rel=1e-6)
    # soft tissue at 140.5 keV (XCOM): 0.153/cm with coherent scatter, and bone above
    assert 0.0145 < np.median(brain.mu_per_mm[brain.grey]) < 0.0165


def test_heads_without_a_brain_are_refused(tmp_path):
    with pytest.raises(MissingInformation):
        compare_heads(None, 1)
    wrong = tmp_path / "wrong.npz"
    np.savez(wrong, activity=np.zeros((2, 2, 2)))
    with pytest.raises(UnreadableFile):
        compare_heads(wrong, 1)


def test_a_comparison_is_written_as_a_figure_and_a_table(tmp_path):
    figure, table = write_comparison(compare_cardiac(), tmp_path / "new", "cardiac")
    assert ET.parse(figure).getroot().tag.endswith("svg")
    assert len(json.loads(table.read_text(encoding="utf-8"))["rows"]) == len(CAMERAS)
