import json
import shutil

import numpy as np
import pytest

from factories import camera, dicom
from factories.spect import water_cylinder
from hevesy.cli import main
from hevesy.data.collimators import collimator
from hevesy.stages.quantification.reconstruction import Lattice, Orbit, SystemModel
from hevesy.stages.quantification.reconstruction.response import FWHM_PER_SIGMA, collimator_response

SIDE, SLICES, VIEWS, SECONDS = 24, 6, 40, 20.0
FACTOR = 2e-5  # counts per second and becquerel
KNOWN = 5e4  # Bq/mL
INSIDE = water_cylinder(SIDE, SLICES, 8.0, 45.0)
OPTIONS = ["--photon-kev", "208.4", "--collimator", "Siemens Symbia ME", "--subsets", "5", "--iterations", "8"]


@pytest.fixture
def study(tmp_path):
    """Return a function that stores a simulated acquisition of a cylinder of known activity, and its arguments."""
    body = water_cylinder(SIDE, SLICES, 8.0, 60.0)
    mu_per_mm = 0.0135 * body
    # the camera factory rotates clockwise from the patient's front, with pixels of 8 mm
    angles = (180 - 9.0 * np.arange(VIEWS)) % 360
    response = collimator_response(collimator("Siemens Symbia ME"), 208.4, 3.8)
    system = SystemModel(Lattice(SIDE, SLICES, 8.0, 8.0), Orbit(angles, np.full(VIEWS, 150.0)), response, mu_per_mm)
    counts_per_voxel = KNOWN * 0.512 * FACTOR * SECONDS
    primary = np.swapaxes(system.forward(counts_per_voxel * body), 1, 2)

    def write(scatter=0.0, **tags):
        windows = [camera.window(187.6, 229.2, "208"), camera.window(166.8, 187.6, "lower")]
        # the triangle below the peak: lower / 20.8 keV × 41.6 keV / 2 = lower
        stored = np.concatenate([primary + scatter, np.full_like(primary, scatter)]).round().astype(np.uint16)
        rotation = dicom.item(
            StartAngle=dicom.ds(180),
            AngularStep=dicom.ds(9),
            ScanArc=dicom.ds(360),
            RotationDirection="CW",
            ActualFrameDuration=int(1000 * SECONDS),
            NumberOfFramesInRotation=VIEWS,
        )
        facts = {
            "PixelSpacing": [8, 8],
            "EnergyWindowVector": [1] * VIEWS + [2] * VIEWS,
            "DetectorVector": [1] * 2 * VIEWS,
            "RotationVector": [1] * 2 * VIEWS,
            "AngularViewVector": [*range(1, VIEWS + 1)] * 2,
            "RotationInformationSequence": [rotation],
            "DetectorInformationSequence": [camera.detector(StartAngle=dicom.ds(180), RadialPosition=[dicom.ds(150)])],
            "EnergyWindowInformationSequence": windows,
        }
        dicom.write(tmp_path / "scan", [camera.camera(stored, "TOMO", **(facts | tags))])
        np.savez(tmp_path / "mu.npz", mu=10 * mu_per_mm)
        return [str(tmp_path / "scan"), "--mu", str(tmp_path / "mu.npz"), "--out", str(tmp_path / "out")]

    return write


def image(tmp_path):
    import nibabel

    return np.asarray(nibabel.load(tmp_path / "out" / "image.nii.gz").dataobj)


@pytest.mark.parametrize("scatter", [0.0, 20.0])
def test_a_calibrated_acquisition_gives_the_activity_that_was_there(study, tmp_path, scatter):
    assert main(["reconstruct", *study(scatter), *OPTIONS, "--calibration", str(FACTOR)]) == 0
    # counts are stored as integers, and a cylinder's ends lose to the blur along its axis
    middle = image(tmp_path)[..., 2:4][INSIDE[..., 2:4]]
    assert middle.mean() == pytest.approx(KNOWN, rel=0.05)


def test_scatter_that_is_ignored_is_taken_for_activity(study, tmp_path):
    assert main(["reconstruct", *study(20.0), *OPTIONS, "--calibration", str(FACTOR), "--scatter", "none"]) == 0
    assert image(tmp_path)[INSIDE].mean() > 1.1 * KNOWN


def without_collimator():
    at = OPTIONS.index("--collimator")
    return [*OPTIONS[:at], *OPTIONS[at + 2 :]]


def test_widths_as_measured_do_what_the_collimator_of_these_widths_does(study, tmp_path):
    scan = study()

    def made(options):
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        assert main(["reconstruct", *scan, *options]) == 0
        return image(tmp_path).copy()

    named = made(OPTIONS)
    distances = np.arange(41.0)
    seen = collimator_response(collimator("Siemens Symbia ME"), 208.4, 3.8).sigma_mm(10 * distances) * FWHM_PER_SIGMA
    psf = {"distances_cm": distances.tolist(), "fwhm_cm": (seen / 10).tolist()}
    (tmp_path / "response.json").write_text(json.dumps({"psf": psf}))
    measured = [*without_collimator(), "--response", str(tmp_path / "response.json")]
    assert made(measured) == pytest.approx(named, rel=0.01, abs=0.01 * float(named.max()))
    # a third of the counts in a tail as wide as the body: what is left of them in place must be more
    (tmp_path / "response.json").write_text(json.dumps({"psf": psf | {"tail": {"fraction": 0.3, "a": 0, "b_cm": 4}}}))
    assert made(measured)[INSIDE].mean() > 1.05 * named[INSIDE].mean()


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ('{"psf": {"a": 0.03, "b_cm": 0.1}}', OPTIONS, "Two responses are given"),
        ('{"voxel_cm": 1}', None, "does not give the collimator's response"),
        ("not JSON", None, "cannot be read as JSON"),
    ],
)
def test_a_response_that_is_none_or_one_too_many_is_refused(study, tmp_path, capsys, text, options, said):
    (tmp_path / "response.json").write_text(text)
    given = ["--response", str(tmp_path / "response.json")]
    assert main(["reconstruct", *study(), *(options or without_collimator()), *given]) > 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("dropped", "added", "said"),
    [
        (("--photon-kev", "208.4"), [], "--photon-kev"),
        (("--photon-kev", "208.4"), ["--photon-kev", "140.5"], "No energy window holds the photon of 140.5 keV"),
        (("--collimator", "Siemens Symbia ME"), [], "--collimator"),
        ((), ["--scatter", "unknown"], "no scatter method"),
    ],
)
def test_what_the_object_does_not_say_must_be_given(study, capsys, dropped, added, said):
    options = [o for o in OPTIONS if o not in dropped]
    assert main(["reconstruct", *study(), *options, *added]) > 1
    assert said in capsys.readouterr().err


def test_missing_radial_positions_are_refused_and_can_be_given(study, capsys):
    arguments = study(DetectorInformationSequence=[camera.detector(StartAngle=dicom.ds(180))])
    assert main(["reconstruct", *arguments, *OPTIONS]) == 5
    assert "--radius-mm" in capsys.readouterr().err
    assert main(["reconstruct", *arguments, *OPTIONS, "--radius-mm", "150"]) == 0
