"""From DICOM projections and a CT to Bq/mL in the patient, through the command line."""

import json
import shutil

import numpy as np
import pydicom
import pytest
import yaml

from factories import dicom, spect_ct
from hevesy.cli import main
from hevesy.core import Region
from hevesy.stages.imaging import segmentation_writer
from hevesy.stages.imaging.folder import read_folder
from hevesy.stages.imaging.nifti_in import read_nifti
from hevesy.workflows import camera_file

COMMAND = ["--collimator", "Siemens Symbia ME", "--iterations", "8", "--subsets", "5"]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return spect_ct.write(tmp_path_factory.mktemp("study"))


def reconstruct(study, out, *more, ct=True):
    anatomy = ["--ct", str(study / "ct")] if ct else []
    return main(["reconstruct", str(study / "spect"), *anatomy, *COMMAND, "--out", str(out), *map(str, more)])


def activity_and_centre(image):
    """All activity, Bq, and the centre of what holds most of it, mm."""
    index = np.array(np.nonzero(image.values > 0.3 * image.values.max()))
    return float(image.values.sum(dtype=float)) * image.grid.voxel_volume_mL, image.grid.to_mm(index.mean(axis=1))


def test_an_activity_comes_back_in_its_place_from_the_stored_object(study, tmp_path, faults):
    assert reconstruct(study, tmp_path / "out", "--calibration", spect_ct.FACTOR) == 0
    assert faults(tmp_path / "out" / "spect.dcm") == []
    image = read_folder(tmp_path / "out" / "spect.dcm").series[0].image()
    total, centre = activity_and_centre(image)
    truth = spect_ct.activity(image.grid).sum() * image.grid.voxel_volume_mL
    # counts are stored as integers; over ten minutes 0.04% of Lu-177 decays
    assert total == pytest.approx(truth, rel=0.01)
    np.testing.assert_allclose(centre, np.add(spect_ct.ISOCENTRE, (48, 8, 0)), atol=1.5)
    assert image.grid.frame_of_reference == spect_ct.FRAME
    assert image.timing.start == spect_ct.START
    assert image.timing.decay_corrected_to is None


def test_the_record_says_what_was_chosen(study, tmp_path, capsys):
    reconstruct(study, tmp_path / "out", "--calibration", spect_ct.FACTOR)
    record = json.loads((tmp_path / "out" / "reconstruction.json").read_text())
    said = " ".join(record["notes"])
    assert "Photon of 208.4 keV in the window 187.56–229.24 keV; scatter is estimated from 166.72–187.56 keV" in said
    assert "table included" in said
    assert "decay of Lu-177" in said
    assert set(record["corrections"]) == {"ATTN", "SCAT"}
    assert (tmp_path / "out" / "picture.svg").read_text().count("<image ") == 6
    assert "scatter is estimated" in capsys.readouterr().out


def test_scatter_of_the_body_is_simulated_from_the_image_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(camera_file, "HISTORIES", 20_000)
    study = spect_ct.write(tmp_path, followed=20_000)
    truth = spect_ct.activity(spect_ct.placed().grid).sum() * spect_ct.PIXEL**3 * 1e-3
    share = {}
    for method in ("none", "mc", "esse"):
        options = ("--calibration", spect_ct.FACTOR, "--scatter", method)
        assert reconstruct(study, tmp_path / method, *options) == 0
        total, _ = activity_and_centre(read_folder(tmp_path / method / "spect.dcm").series[0].image())
        share[method] = total / truth
    assert share["none"] > 1.1
    assert share["mc"] == pytest.approx(1, abs=0.04)  # 20,000 photons, two rounds from a start by two windows
    assert share["esse"] == pytest.approx(1, abs=0.04)  # the effective source is 2% short of followed photons


def test_a_calibration_file_and_an_uncertainty_image_are_used(study, tmp_path):
    factor = tmp_path / "factor.json"
    factor.write_text(json.dumps({"counts_per_s_per_MBq": 1e6 * spect_ct.FACTOR, "u_percent": 2.0}))
    assert reconstruct(study, tmp_path / "out", "--calibration", factor, "--replicates", 3) == 0
    record = json.loads((tmp_path / "out" / "reconstruction.json").read_text())
    assert record["calibration_u_percent"] == pytest.approx(2.0)
    written = [read_nifti(tmp_path / "out" / f"{name}.nii.gz") for name in ("image", "uncertainty", "mu")]
    assert [one.quantity.unit for one in written] == ["Bq/mL", "Bq/mL (standard uncertainty)", "1/mm"]
    assert written[0].timing == read_folder(tmp_path / "out" / "spect.dcm").series[0].image().timing
    image, u = (one.values for one in written[:2])
    assert image.shape == u.shape
    assert 0 < u[image > 0.5 * image.max()].mean() < 0.2 * image.max()


def test_counts_that_are_stored_are_calibrated_by_hevesy_calibrate(study, tmp_path, capsys):
    reconstruct(study, tmp_path / "counts")
    total = spect_ct.activity(spect_ct.placed().grid).sum() * spect_ct.PIXEL**3 * 1e-3 * 1e-6
    when = spect_ct.START.isoformat()
    given = ["--nuclide", "Lu-177", "--activity-MBq", str(total), "--u-percent", "1", "--measured-at", when, "--json"]
    capsys.readouterr()
    assert main(["calibrate", str(tmp_path / "counts" / "spect.dcm"), *given]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["counts_per_s_per_MBq"] == pytest.approx(1e6 * spect_ct.FACTOR, rel=0.01)


def test_the_stored_objects_of_two_days_give_the_dose(tmp_path):
    from scipy.ndimage import binary_dilation

    from hevesy.core import Region
    from hevesy.stages.imaging import rtstruct
    from hevesy.stages.segmentation.contour import outline

    case = tmp_path / "case"
    case.mkdir()
    for day in (0, 3):
        study = spect_ct.write(tmp_path / f"day{day}", days=day)
        assert reconstruct(study, tmp_path / f"out{day}", "--calibration", spect_ct.FACTOR) == 0
        # as it was left, NIfTI and all: the sidecar says that image.nii.gz is spect.dcm again
        shutil.copytree(tmp_path / f"out{day}", case / f"day{day}")
    shutil.copytree(study / "ct", case / "ct")
    grid = spect_ct.placed().grid
    # drawn wide enough that what blur carries out of the source stays inside
    wide = Region.from_mask("kidney", grid, binary_dilation(spect_ct.activity(grid) > 0, iterations=2))
    headers = read_folder(case / "ct").series[0].headers
    rtstruct.write([outline(wide)], headers, case / "drawn.dcm", spect_ct.START)
    (case / "case.yaml").write_text("registration: none\n")
    assert main(["dose", str(case), "--out", str(tmp_path / "dose")]) == 0
    (found,) = json.loads((tmp_path / "dose" / "results.json").read_text())["regions"]
    total = spect_ct.activity(grid).sum() * grid.voxel_volume_mL * 1e-6
    seen = [point["value"] for point in found["activity_MBq"]]
    days = np.array([0.0, 3.0])
    # mean over ten minutes of counts stored as integers
    np.testing.assert_allclose(seen, total * np.exp(-spect_ct.DECAY * 86400 * days), rtol=0.02)
    assert [point["t_h"] for point in found["activity_MBq"]] == pytest.approx(24 * (1 + days), abs=0.2)


def test_what_holds_no_projections_is_refused_by_what_it_holds(study, tmp_path, capsys):
    assert main(["reconstruct", str(study / "ct"), *COMMAND, "--out", str(tmp_path / "out")]) == 2
    assert "it holds CT 'CT test'. Give the projections" in capsys.readouterr().err


def test_a_ct_of_another_frame_is_refused_and_can_be_accepted(tmp_path, capsys):
    study = spect_ct.write(tmp_path, ct_tags={"FrameOfReferenceUID": "1.2.3"})
    assert reconstruct(study, tmp_path / "out") == 2
    assert "--ct-frame-accepted" in capsys.readouterr().err
    assert reconstruct(study, tmp_path / "out", "--ct-frame-accepted") == 0
    assert read_folder(tmp_path / "out" / "spect.dcm").series[0].frame_of_reference == "1.2.3"


def test_a_ct_moved_as_stated_gives_an_image_in_the_place_of_the_ct(study, tmp_path):
    assert reconstruct(study, tmp_path / "out", "--ct-shift-mm", "6,0,0", "--calibration", spect_ct.FACTOR) == 0
    _, centre = activity_and_centre(read_folder(tmp_path / "out" / "spect.dcm").series[0].image())
    np.testing.assert_allclose(centre[0], spect_ct.ISOCENTRE[0] + 48 - 6, atol=1.5)


def test_of_the_cts_of_a_whole_study_the_one_in_the_frame_of_the_projections_is_taken(study, tmp_path, capsys):
    whole = tmp_path / "whole"
    shutil.copytree(study, whole)
    for number, path in enumerate(sorted((study / "ct").iterdir())):
        other = pydicom.dcmread(path)
        other.SeriesInstanceUID, other.FrameOfReferenceUID, other.SeriesDescription = "1.2.9", "1.2.8", "diagnostic"
        other.SOPInstanceUID = other.file_meta.MediaStorageSOPInstanceUID = f"1.2.9.{number + 1}"
        dicom.write(whole / "diagnostic", [other], f"{number:03d}")
    assert main(["reconstruct", str(whole), "--ct", str(whole), *COMMAND, "--out", str(tmp_path / "out")]) == 0
    assert "from CT 'CT test'" in capsys.readouterr().out


def test_gates_are_refused(spoilt, tmp_path, capsys):
    def gated(made):
        frames = int(made.NumberOfFrames)
        made.TimeSlotVector = [1 + frame % 2 for frame in range(frames)]

    assert reconstruct(spoilt(gated), tmp_path / "out") == 4
    assert "several gates" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--nuclide", "Tc-99m"], "No energy window holds a photon of Tc-99m (140.5 keV)"),
        (["--photon-kev", "140.5"], "Lu-177 has no photon of 140.5 keV; it has 208.4"),
        (["--scatter", "esse-2"], "no scatter method"),
        (["--calibration", "nowhere.json"], "neither a number nor a file"),
        (["--dead-time-us", "1e6"], "cannot show"),
    ],
)
def test_what_cannot_be_is_refused(study, tmp_path, capsys, options, said):
    assert reconstruct(study, tmp_path / "out", *options) > 1
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.fixture
def spoilt(study, tmp_path):
    """Return a function that copies the acquisition with tags changed, beside the same CT."""

    def spoil(change):
        made = pydicom.dcmread(next((study / "spect").iterdir()))
        change(made)
        dicom.write(tmp_path / "spect", [made])
        (tmp_path / "ct").symlink_to(study / "ct")
        return tmp_path

    return spoil


def without_place(made):
    for detector in made.DetectorInformationSequence:
        del detector.ImagePositionPatient


def without_radii(made):
    for detector in made.DetectorInformationSequence:
        del detector.RadialPosition


def of_signed_counts(made):
    stored = made.pixel_array.astype(np.int16)
    stored[0, 0, 0] = -5
    made.PixelRepresentation, made.PixelData = 1, stored.tobytes()


@pytest.mark.parametrize(
    ("change", "option"),
    [
        (without_place, ["--axis-mm", "12,-35,931.5"]),
        (without_radii, ["--radius-mm", "180"]),
        (of_signed_counts, ["--clip-negative"]),
    ],
)
def test_what_is_missing_is_refused_and_the_option_that_helps_is_named(spoilt, tmp_path, capsys, change, option):
    study = spoilt(change)
    assert reconstruct(study, tmp_path / "out") > 1
    assert option[0] in capsys.readouterr().err
    assert reconstruct(study, tmp_path / "out", *option) == 0


def test_views_that_do_not_cover_half_a_circle_are_refused_and_can_be_allowed(spoilt, tmp_path, capsys):
    def thin(made):  # both heads the same way round: nothing from the sides
        made.RotationInformationSequence[0].AngularStep = dicom.ds(2)

    study = spoilt(thin)
    assert reconstruct(study, tmp_path / "out") > 1
    assert "--allow-limited-angles" in capsys.readouterr().err
    assert reconstruct(study, tmp_path / "out", "--allow-limited-angles") == 0


def test_a_ct_that_cuts_the_body_off_is_refused_and_can_be_allowed(tmp_path, capsys):
    study = spect_ct.write(tmp_path)
    for path in (study / "ct").iterdir():
        one = pydicom.dcmread(path)
        part = one.pixel_array[:, 24:-30]  # arms out of view
        one.Columns, one.PixelData = part.shape[1], np.ascontiguousarray(part).tobytes()
        one.ImagePositionPatient[0] += 24 * 2.5
        one.save_as(path)
    assert reconstruct(study, tmp_path / "out") > 1
    assert "--allow-truncated-mu" in capsys.readouterr().err
    assert reconstruct(study, tmp_path / "out", "--allow-truncated-mu") == 0


def test_what_is_kept_of_a_drawn_region_is_found_and_brings_its_activity_back(study, tmp_path):
    assert reconstruct(study, tmp_path / "first") == 0
    (series,) = read_folder(tmp_path / "first" / "spect.dcm").series
    grid = series.image().grid
    truth = spect_ct.activity(grid)
    drawn = Region.from_mask("kidney", grid, truth > 0)
    segmentation_writer.write([drawn], series.headers, tmp_path / "drawn.dcm", spect_ct.START)
    given = ["--regions", tmp_path / "drawn.dcm", "--calibration", spect_ct.FACTOR]
    assert reconstruct(study, tmp_path / "out", *given) == 0
    found = yaml.safe_load((tmp_path / "out" / "recovery.yaml").read_text())["regions"]["kidney"]
    assert 0.5 < found["recovery"] < 0.95
    assert 0 < found["recovery_u_percent"] < 5  # the response is known to 3%
    apparent = drawn.integral(read_folder(tmp_path / "out" / "spect.dcm").series[0].image())
    assert apparent / found["recovery"] == pytest.approx(truth.sum() * grid.voxel_volume_mL, rel=0.03)


def test_recovery_without_attenuation_is_refused(study, tmp_path, capsys):
    given = ["--regions", tmp_path / "drawn.dcm", "--no-attenuation"]
    assert reconstruct(study, tmp_path / "out", *given, ct=False) != 0
    assert "--ct" in capsys.readouterr().err
