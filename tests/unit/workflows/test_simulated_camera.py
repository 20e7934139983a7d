"""A phantom in front of a described camera, to DICOM that our readers take."""

import json

import nibabel as nib
import numpy as np
import pydicom
import pytest

from factories.spect import water_cylinder
from hevesy.cli import main
from hevesy.stages.imaging.folder import read_folder
from hevesy.stages.imaging.planar_views import read_planar
from hevesy.stages.imaging.series import Kind
from hevesy.stages.imaging.spect_projections import read_projections

SIDE, SLICES, VIEWS, SECONDS, FACTOR = 24, 16, 12, 20.0, 1e-5
KNOWN = 2e5
CAMERA = {
    "photon_keV": 208.366,
    "collimator": "Siemens Symbia ME",
    "pixel_mm": 9.6,
    "rows": 14,
    "columns": 24,
    "views": VIEWS,
    "gap_mm": 20.0,
    "windows_keV": {"peak": [187.2, 228.8], "lower": [166.4, 187.2]},
}


@pytest.fixture
def simulate(tmp_path):
    def run(change=None, *options, out="out"):
        body = water_cylinder(SIDE, SLICES, 8.0, 70.0)
        hot = np.zeros(body.shape)
        hot[9:12, 14:17, 4:7] = KNOWN  # to the right, behind, near the head
        np.savez(tmp_path / "phantom.npz", activity=hot, mu=0.135 * body, voxel_mm=[8.0, 8.0], centre_mm=[3, -4, 50])
        facts = {k: v for k, v in (CAMERA | (change or {})).items() if v is not None}
        (tmp_path / "camera.json").write_text(json.dumps(facts))
        given = ["--nuclide", "Lu-177", "--start", "2024-03-05T10:00:00", "--administered", "2024-03-04T10:00:00"]
        timing = ["--seconds-per-view", str(SECONDS), "--sensitivity", str(FACTOR), "--heads", "2"]
        where = ["--camera", str(tmp_path / "camera.json"), "--out", str(tmp_path / out)]
        return main(["simulate", str(tmp_path / "phantom.npz"), *where, *given, *timing, *options])

    return run


def _projections(folder):
    path = folder / "projections.dcm"
    return read_projections(pydicom.dcmread(path, stop_before_pixels=True), path, "it")


def test_a_simulated_scan_is_found_and_placed_as_an_acquisition(simulate, tmp_path):
    assert simulate() == 0
    (series,) = read_folder(tmp_path / "out").of_kind(Kind.PROJECTIONS)
    assert (series.injected.nuclide, series.injected.time.day) == ("Lu-177", 4)
    peak, lower = _projections(tmp_path / "out")
    assert peak.counts.shape == (VIEWS, 14, 24)
    assert peak.placement.axis_mm == pytest.approx((3, -4, 50 + 6.5 * 9.6))
    assert peak.angles_deg[:2] == pytest.approx([180, 210])
    assert set(peak.detectors) == {1, 2}
    assert peak.radii_mm == pytest.approx(np.full(VIEWS, 70 + 4 + 20), abs=8)  # a voxel of the cylinder
    assert peak.timing.duration_s == VIEWS / 2 * SECONDS
    assert lower.counts.sum() < 0.05 * peak.counts.sum()  # without scatter: the peak's own width alone


def test_activity_appears_where_it_lies(simulate, tmp_path):
    assert simulate() == 0
    peak = _projections(tmp_path / "out")[0]
    anterior = peak.counts[0]
    row, column = (np.average(np.arange(n), weights=anterior.sum(axis=1 - axis)) for axis, n in enumerate((14, 24)))
    assert row == pytest.approx(6.5 + (5 - 7.5) * 8 / 9.6, abs=0.15)  # counts of one view: 0.1 bins
    assert column == pytest.approx(11.5 + (10 - 11.5) * 8 / 9.6, abs=0.15)
    lateral = peak.counts[int(np.flatnonzero(peak.angles_deg == 270)[0])]  # from the patient's right
    assert lateral.sum() > 0
    behind = peak.counts[int(np.flatnonzero(peak.angles_deg == 0)[0])]
    assert behind.sum() > anterior.sum()  # less water in the way


def test_scatter_fills_the_lower_window(simulate, tmp_path):
    assert simulate({"scatter_histories": 4000}) == 0
    peak, lower = _projections(tmp_path / "out")
    assert 0.05 < lower.counts.sum() / peak.counts.sum() < 0.6


@pytest.mark.parametrize(("kind", "stored"), [("static", "STATIC"), ("whole-body", "WHOLE BODY")])
def test_planar_views_look_from_the_front_and_from_behind(simulate, tmp_path, kind, stored):
    assert simulate(None, "--view", kind) == 0
    path = tmp_path / "out" / "views.dcm"
    head = pydicom.dcmread(path, stop_before_pixels=True)
    assert head.ImageType[2] == stored
    front, back = read_planar(head, path, "it")[:2]
    assert (front.view, back.view) == ("anterior", "posterior")
    across = np.arange(24)
    assert np.average(across, weights=front.counts.sum(axis=0)) < 11.5  # the patient's right is on the left
    assert np.average(across, weights=back.counts.sum(axis=0)) > 11.5
    assert front.timing.duration_s == SECONDS


@pytest.mark.parametrize(
    ("change", "options", "said"),
    [
        ({"gap_mm": None}, [], "distance is not given"),
        ({"pixel_mm": None}, [], "lacks pixel_mm"),
        ({"pixel": 4}, [], "unknown keys: pixel"),
        ({"rows": "many"}, [], "must be a number"),
        ({"windows_keV": {"peak": 5}}, [], "lower and an upper"),
        ({"photon_keV": 140.5}, [], "No emitted line"),
        ({"windows_keV": {"lower": [166.4, 187.2]}}, [], "does not hold"),
        ({}, ["--view", "oblique"], "There is no view"),
        ({"collimator": "none"}, [], "none"),
    ],
)
def test_a_camera_that_is_badly_described_is_refused(simulate, capsys, tmp_path, change, options, said):
    assert simulate(change, *options) != 0
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_scatter_simulated_from_the_image_brings_the_activity_back(simulate, tmp_path):
    same = {"pixel_mm": 8.0, "rows": SLICES, "columns": SIDE, "scatter_histories": 20000}
    assert simulate(same, "--seed", "3", "--sensitivity", str(100 * FACTOR)) == 0
    np.savez(tmp_path / "mu.npz", mu=0.135 * water_cylinder(SIDE, SLICES, 8.0, 70.0))
    totals = {}
    for method in ("mc", "none"):
        given = ["--collimator", "Siemens Symbia ME", "--mu", str(tmp_path / "mu.npz"), "--scatter", method]
        more = ["--calibration", str(200 * FACTOR), "--iterations", "10", "--subsets", "4", "--allow-truncated-mu"]
        assert main(["reconstruct", str(tmp_path / "out"), *given, *more, "--out", str(tmp_path / method)]) == 0
        image = nib.load(tmp_path / method / "image.nii.gz")
        totals[method] = float(image.get_fdata().sum()) * 0.8**3
    truth = 27 * KNOWN * 0.8**3
    assert totals["mc"] == pytest.approx(truth, rel=0.04)  # 20,000 photons of scatter: a fifth of all, to 5%
    assert totals["none"] > 1.1 * truth
