"""``hevesy quality`` on objects made here: what it prints, and what it refuses in one line."""

import json

import numpy as np
import pytest

from factories import camera
from hevesy.cli import main
from hevesy.cli.quality import TESTS
from hevesy.workflows import camera_quality


def saved(dataset, path):
    dataset.save_as(path, enforce_file_format=True)
    return str(path)


@pytest.fixture
def flood(tmp_path):
    slope = 1 + 0.001 * (np.arange(80) - 40)
    stored = np.tile((12_000 * slope).astype(np.uint16), (70, 1))
    stored = np.pad(stored, 3)[None]
    head = camera.camera(stored, "STATIC", PixelSpacing=[6.4, 6.4], ActualFrameDuration=60000)
    return saved(head, tmp_path / "flood.dcm")


def test_the_command_offers_the_tests_of_the_recipe():
    assert set(TESTS) == set(camera_quality.TESTS)


def test_the_uniformity_of_a_flood_is_printed_as_json(flood, capsys):
    assert main(["quality", flood, "--test", "uniformity", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    values = {f["name"]: f["value"] for f in found["findings"]}
    # ends 39 pixels from the middle, drawn in by a third: 0.1% a pixel
    assert values["integral uniformity, useful field"] == pytest.approx(3.85, abs=0.1)
    assert found["test"] == "uniformity"


def test_a_picture_is_written(flood, tmp_path, capsys):
    assert main(["quality", flood, "--test", "uniformity", "--picture", str(tmp_path / "flood.svg")]) == 0
    text = (tmp_path / "flood.svg").read_text(encoding="utf-8")
    assert text.startswith("<svg") and "integral uniformity" in text and "data:image/png" in text
    assert "integral uniformity, useful field: 3." in capsys.readouterr().out


def test_sensitivity_is_the_net_rate_over_the_activity_that_is_left(flood, capsys):
    given = ["--nuclide", "Tc-99m", "--activity-MBq", "100", "--u-percent", "3", "--measured-at", "2024-03-05T08:00:00"]
    assert main(["quality", flood, "--test", "sensitivity", *given, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    findings = {f["name"]: f for f in found["findings"]}
    # 70 × 80 pixels whose mean is 12000 less half a step, for 60 s; two hours and half a minute after the measurement
    rate = 70 * 80 * 12_000 * (1 - 0.0005) / 60
    left = 100 * 0.5 ** ((2 + 0.5 / 60) / 6.01)
    # 0.2%: evaluations of the half-life differ between 6.006 and 6.015 h
    assert findings["sensitivity"]["value"] == pytest.approx(rate / left, rel=0.002)
    assert findings["sensitivity"]["u"] / findings["sensitivity"]["value"] == pytest.approx(0.03, rel=0.01)
    assert "--background" in found["warnings"][0]


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ([], "--test"),
        (["--test", "rotation"], "projections"),
        (["--test", "resolution"], "line"),
        (["--test", "sensitivity"], "--activity-MBq"),
        (["--test", "sensitivity", "--nuclide", "Tc-99m"], "--measured-at"),
        (["--test", "uniformity", "--detector", "2"], "detector 2"),
        (["--test", "uniformity", "--useful-mm", "-1", "5"], "above 0 mm"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_one_line(flood, options, word, capsys):
    assert main(["quality", flood, *options]) != 0
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and word in error
