"""A case without DICOM: NIfTI with sidecars gives a dose map, and no DICOM objects."""

import json

import pytest

from factories.dicom import write
from factories.therapy_case import INJECTED, scan, true_tia_Bq_s, write_case
from hevesy.cli import main
from hevesy.stages.imaging import nifti
from hevesy.stages.imaging.folder import read_folder


@pytest.fixture
def case(tmp_path):
    folder = tmp_path / "case"
    folder.mkdir()
    for number, hours in enumerate((4.0, 48.0, 120.0), start=1):
        series = read_folder(write(tmp_path / f"dicom{number}", scan(hours, number))).series[0]
        image = series.image()
        nifti.write(image, folder / f"scan{number}.nii.gz")
    (folder / "case.yaml").write_text(
        f"nuclide: Lu-177\nregistration: none\nadministration: {{time: {INJECTED.isoformat()}, activity_MBq: 7400}}\n"
    )
    return folder


def test_a_nifti_case_gives_a_dose_map_and_says_that_nothing_was_drawn(case, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["dose", str(case), "--out", str(out)]) == 0, capsys.readouterr().err
    assert {p.name for p in out.iterdir()} == {
        "results.json",
        "regions.csv",
        "dose.nii.gz",
        "tia.nii.gz",
        "dose.json",
        "tia.json",
        "report.html",
        "report.pdf",
    }
    record = json.loads((out / "results.json").read_text())
    assert any("No regions were drawn" in warning for warning in record["warnings"])
    assert any("no DICOM RTDOSE" in warning for warning in record["warnings"])
    # the body holds the organ, the lesion and its background
    assert record["whole_body"]["tia_MBq_h"]["value"] * 3.6e9 > true_tia_Bq_s("organ") + true_tia_Bq_s("lesion")


def test_a_dicom_case_does_not_say_so(tmp_path):
    folder = write_case(tmp_path / "case", hours=(4.0, 48.0, 120.0))
    assert main(["dose", str(folder), "--out", str(tmp_path / "out")]) == 0
    record = json.loads((tmp_path / "out" / "results.json").read_text())
    assert not any("no DICOM RTDOSE" in warning for warning in record["warnings"])
