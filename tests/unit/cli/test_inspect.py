"""`hevesy inspect` lists what a folder holds and what a dose still needs."""

import json

import numpy as np

from factories import dicom
from hevesy.cli import main

STORED = np.full((3, 4, 4), 1000, np.uint16)


def test_a_series_is_listed_with_size_unit_times_and_administration(tmp_path, capsys):
    dicom.write(tmp_path, dicom.pet(STORED))
    (tmp_path / "README").write_text("words")
    assert main(["inspect", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "1. PET: PT test (PT, 3 files)" in said
    assert "4×4×3 voxels of 4×4×3 mm, Bq/mL" in said
    assert "2024-03-05T10:00:00, 600 s, decay-corrected to 2024-03-05T10:00:00" in said
    assert "F-18 370 MBq at 2024-03-05T09:00:00" in said
    assert "Passed over: README" in said


def test_what_is_missing_for_a_dose_is_named(tmp_path, capsys):
    dicom.write(tmp_path, dicom.pet(STORED, Units="PROPCNTS"))
    assert main(["inspect", str(tmp_path), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert any("Bq_mL_per_unit" in item for item in facts["missing_for_dose"])
    assert facts["series"][0]["unit"] == "a.u."


def test_damaged_files_are_listed_beside_sound_ones(tmp_path, capsys):
    dicom.write(tmp_path, dicom.pet(STORED))
    (tmp_path / "words.dcm").write_text("words")
    assert main(["inspect", str(tmp_path)]) == 0
    assert "words.dcm is named like DICOM and is not" in " ".join(capsys.readouterr().out.split())


def test_two_patients_are_said_to_be_mixed(tmp_path, capsys):
    dicom.write(tmp_path / "a", dicom.pet(STORED))
    dicom.write(tmp_path / "b", dicom.pet(STORED, PatientID="P2"))
    assert main(["inspect", str(tmp_path)]) == 0
    assert "2 patients (P1, P2)" in " ".join(capsys.readouterr().out.split())


def test_an_empty_folder_is_refused_in_one_line(tmp_path, capsys):
    assert main(["inspect", str(tmp_path)]) == 3
    assert capsys.readouterr().err.count("\n") == 1


def test_an_uncorrected_scan_is_said_to_be_so(tmp_path, capsys):
    dicom.write(tmp_path, dicom.pet(STORED, DecayCorrection="NONE", CorrectedImage=["ATTN"]))
    assert main(["inspect", str(tmp_path)]) == 0
    assert "600 s, not decay-corrected" in capsys.readouterr().out
