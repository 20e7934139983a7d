import json

import numpy as np
import pytest

from factories.spect import water_cylinder
from hevesy.cli import main

SIDE, SLICES, VIEWS = 20, 4, 24
KNOWN, FACTOR, SECONDS, VOXEL_ML = 2e5, 1e-5, 30.0, 0.512
LU177 = np.log(2) / (6.647 * 86400)  # 1/s: ICRP 107


@pytest.fixture
def study(tmp_path):
    def write(**arrays):
        body = water_cylinder(SIDE, SLICES, 8.0, 60.0)
        held = {"activity": KNOWN * body, "mu": 0.135 * body, "angles_deg": np.arange(VIEWS) * 15.0} | arrays
        np.savez(tmp_path / "phantom.npz", **{k: v for k, v in held.items() if v is not None})
        facts = {"voxel_cm": 0.8, "camera": {"radius_cm": 12.0}, "psf": {"a": 0.03, "b_cm": 0.12}}
        (tmp_path / "g.json").write_text(json.dumps(facts))
        common = ["--geometry", str(tmp_path / "g.json"), "--out", str(tmp_path)]
        timing = ["--seconds-per-view", str(SECONDS), "--sensitivity", str(FACTOR)]
        return ["simulate", str(tmp_path / "phantom.npz"), *common, *timing]

    return write


def projections(tmp_path):
    with np.load(tmp_path / "projections.npz") as file:
        return dict(file)


def test_what_is_simulated_is_reconstructed_to_the_activity(study, tmp_path):
    assert main(study()) == 0
    options = ["--geometry", str(tmp_path / "g.json"), "--out", str(tmp_path), "--subsets", "4", "--iterations", "10"]
    assert main(["reconstruct", str(tmp_path / "projections.npz"), *options]) == 0
    with np.load(tmp_path / "image.npz") as file:
        image = file["image"] / projections(tmp_path)["counts_per_unit"]
    # 30,000 counts a view; 40 updates recover the mean of a cylinder, not its edge
    assert image[water_cylinder(SIDE, SLICES, 8.0, 45.0)].mean() == pytest.approx(KNOWN, rel=0.03)


def test_counts_are_decays_times_sensitivity_with_poisson_noise(study, tmp_path):
    slab = np.zeros((SIDE, SIDE, 15))
    slab[8:12, 8:12, 7] = KNOWN
    assert main([*study(activity=slab, mu=None), "--no-attenuation", "--no-response"]) == 0
    totals = projections(tmp_path)["proj"].sum(axis=(1, 2)).astype(float)
    mean = slab.sum() * VOXEL_ML * FACTOR * SECONDS
    # 24 views: the mean within 4 standard errors, the scatter within 50% of √N
    assert totals.mean() == pytest.approx(mean, abs=4 * np.sqrt(mean / VIEWS))
    assert totals.std() == pytest.approx(np.sqrt(mean), rel=0.5)


@pytest.mark.parametrize(("heads", "later"), [(1, 23), (2, 11)])
def test_activity_decays_from_view_to_view(study, tmp_path, heads, later):
    bright = 1e5 * KNOWN * water_cylinder(SIDE, SLICES, 8.0, 60.0)  # so many counts that noise is below the decay
    totals = []
    for nuclide in ([], ["--nuclide", "Lu-177"]):
        assert main([*study(activity=bright), *nuclide, "--step-s", "3000", "--heads", str(heads)]) == 0
        totals.append(projections(tmp_path)["proj"].sum(axis=(1, 2)).astype(float))
    kept = totals[1] / totals[0]
    # noise of 10¹⁰ counts; half a view's decay
    assert kept[later] / kept[0] == pytest.approx(np.exp(-LU177 * later * 3030), rel=1e-4)
    assert kept[0] == pytest.approx(np.exp(-LU177 * SECONDS / 2), rel=1e-4)


def test_the_same_seed_gives_the_same_counts_and_another_does_not(study, tmp_path):
    made = []
    for seed in ("1", "1", "2"):
        assert main([*study(), "--seed", seed]) == 0
        made.append(projections(tmp_path)["proj"])
    np.testing.assert_array_equal(made[0], made[1])
    assert not np.array_equal(made[0], made[2])


@pytest.mark.parametrize(
    ("arrays", "options", "said"),
    [
        ({"activity": None}, [], "does not hold activity"),
        ({"activity": -np.ones((SIDE, SIDE, SLICES))}, [], "0 or more"),
        ({"activity": np.ones((SIDE, SIDE + 1, SLICES))}, [], "side, side, slices"),
        ({"mu": None}, [], "--no-attenuation"),
        ({}, ["--heads", "5"], "shared equally"),
        ({}, ["--step-s", "-1"], "cannot be negative"),
        ({}, ["--nuclide", "Xx-1"], "Xx-1"),
    ],
)
def test_what_cannot_be_simulated_is_refused(study, tmp_path, capsys, arrays, options, said):
    assert main([*study(**arrays), *options]) > 1
    assert said in capsys.readouterr().err
    assert not (tmp_path / "projections.npz").exists()
