from pathlib import Path

import numpy as np
import pydicom
import pytest

from hevesy.core import Grid, Image, Quantity
from hevesy.errors import BadInput, GridMismatch, MissingInformation, UnreadableFile, UnsupportedObject, WrongQuantity
from hevesy.stages.imaging import rtdose

DICOM = Path(__file__).parents[5] / "shared" / "reference" / "dicom"


@pytest.fixture
def dose(oblique):
    values = np.random.default_rng(4).gamma(2.0, 7.0, oblique.shape)
    values[0, 0, 0] = 0
    return Image(values.astype(np.float32), oblique, Quantity.ABSORBED_DOSE)


def test_a_dose_written_comes_back_where_it_was_within_half_a_step(dose, headers, made_at, tmp_path):
    rtdose.write(dose, headers, tmp_path / "d.dcm", made_at)
    back = rtdose.read(tmp_path / "d.dcm")
    half = dose.values.max() / 65535 / 2
    np.testing.assert_allclose(back.values, dose.values, rtol=0, atol=half * 1.001)
    assert back.grid.matches(dose.grid)
    assert back.quantity is Quantity.ABSORBED_DOSE


def test_the_validator_finds_no_error(dose, headers, made_at, tmp_path, faults):
    rtdose.write(dose, headers, tmp_path / "d.dcm", made_at)
    assert faults(tmp_path / "d.dcm") == []


def test_it_is_filed_with_the_source_and_says_what_it_is(dose, headers, made_at, tmp_path):
    rtdose.write(dose, headers, tmp_path / "d.dcm", made_at)
    d = pydicom.dcmread(tmp_path / "d.dcm")
    for name in ("PatientID", "PatientName", "StudyInstanceUID", "StudyDate", "FrameOfReferenceUID"):
        assert d[name].value == headers[0][name].value
    assert d.SeriesInstanceUID != headers[0].SeriesInstanceUID
    assert (d.DoseUnits, d.DoseType, d.DoseSummationType) == ("GY", "PHYSICAL", "PLAN")
    assert (d.ContentDate, d.ContentTime, d.BitsAllocated) == ("20260102", "030405", 16)


def test_no_decimal_string_is_longer_than_sixteen_characters(dose, headers, made_at, tmp_path):
    rtdose.write(dose, headers, tmp_path / "d.dcm", made_at)
    d = pydicom.dcmread(tmp_path / "d.dcm")
    texts = [str(v) for e in d if e.VR == "DS" for v in (e.value if e.VM > 1 else [e.value])]
    assert len(texts) > 20
    assert max(map(len, texts)) <= 16


def test_the_same_dose_made_at_the_same_time_gives_the_same_bytes(dose, headers, made_at, tmp_path):
    for name in "ab":
        rtdose.write(dose, headers, tmp_path / name, made_at)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    rtdose.write(dose.with_values(dose.values * 0.5), headers, tmp_path / "c", made_at)
    a, c = (pydicom.dcmread(tmp_path / name) for name in "ac")
    assert a.SOPInstanceUID != c.SOPInstanceUID


def test_a_grid_whose_slices_run_backwards_keeps_every_dose_in_its_place(headers, made_at, tmp_path):
    grid = Grid((4, 3, 5), np.diag((2.0, 2.0, -3.0, 1.0)), frame_of_reference=str(headers[0].FrameOfReferenceUID))
    dose = Image(np.arange(60.0).reshape(4, 3, 5), grid, Quantity.ABSORBED_DOSE)
    rtdose.write(dose, headers, tmp_path / "d.dcm", made_at)
    back = rtdose.read(tmp_path / "d.dcm")
    for index in ((0, 0, 0), (3, 1, 4), (2, 2, 1)):
        there = tuple(np.rint(back.grid.to_index(grid.to_mm(index))).astype(int))
        assert back.values[there] == pytest.approx(dose.values[index], abs=59 / 65535)


def test_a_biologically_effective_dose_is_called_effective(dose, headers, made_at, tmp_path, faults):
    bed = dose.with_values(dose.values, Quantity.BIOLOGICALLY_EFFECTIVE_DOSE)
    rtdose.write(bed, headers, tmp_path / "d.dcm", made_at)
    assert rtdose.read(tmp_path / "d.dcm").quantity is Quantity.BIOLOGICALLY_EFFECTIVE_DOSE
    assert faults(tmp_path / "d.dcm") == []


def test_a_dose_of_zero_everywhere_can_be_written(dose, headers, made_at, tmp_path):
    rtdose.write(dose.with_values(np.zeros(dose.grid.shape)), headers, tmp_path / "d.dcm", made_at)
    assert not rtdose.read(tmp_path / "d.dcm").values.any()


def test_what_is_no_dose_is_refused(dose, headers, made_at, tmp_path):
    with pytest.raises(WrongQuantity, match="Expected an image of absorbed dose"):
        rtdose.write(dose.with_values(dose.values, Quantity.COUNTS), headers, tmp_path / "d.dcm", made_at)
    with pytest.raises(BadInput, match="below zero"):
        rtdose.write(dose.with_values(dose.values - 1), headers, tmp_path / "d.dcm", made_at)
    assert list(tmp_path.iterdir()) == []


def test_a_source_in_another_frame_or_of_no_study_is_refused(dose, headers, made_at, tmp_path):
    del headers[0].StudyInstanceUID
    with pytest.raises(MissingInformation, match="no study"):
        rtdose.write(dose, headers, tmp_path / "d.dcm", made_at)
    headers[1].FrameOfReferenceUID = "9.9"
    with pytest.raises(GridMismatch, match="another frame of reference"):
        rtdose.write(dose, headers[1:], tmp_path / "d.dcm", made_at)


def test_a_skewed_grid_is_refused(dose, headers, made_at, tmp_path):
    affine = np.array(dose.grid.affine)
    affine[:3, 2] += 0.1 * affine[:3, 0]
    skewed = Image(dose.values, Grid(dose.grid.shape, affine), Quantity.ABSORBED_DOSE)
    with pytest.raises(UnsupportedObject, match="skewed"):
        rtdose.write(skewed, headers, tmp_path / "d.dcm", made_at)


def test_frame_offsets_may_be_positions(dose, headers, made_at, tmp_path):
    rtdose.write(dose, headers, tmp_path / "d.dcm", made_at)
    d = pydicom.dcmread(tmp_path / "d.dcm")
    d.GridFrameOffsetVector = [float(v) + 100 for v in d.GridFrameOffsetVector]
    assert rtdose.read(d).grid.matches(dose.grid)


def test_uneven_frames_and_a_missing_scaling_are_refused(dose, headers, made_at, tmp_path):
    rtdose.write(dose, headers, tmp_path / "d.dcm", made_at)
    d = pydicom.dcmread(tmp_path / "d.dcm")
    d.GridFrameOffsetVector[3] = 11.0
    with pytest.raises(UnsupportedObject, match="not evenly spaced"):
        rtdose.read(d)
    del d.DoseGridScaling
    with pytest.raises(MissingInformation, match="DoseGridScaling"):
        rtdose.read(d)


def test_a_text_file_is_refused(tmp_path):
    (tmp_path / "letter.dcm").write_text("Dear colleague, " * 50)
    with pytest.raises(UnreadableFile, match="cannot be read as DICOM"):
        rtdose.read(tmp_path / "letter.dcm")


@pytest.mark.skipif(not DICOM.exists(), reason="needs the shared reference data")
def test_a_relative_dose_is_refused():
    with pytest.raises(WrongQuantity, match="PHYSICAL in RELATIVE"):
        rtdose.read(DICOM / "rtdose.dcm")
