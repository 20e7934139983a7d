"""Gamma camera objects written are read back with every count, angle, radius, window and time."""

import shutil
import subprocess
from datetime import datetime
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from hevesy.core import Administration, EnergyWindow, Measured, Patient, PlanarView, Projections, Timing
from hevesy.core.placement import Placement
from hevesy.errors import GridMismatch, MissingInformation, UnsupportedObject
from hevesy.stages.imaging.administration import injected
from hevesy.stages.imaging.camera_writer import Session, planar, tomographic
from hevesy.stages.imaging.derived import save
from hevesy.stages.imaging.planar_views import read_planar
from hevesy.stages.imaging.spect_projections import read_projections

START = datetime(2024, 3, 6, 9, 30)
GIVEN = datetime(2024, 3, 5, 9, 30)
PEAK, LOWER = EnergyWindow(((187.2, 228.8),), "peak"), EnergyWindow(((166.4, 187.2),), "lower")


@pytest.fixture
def session() -> Session:
    given = Administration("Lu-177", GIVEN, Measured(7.4e9, 0.0, "Bq"), "Lu-177 DOTATATE")
    return Session(Patient("SIM1", "F", None, 60.0, 1.65), given, "SPECT 24 h", "1.2.3.5")


def _projections(window: EnergyWindow, seed: int, heads: int = 2, views: int = 12) -> Projections:
    counts = np.random.default_rng(seed).poisson(7.0, (views, 5, 7))
    angles = 180 + 360 / views * np.arange(views)
    return Projections(
        counts,
        angles % 360,
        (4.7952, 4.5),
        200 + np.arange(views) / 3,
        np.repeat(np.arange(heads) + 1, views // heads),
        np.full(views, 20.0),
        window,
        Timing(START, 20.0 * views / heads),
        "1.2.3.5",
        Placement((5.0, -10.0, 30.0)),
    )


def _saved(made: Dataset, folder: Path) -> tuple[Dataset, Path]:
    path = folder / "object.dcm"
    save(made, path)
    return pydicom.dcmread(path, stop_before_pixels=True), path


def _require_valid(path: Path) -> None:
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy is not installed (see tools/system-packages)")
    told = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False)
    assert "Error" not in told.stderr + told.stdout, told.stderr + told.stdout


@pytest.mark.parametrize("heads", [1, 2, 3])
def test_projections_are_read_back_as_they_were(session: Session, tmp_path: Path, heads: int) -> None:
    written = [_projections(PEAK, 1, heads), _projections(LOWER, 2, heads)]
    head, path = _saved(tomographic(written, session), tmp_path)
    found = read_projections(head, path, "it")
    assert len(found) == 2
    for one, two in zip(written, found, strict=True):
        np.testing.assert_array_equal(one.counts, two.counts)
        np.testing.assert_allclose(one.angles_deg, two.angles_deg, atol=1e-9)
        np.testing.assert_allclose(one.radii_mm, two.radii_mm, atol=1e-9)  # type: ignore[arg-type]
        np.testing.assert_array_equal(one.detectors, two.detectors)  # type: ignore[arg-type]
        np.testing.assert_array_equal(one.durations_s, two.durations_s)  # type: ignore[arg-type]
        assert (one.pixel_mm, one.window) == (two.pixel_mm, two.window)
        assert two.timing is not None
        assert two.timing.start == START
        assert two.frame_of_reference == "1.2.3.5"
        assert two.placement.axis_mm == pytest.approx((5.0, -10.0, 30.0), abs=1e-6)
        assert two.placement.rows_to_feet


def test_the_administration_is_read_back(session: Session, tmp_path: Path) -> None:
    head, _ = _saved(tomographic([_projections(PEAK, 1)], session), tmp_path)
    found = injected(head, START)
    assert (found.nuclide, found.time, found.activity_Bq) == ("Lu-177", GIVEN, 7.4e9)
    assert found.radiopharmaceutical == "Lu-177 DOTATATE"


def test_the_first_view_lies_where_its_detector_stood(session: Session, tmp_path: Path) -> None:
    head, _ = _saved(tomographic([_projections(PEAK, 1)], session), tmp_path)
    anterior = head.DetectorInformationSequence[0]  # at 180 degrees: bins run to the patient's left, rows to the feet
    np.testing.assert_allclose(anterior.ImageOrientationPatient, [1, 0, 0, 0, 0, -1], atol=1e-12)
    np.testing.assert_allclose(anterior.ImagePositionPatient, [5.0 - 3 * 4.5, -10.0 - 200.0, 30.0], atol=1e-9)


@pytest.mark.parametrize("whole_body", [False, True])
def test_planar_views_are_read_back_as_they_were(session: Session, tmp_path: Path, whole_body: bool) -> None:
    random = np.random.default_rng(5)
    timing = Timing(START, 900.0)
    written = [
        PlanarView(random.poisson(9.0, (20, 8)), (4.0, 5.0), number, window, timing, view)
        for window in (PEAK, LOWER)
        for number, view in ((1, "anterior"), (2, "posterior"))
    ]
    head, path = _saved(planar(written, session, whole_body), tmp_path)
    assert head.ImageType[2] == ("WHOLE BODY" if whole_body else "STATIC")
    for one, two in zip(written, read_planar(head, path, "it"), strict=True):
        np.testing.assert_array_equal(one.counts, two.counts)
        assert (one.pixel_mm, one.detector, one.window, one.view) == (two.pixel_mm, two.detector, two.window, two.view)
        assert two.timing == timing
    _require_valid(path)


def test_projections_are_valid_dicom(session: Session, tmp_path: Path) -> None:
    _, path = _saved(tomographic([_projections(PEAK, 1), _projections(LOWER, 2)], session), tmp_path)
    _require_valid(path)


def test_what_a_tomographic_object_cannot_hold_is_refused(session: Session) -> None:
    good = _projections(PEAK, 1)

    def changed(**change: object) -> Projections:
        facts = {name: getattr(good, name) for name in good.__slots__} | change
        return Projections(**facts)  # type: ignore[arg-type]

    with pytest.raises(UnsupportedObject, match="whole numbers"):
        tomographic([changed(counts=good.counts + 0.5)], session)
    with pytest.raises(UnsupportedObject, match="uneven"):
        tomographic([changed(angles_deg=good.angles_deg**1.01 % 360)], session)
    with pytest.raises(MissingInformation, match="radii"):
        tomographic([changed(radii_mm=None)], session)
    with pytest.raises(GridMismatch, match="same views"):
        tomographic([good, changed(angles_deg=good.angles_deg[::-1])], session)
