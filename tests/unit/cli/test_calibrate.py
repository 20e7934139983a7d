from __future__ import annotations

import json
import math
import shutil
import subprocess

import numpy as np
import pydicom
import pytest

from factories import camera, dicom
from hevesy.cli import main
from hevesy.core import Measured, Quantity
from hevesy.errors import WrongQuantity
from hevesy.stages.imaging.folder import read_folder
from hevesy.stages.imaging.real_world_values import write_real_world_values

STORED = np.full((5, 6, 7), 100, np.uint16)
DECAY = math.log(2) / (6.647 * 24 * 3600)  # Lu-177, ICRP 107


@pytest.fixture
def phantom(tmp_path):
    return dicom.write(tmp_path / "scan", [camera.reconstruction(STORED)])


def run(capsys, *arguments):
    code = main(["calibrate", *map(str, arguments)])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


KNOWN = ("--nuclide", "Lu-177", "--activity-MBq", "500", "--u-percent", "2", "--measured-at", "2024-03-04T10:00")


def test_a_phantom_of_known_counts_gives_the_factor_of_the_closed_form(phantom, capsys):
    code, out, _ = run(capsys, phantom, *KNOWN, "--json")
    found = json.loads(out)
    # scanned at 10:00 the day after the activity was measured, for 900 s
    mean = 500 * math.exp(-DECAY * 86400) * -math.expm1(-DECAY * 900) / (DECAY * 900)
    assert code == 0
    assert found["counts_per_s_per_MBq"] == pytest.approx(STORED.sum() / 900 / mean, rel=1e-5)
    assert found["components_percent"]["activity meter"] == pytest.approx(2.0, rel=1e-6)
    assert found["components_percent"]["counts"] == pytest.approx(100 / math.sqrt(STORED.sum()), rel=1e-6)


def test_the_lines_of_case_yaml_are_printed(phantom, capsys):
    code, out, _ = run(capsys, phantom, *KNOWN)
    assert code == 0
    assert "calibration:\n  counts_per_s_per_MBq: " in out


def test_a_reference_instrument_moves_the_factor(phantom, capsys):
    _, plain, _ = run(capsys, phantom, *KNOWN, "--json")
    crossed = ("--meter-MBq", "102", "--reference-MBq", "100", "--reference-u-percent", "1")
    _, moved, _ = run(capsys, phantom, *KNOWN, *crossed, "--json")
    ratio = json.loads(moved)["counts_per_s_per_MBq"] / json.loads(plain)["counts_per_s_per_MBq"]
    assert ratio == pytest.approx(1.02, rel=1e-9)
    assert json.loads(moved)["components_percent"]["reference"] == pytest.approx(1.0, rel=1e-6)


def test_the_mapped_copy_reads_back_in_becquerel_per_millilitre(phantom, tmp_path, capsys):
    scan, copy = next(phantom.iterdir()), tmp_path / "mapped" / "copy.dcm"
    copy.parent.mkdir()
    code, out, _ = run(capsys, scan, *KNOWN, "--json", "--write", copy)
    assert code == 0
    factor = json.loads(out)["counts_per_s_per_MBq"] * 1e-6
    image = read_folder(copy.parent).series[0].image()
    assert image.quantity is Quantity.ACTIVITY_CONCENTRATION
    volume_mL = 4 * 5 * 3 * 1e-3
    assert image.values == pytest.approx(100 / (900 * factor * volume_mL), rel=1e-6)
    assert image.timing.decay_corrected_to is None


def test_counts_that_were_corrected_for_decay_stand_for_the_activity_at_the_start(tmp_path, capsys):
    """A long scan of a short-lived nuclide, whose camera brought its views to the start: 6% in 20 min of F-18."""
    corrected = camera.reconstruction(STORED, CorrectedImage=["DECY"], ActualFrameDuration=1200000)
    folder = dicom.write(tmp_path / "scan", [corrected])
    known = ("--nuclide", "F-18", "--activity-MBq", "500", "--u-percent", "2", "--measured-at", "2024-03-05T09:00")
    copy = tmp_path / "mapped" / "copy.dcm"
    copy.parent.mkdir()
    _, out, err = run(capsys, next(folder.iterdir()), *known, "--json", "--write", copy)
    assert not err
    at_start = 500 * 2 ** (-3600 / (1.82951 * 3600))  # an hour later; ICRP 107, h
    assert json.loads(out)["counts_per_s_per_MBq"] == pytest.approx(STORED.sum() / 1200 / at_start, rel=1e-4)
    image = read_folder(copy.parent).series[0].image()
    assert image.timing.decay_corrected_to == image.timing.start
    total = image.values.sum(dtype=float) * image.grid.voxel_volume_mL
    assert total == pytest.approx(at_start * 1e6, rel=1e-4)


def test_a_scan_already_in_becquerel_is_not_mapped_twice(phantom, tmp_path):
    scan, copy = next(phantom.iterdir()), tmp_path / "copy.dcm"
    factor = Measured(1e-5, 1e-7, "1/s/Bq")
    write_real_world_values(scan, copy, factor)
    with pytest.raises(WrongQuantity, match="already holds"):
        write_real_world_values(copy, tmp_path / "again.dcm", factor)


def test_two_scans_in_one_folder_are_refused(tmp_path, capsys):
    first, second = camera.reconstruction(STORED), camera.reconstruction(STORED)
    second.SeriesInstanceUID = "1.2.826.0.1.3680043.8.498.77"
    second.SOPInstanceUID = second.file_meta.MediaStorageSOPInstanceUID = "1.2.826.0.1.3680043.8.498.78"
    folder = dicom.write(tmp_path / "two", [first, second])
    code, _, err = run(capsys, folder, *KNOWN)
    assert code == 2
    assert "must hold one scan" in err


def test_half_a_cross_calibration_is_refused(phantom, capsys):
    code, _, err = run(capsys, phantom, *KNOWN, "--meter-MBq", "100")
    assert code == 2
    assert "--reference-MBq" in err


def test_the_mapping_adds_no_fault_to_a_dicom_object(phantom, tmp_path):
    tool = shutil.which("dciodvfy")
    if tool is None:
        pytest.skip("needs dciodvfy (Debian package dicom3tools)")
    scan, copy = next(phantom.iterdir()), tmp_path / "copy.dcm"
    write_real_world_values(scan, copy, Measured(1e-5, 1e-7, "1/s/Bq"))
    write_real_world_values(scan, tmp_path / "again.dcm", Measured(1e-5, 1e-7, "1/s/Bq"))
    assert copy.read_bytes() == (tmp_path / "again.dcm").read_bytes()

    def faults(path):
        ran = subprocess.run([tool, str(path)], capture_output=True, encoding="latin-1", timeout=60, check=False)
        return {line for line in (ran.stdout + ran.stderr).splitlines() if line.startswith("Error")}

    assert faults(copy) <= faults(scan)


def planar_phantom(folder, *limits):
    """One static view in several windows: 1000 counts a pixel in the first, 200, 100, … in the others."""
    stored = np.stack([np.full((6, 7), n, np.uint16) for n in (1000, 200, 100)[: len(limits)]])
    made = camera.camera(
        stored,
        "STATIC",
        EnergyWindowInformationSequence=[camera.window(*pair, f"w{k}") for k, pair in enumerate(limits)],
        EnergyWindowVector=list(range(1, len(limits) + 1)),
        DetectorVector=[1] * len(limits),
        ActualFrameDuration=900000,
    )
    return dicom.write(folder / "planar", [made])


def test_planar_views_are_counted_in_the_photopeak_without_scatter(tmp_path, capsys):
    scan = planar_phantom(tmp_path, (187, 229), (166, 187), (229, 250))
    _, out, _ = run(capsys, scan, *KNOWN, "--json")
    mean = 500 * math.exp(-DECAY * 86400) * -math.expm1(-DECAY * 900) / (DECAY * 900)
    found = json.loads(out)
    # windows half as wide as the peak: all of their counts together are its scatter
    assert found["counts_per_s_per_MBq"] == pytest.approx(42 * 700 / 900 / mean, rel=1e-5)
    assert found["components_percent"]["counts"] == pytest.approx(100 * math.sqrt(42 * 1300) / (42 * 700), rel=1e-6)
    _, out, _ = run(capsys, scan, *KNOWN, "--json", "--scatter", "none")
    assert json.loads(out)["counts_per_s_per_MBq"] == pytest.approx(42 * 1000 / 900 / mean, rel=1e-5)


TAU = 5e-6
#: what the views of `planar_phantom` show a second; all windows keep the camera busy
SHOWN = 42 * 1300 / 900
MISSED = ("--dead-time-us", "5", "--dead-time-u-percent", "10", "--dead-time-model")


def hot_phantom(folder, seconds, **tags):
    """The views of `planar_phantom`, counted in fewer seconds."""
    path = planar_phantom(folder, (187, 229), (166, 187), (229, 250))
    (file,) = path.iterdir()
    made = pydicom.dcmread(file)
    made.ActualFrameDuration = int(1000 * seconds)
    dicom.change(made, **tags).save_as(file)
    return path


@pytest.mark.parametrize("model", ["paralysable", "non-paralysable"])
def test_what_dead_time_took_from_a_calibration_is_put_back(tmp_path, capsys, model):
    """A camera that is simulated: a true rate, what it shows of it, and the factor of the true rate."""
    true = 2e4  # a tenth is missing
    shown = true * math.exp(-true * TAU) if model == "paralysable" else true / (1 + true * TAU)
    scan = hot_phantom(tmp_path, 42 * 1300 / shown)
    _, plain, _ = run(capsys, scan, *KNOWN, "--json")
    code, out, _ = run(capsys, scan, *KNOWN, "--json", *MISSED, model)
    found = json.loads(out)
    assert code == 0
    # seconds are stored to 1 ms of three
    ratio = found["counts_per_s_per_MBq"] / json.loads(plain)["counts_per_s_per_MBq"]
    assert ratio == pytest.approx(true / shown, rel=1e-4)
    # nτ is known to a tenth, and the gain goes as e^(nτ), or 1/(1 − mτ)
    share = true * TAU if model == "non-paralysable" else true * TAU / (1 - true * TAU)
    assert found["components_percent"]["dead time"] == pytest.approx(10 * share, rel=1e-3)
    assert not found["warnings"]


def test_one_dead_time_of_two_scans_is_one_error_of_both(tmp_path, capsys):
    scans = [hot_phantom(tmp_path / name, 3.0) for name in "ab"]
    once, twice = (
        json.loads(run(capsys, *given, *KNOWN, "--json", *MISSED, "paralysable")[1])["components_percent"]
        for given in (scans[:1], scans)
    )
    assert twice["dead time"] == pytest.approx(once["dead time"], rel=1e-9)
    assert twice["counts"] == pytest.approx(once["counts"] / math.sqrt(2), rel=1e-9)


def test_a_rate_at_which_published_cameras_miss_a_percent_is_warned_of(tmp_path, capsys):
    slow, fast = SHOWN * 900 / 1900, SHOWN * 900 / 2100  # s, for 1,900 and 2,100 counts per second
    assert not json.loads(run(capsys, hot_phantom(tmp_path / "slow", slow), *KNOWN, "--json")[1])["warnings"]
    (warning,) = json.loads(run(capsys, hot_phantom(tmp_path / "fast", fast), *KNOWN, "--json")[1])["warnings"]
    assert "1.1% is missing" in warning
    assert "! " in run(capsys, tmp_path / "fast" / "planar", *KNOWN)[1]
    corrected = hot_phantom(tmp_path / "corrected", fast, CorrectedImage=["UNIF", "DTIM"])
    assert not json.loads(run(capsys, corrected, *KNOWN, "--json")[1])["warnings"]


@pytest.mark.parametrize(
    ("seconds", "tags", "options", "said"),
    [
        (3.0, {}, MISSED[:4], "Give --dead-time-us, --dead-time-u-percent and --dead-time-model"),
        (3.0, {"CorrectedImage": ["DTIM"]}, (*MISSED, "paralysable"), "corrected for dead time already"),
        (0.7, {}, (*MISSED, "paralysable"), "cannot show"),
        (1.3, {}, (*MISSED, "non-paralysable"), "hangs on how the camera loses it"),
        (3.0, {}, ("--dead-time-us", "-1", *MISSED[2:], "paralysable"), "A dead time is positive"),
    ],
)
def test_dead_times_that_cannot_be_applied_are_refused(tmp_path, capsys, seconds, tags, options, said):
    code, _, err = run(capsys, hot_phantom(tmp_path, seconds, **tags), *KNOWN, *options)
    assert code != 0
    assert said in err


def test_the_dead_time_of_a_reconstruction_is_that_of_its_projections(phantom, capsys):
    code, _, err = run(capsys, phantom, *KNOWN, *MISSED, "paralysable")
    assert code != 0
    assert "hevesy reconstruct --dead-time-us" in err


def test_a_photopeak_that_cannot_be_told_is_asked_for(tmp_path, capsys):
    scan = planar_phantom(tmp_path, (187, 229), (101, 124))
    code, _, err = run(capsys, scan, *KNOWN)
    assert code != 0
    assert "Name the photopeak's: --window NAME" in err
    assert run(capsys, scan, *KNOWN, "--window", "187-229 keV")[0] == 0
