"""A folder is sorted into series from headers; what cannot be read is named."""

import numpy as np
import pytest
from pydicom.filewriter import dcmwrite

from factories import dicom
from hevesy.errors import EmptyInput, MixedPatients, UnreadableFile
from hevesy.stages.imaging.folder import read_folder
from hevesy.stages.imaging.series import Kind

STORED = np.arange(3 * 4 * 5).reshape(3, 4, 5).astype(np.uint16)


def test_nested_and_mixed_series_are_told_apart(tmp_path):
    dicom.write(tmp_path / "a" / "deep" / "er", dicom.pet(STORED), "x")
    dicom.write(tmp_path / "a", dicom.ct(STORED.astype(np.int16)))
    dicom.write(tmp_path / "a" / "deep" / "er", dicom.pet(STORED, SeriesInstanceUID="1.2.9", SeriesTime="120000"), "y")
    folder = read_folder(tmp_path)
    assert sorted(s.kind.value for s in folder.series) == ["CT", "PET", "PET"]
    assert [len(s.files) for s in folder.series] == [3, 3, 3]
    assert folder.patient.mass_kg == 60


def test_a_localizer_in_a_ct_series_does_not_spoil_it(tmp_path):
    scout = dicom.ct(STORED[:1].astype(np.int16), ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    dicom.write(tmp_path, dicom.ct(STORED.astype(np.int16)))
    dicom.write(tmp_path, scout, "scout")
    assert sorted(len(s.files) for s in read_folder(tmp_path).of_kind(Kind.CT)) == [1, 3]


def test_spect_stored_as_pet_is_known_by_its_collimator(tmp_path):
    dicom.write(tmp_path, dicom.pet(STORED, CollimatorType="PARA"))
    assert read_folder(tmp_path).series[0].kind is Kind.SPECT


def test_files_that_are_no_images_are_passed_over_and_listed(tmp_path):
    dicom.write(tmp_path, dicom.pet(STORED))
    for name in ("LICENSE.txt", "README", "case.yaml", "notes.json"):
        (tmp_path / name).write_text("words\n")
    (tmp_path / ".hidden.dcm").write_text("words\n")
    folder = read_folder(tmp_path)
    assert sorted(f.name for f in folder.passed_over) == ["LICENSE.txt", "README", "case.yaml", "notes.json"]
    assert len(folder.series) == 1


def test_an_object_without_preamble_is_read(tmp_path):
    for number, made in enumerate(dicom.pet(STORED)):
        made.preamble = None
        del made.file_meta
        dcmwrite(tmp_path / str(number), made, implicit_vr=True, little_endian=True)
    assert read_folder(tmp_path).series[0].image().values[1, 2, 0] == STORED[0, 2, 1]


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(EmptyInput, match="holds no image"):
        read_folder(tmp_path)


def test_a_folder_of_text_alone_is_refused_as_empty(tmp_path):
    (tmp_path / "README").write_text("words")
    with pytest.raises(EmptyInput, match="1 file passed over"):
        read_folder(tmp_path)


def test_a_folder_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(EmptyInput, match="no folder"):
        read_folder(tmp_path / "nowhere")


@pytest.mark.parametrize("content", [b"", b"these are words, and many of them\n" * 20])
def test_a_text_file_named_dcm_is_refused(tmp_path, content):
    dicom.write(tmp_path, dicom.pet(STORED))
    (tmp_path / "words.dcm").write_bytes(content)
    with pytest.raises(UnreadableFile, match=r"words\.dcm is named like DICOM and is not"):
        read_folder(tmp_path)


@pytest.mark.parametrize("left", [0.3, 0.6, 0.97, 0.999])
def test_a_truncated_file_is_refused_wherever_it_ends(tmp_path, left):
    dicom.write(tmp_path, dicom.pet(STORED))
    victim = tmp_path / "0001.dcm"
    whole = victim.read_bytes()
    victim.write_bytes(whole[: int(left * len(whole))])
    with pytest.raises(UnreadableFile, match=r"0001\.dcm"):
        read_folder(tmp_path)


def test_a_truncated_compressed_file_is_refused(tmp_path):
    objects = dicom.pet(np.random.default_rng(0).integers(0, 9999, (2, 64, 64)).astype(np.uint16))
    for one in objects:
        one.compress("1.2.840.10008.1.2.5")
    dicom.write(tmp_path, objects)
    victim = tmp_path / "0001.dcm"
    victim.write_bytes(victim.read_bytes()[:-100])
    with pytest.raises(UnreadableFile, match="compressed pixels have no end"):
        read_folder(tmp_path)


def test_a_tolerant_reading_lists_what_is_damaged(tmp_path):
    dicom.write(tmp_path, dicom.pet(STORED))
    (tmp_path / "words.dcm").write_text("words")
    folder = read_folder(tmp_path, tolerant=True)
    assert [type(p) for p in folder.problems] == [UnreadableFile]
    assert len(folder.series) == 1


def test_two_patients_are_refused_by_name(tmp_path):
    dicom.write(tmp_path / "a", dicom.pet(STORED))
    dicom.write(tmp_path / "b", dicom.pet(STORED, PatientID="P2"))
    folder = read_folder(tmp_path)
    assert len(folder.series) == 2
    with pytest.raises(MixedPatients, match="P1, P2"):
        _ = folder.patient


def test_reading_a_folder_decodes_no_pixels(tmp_path, monkeypatch):
    dicom.write(tmp_path, dicom.pet(STORED))
    monkeypatch.setattr("hevesy.stages.imaging.volume.stored_pixels", lambda path: pytest.fail("pixels were read"))
    assert read_folder(tmp_path).series[0].start.hour == 10


def test_progress_counts_every_file(tmp_path):
    dicom.write(tmp_path, dicom.pet(STORED))
    calls = []
    read_folder(tmp_path, lambda done, total: calls.append((done, total)))
    assert calls == [(1, 3), (2, 3), (3, 3)]
