"""What a dose computation leaves behind: sound DICOM of one study, and the same bytes whenever it is made again."""

import subprocess
import sys
from dataclasses import replace
from datetime import datetime

import numpy as np
import pydicom
import pytest

from factories.case_result import case_result
from factories.therapy_case import INJECTED, write_case
from hevesy.cli import main
from hevesy.core import Quantity
from hevesy.stages.imaging import dose_report, real_world_value_object
from hevesy.stages.imaging.dose_report import Estimate
from hevesy.stages.imaging.folder import read_folder
from hevesy.stages.imaging.pet import read_pet
from hevesy.stages.imaging.series import Kind
from hevesy.stages.imaging.suv import read_suv
from hevesy.workflows.publication import dose_table, last_scan_end

DICOM = ("rtdose.dcm", "seg.dcm", "rtstruct.dcm", "dose_report.dcm", "rwvm.dcm")


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return write_case(tmp_path_factory.mktemp("case") / "case", hours=(4.0, 24.0, 96.0))


@pytest.fixture(scope="module")
def made(case, tmp_path_factory):
    """Return the outputs of two runs, one of them in a process of its own with another seed of hashing."""
    folder = tmp_path_factory.mktemp("out")
    assert main(["dose", str(case), "--out", str(folder / "a"), "--compare", "vsv"]) == 0
    command = [sys.executable, "-m", "hevesy", "dose", str(case), "--out", str(folder / "b"), "--compare", "vsv"]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def test_a_case_computed_again_gives_the_same_bytes_in_every_file(made):
    files = sorted(path.name for path in (made / "a").iterdir())
    assert {*DICOM, "results.json", "report.html"} < set(files)
    assert files == sorted(path.name for path in (made / "b").iterdir())
    assert [name for name in files if (made / "a" / name).read_bytes() != (made / "b" / name).read_bytes()] == []


def test_the_objects_belong_to_the_patient_study_and_frame_of_the_images_and_the_validator_finds_no_error(
    made, case, faults
):
    source = pydicom.dcmread(next((case / "scan1").glob("0*.dcm")))
    for name in DICOM:
        one = pydicom.dcmread(made / "a" / name)
        assert faults(made / "a" / name) == []
        assert (one.StudyInstanceUID, one.PatientID) == (source.StudyInstanceUID, source.PatientID)
        assert (one.ManufacturerModelName, one.ContentQualification) == ("Hevesy", "RESEARCH")
        assert b"not a medical device" in (made / "a" / name).read_bytes()
        if name not in ("dose_report.dcm", "rwvm.dcm"):  # which lie nowhere
            assert one.FrameOfReferenceUID == source.FrameOfReferenceUID


def test_dicom_objects_are_dated_by_the_case_or_by_the_end_of_its_last_scan(made, case, tmp_path):
    # the last scan begins 96 h after the injection on 5 March at 9:00 and lasts 1200 s
    assert pydicom.dcmread(made / "a/rtdose.dcm").ContentDate == "20240309"
    assert pydicom.dcmread(made / "a/rtdose.dcm").ContentTime == "092000"
    stated = tmp_path / "case.yaml"
    stated.write_text((case / "case.yaml").read_text() + "created: 2024-04-01T12:00:00\nengine: vsv\n")
    assert main(["dose", str(case), "--out", str(tmp_path / "c"), "--config", str(stated)]) == 0
    assert pydicom.dcmread(tmp_path / "c/seg.dcm").ContentDate == "20240401"
    assert '"created": "2024-04-01T12:00:00"' in (tmp_path / "c/results.json").read_text()
    assert '"engine": "vsv"' in (tmp_path / "c/results.json").read_text()


def test_what_was_written_is_read_again_as_structures_dose_and_table(made):
    folder = read_folder(made / "a")
    assert {s.kind for s in folder.series} >= {Kind.RTDOSE, Kind.SEG, Kind.RTSTRUCT}
    table = dose_report.read(made / "a/dose_report.dcm")
    assert [region.name for region in table.regions] == ["organ", "lesion"]
    assert table.given_at == INJECTED


def test_real_world_values_give_every_scan_as_it_was_read(made, case):
    values = real_world_value_object.read(made / "a/rwvm.dcm")
    scans = [one for one in read_folder(case).series if one.kind is Kind.SPECT]
    assert len(scans) == 3
    for scan in scans:
        (again,) = read_pet(real_world_value_object.apply(values, scan.headers), scan.files, scan.name)
        np.testing.assert_allclose(again.values, scan.image().values, rtol=1e-6)
        heads = real_world_value_object.apply(values, scan.headers, Quantity.STANDARDISED_UPTAKE)
        (uptake,) = read_pet(heads, scan.files, scan.name)
        np.testing.assert_allclose(uptake.values, read_suv(scan)[0].values, rtol=1e-4)  # half-life to 4 figures there


def test_the_table_of_a_report_says_the_numbers_of_the_case():
    result = case_result()
    found = dose_table(result, cycle=3, cumulative={"Left kidney": Estimate(11.0, 0.9, (9.2, 12.8))})
    lesion, kidney = found.regions
    assert lesion.dose_Gy == Estimate(
        result.regions[0].dose.value, result.regions[0].dose.u, result.regions[0].dose_interval95
    )
    # 1% of 7400 MBq with an effective half-life of 96 h: 74 MBq × 96 h / ln 2
    assert lesion.tia_MBq_h.value == pytest.approx(74 * 96 / 0.693147180559945)
    assert found.given_MBq == Estimate(pytest.approx(7400.0), pytest.approx(150.0))
    assert (found.cycle, kidney.cumulative_Gy.value, lesion.cumulative_Gy) == (3, 11.0, None)
    assert "Photons are left out." in found.method


def test_the_last_scan_is_the_latest_to_end_and_not_the_last_of_the_list():
    result = case_result(times_h=(4.0, 24.0, 96.0))
    turned = replace(result, time_points=result.time_points[::-1])
    # mid-scan at 96 h after 9:30 on 4 March, and 1500 s long
    assert last_scan_end(turned) == last_scan_end(result) == datetime(2024, 3, 8, 9, 42, 30)
