import json

import numpy as np
import pytest

from factories.spect import water_cylinder
from hevesy.cli import main
from hevesy.stages.quantification.reconstruction import Lattice, LinearResponse, Orbit, SystemModel

SIDE, SLICES, VIEWS = 20, 4, 24


@pytest.fixture
def study(tmp_path):
    """Return a function that writes a study, with some of its arrays or facts changed or left out, and its paths."""
    lattice = Lattice(SIDE, SLICES, 8.0, 8.0)
    body = water_cylinder(SIDE, SLICES, 8.0, 60.0)
    angles = np.arange(VIEWS) * 360.0 / VIEWS
    system = SystemModel(lattice, Orbit(angles + 180, np.full(VIEWS, 120.0)), LinearResponse(0.03, 1.2), 0.0135 * body)

    def write(arrays=None, facts=None):
        held = {"proj": np.maximum(system.forward(5.0 * body), 0), "angles_deg": angles, "mu": 0.135 * body}
        stated = {"voxel_cm": 0.8, "camera": {"radius_cm": 12.0}, "psf": {"a": 0.03, "b_cm": 0.12}}
        held, stated = held | (arrays or {}), stated | (facts or {})
        np.savez(tmp_path / "x.npz", **{k: v for k, v in held.items() if v is not None})
        (tmp_path / "g.json").write_text(json.dumps({k: v for k, v in stated.items() if v is not None}))
        return [str(tmp_path / "x.npz"), "--geometry", str(tmp_path / "g.json"), "--out", str(tmp_path / "out")]

    return write


def image(tmp_path):
    with np.load(tmp_path / "out" / "image.npz") as file:
        return file["image"]


INSIDE = water_cylinder(SIDE, SLICES, 8.0, 45.0)


@pytest.mark.parametrize(("algorithm", "iterations"), [("osem", "10"), ("mlem", "40"), ("osl", "10"), ("bsrem", "10")])
def test_an_image_has_the_activity_that_made_the_counts(study, tmp_path, algorithm, iterations):
    options = ["--algorithm", algorithm, "--iterations", iterations, "--subsets", "4"]
    assert main(["reconstruct", *study(), *options]) == 0
    # 40 updates recover the mean of a cylinder, not its edge
    assert image(tmp_path)[INSIDE].mean() == pytest.approx(5.0, rel=0.03)


def test_a_second_run_replaces_the_image(study, tmp_path):
    arguments = ["reconstruct", *study(), "--subsets", "4"]
    assert main(arguments) == 0
    first = image(tmp_path)
    assert main([*arguments, "--filter-mm", "16"]) == 0
    assert not np.array_equal(first, image(tmp_path))
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["image.npz"]


@pytest.mark.parametrize(
    ("arrays", "facts", "said"),
    [
        ({}, {"camera": {}}, "--radius-mm"),
        ({}, {"voxel_cm": None}, "voxel_cm"),
        ({}, {"psf": None}, "--no-response"),
        ({}, {"psf": {"a": "wide", "b_cm": 0.1}}, "psf.a"),
        ({"mu": None}, {}, "--no-attenuation"),
        ({"angles_deg": np.arange(VIEWS) * 5.0}, {}, "do not cover 180°"),
        ({"proj": -np.ones((VIEWS, SIDE, SLICES))}, {}, "counts of 0 or more"),
        ({"proj": None}, {}, "does not hold proj"),
        ({"mu": 0.135 * np.ones((SIDE, SIDE, SLICES))}, {}, "truncated"),
        ({"mu": 0.135 * np.ones((SIDE, SIDE, SLICES + 1))}, {}, "does not fit"),
        ({"mu": 13.5 * np.ones((SIDE, SIDE, SLICES))}, {}, "1/mm"),
        ({}, {"photon_keV": 208, "energy_window_keV": [126, 154]}, "208 keV"),
    ],
)
def test_what_would_spoil_the_image_is_refused_in_one_line(study, tmp_path, capsys, arrays, facts, said):
    assert main(["reconstruct", *study(arrays, facts)]) > 1
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arrays", "facts", "option"),
    [
        ({}, {"camera": {}}, ["--radius-mm", "120"]),
        ({"angles_deg": np.arange(VIEWS) * 5.0}, {}, ["--allow-limited-angles"]),
        ({"mu": None}, {}, ["--no-attenuation"]),
        ({}, {"psf": None}, ["--no-response"]),
        ({"mu": 0.135 * np.ones((SIDE, SIDE, SLICES))}, {}, ["--allow-truncated-mu"]),
    ],
)
def test_the_option_that_a_refusal_names_helps(study, arrays, facts, option):
    assert main(["reconstruct", *study(arrays, facts), "--subsets", "4", "--iterations", "1", *option]) == 0


def test_counts_from_slices_without_a_mu_map_are_refused(study, capsys):
    mu = 0.135 * np.repeat(water_cylinder(SIDE, 1, 8.0, 60.0), 30, axis=2)
    mu[..., 10:] = 0
    counts = np.ones((VIEWS, SIDE, 30))
    assert main(["reconstruct", *study({"mu": mu, "proj": counts})]) > 1
    assert "slices where it is empty" in capsys.readouterr().err


def test_a_file_that_is_no_npz_is_refused(study, tmp_path, capsys):
    arguments = study()
    (tmp_path / "x.npz").write_bytes(b"not an archive")
    assert main(["reconstruct", *arguments]) == 4
    assert "cannot be read" in capsys.readouterr().err
