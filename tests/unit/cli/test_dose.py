"""``hevesy dose``: outputs whole, refusals in one line, nothing left behind."""

import errno
import json
import os
import shutil

import numpy as np
import pytest

from factories.dicom import change_all, write
from factories.therapy_case import LESION, ORGAN, scan, structures, write_case
from hevesy.cli import main
from hevesy.errors import STATUS

OUTPUTS = {
    "results.json",
    "regions.csv",
    "dose.nii.gz",
    "dose.json",
    "tia.nii.gz",
    "tia.json",
    "report.html",
    "report.pdf",
}
OUTPUTS |= {"rtdose.dcm", "seg.dcm", "rtstruct.dcm", "dose_report.dcm", "rwvm.dcm"}


def dose(folder, out, *more):
    return main(["dose", str(folder), "--out", str(out), *more])


def test_every_output_is_written_and_the_table_is_shown(tmp_path, capsys):
    out = tmp_path / "out"
    assert dose(write_case(tmp_path / "case"), out) == 0
    assert {p.name for p in out.iterdir()} == OUTPUTS
    shown = capsys.readouterr().out
    assert "lesion" in shown
    assert "organ" in shown
    assert "not a medical device" in shown
    assert "report.html" in shown


def empty(folder):
    folder.mkdir()


def text_named_dcm(folder):
    write_case(folder)
    (folder / "notes.dcm").write_text("not an image")


def truncated(folder):
    write_case(folder)
    file = folder / "scan1" / "0003.dcm"
    file.write_bytes(file.read_bytes()[:-700])


def slice_missing(folder):
    write_case(folder)
    (folder / "scan2" / "0010.dcm").unlink()


def two_patients(folder):
    write_case(folder)
    write(folder / "other", scan(4.0, 9, PatientID="P2", PatientName="Phantom^Two"))


def uncalibrated(folder):
    folder.mkdir()
    write(folder / "scan", scan(4.0, 1, Units="PROPCNTS"))


def no_radiopharmaceutical(folder):
    folder.mkdir()
    write(folder / "scan", scan(4.0, 1, RadiopharmaceuticalInformationSequence=None))


def before_injection(folder):
    write_case(folder, config="administration: {time: 2024-03-05T15:00:00}\n")


def region_on_one_scan_only(folder):
    write_case(folder, hours=(4.0, 24.0), drawn="none")
    for number, boxes in ((1, {"organ": ORGAN, "lesion": LESION}), (2, {"organ": ORGAN})):
        images = scan((4.0, 24.0)[number - 1], number)
        write(folder, [structures(images, number, **boxes)], f"rs{number}")


def region_outside(folder):
    write_case(folder, drawn="none")
    write(folder, [structures(scan(4.0, 1), 1, far=((30, 60), (10, 14), (2, 6)))], "rs")


def unknown_nuclide(folder):
    write_case(folder, config="nuclide: Lu-777\n")


def misspelt_key(folder):
    write_case(folder, config="registraton: none\n")


def unknown_region(folder):
    write_case(folder, config="regions: {kidney: {role: organ}}\n")


def region_called_whole_body(folder):
    write_case(folder, config="registration: none\nregions: {organ: {name: whole body}}\n")


def rising_faster_than_physics(folder):
    write_case(folder, hours=(4.0,))
    images = scan(24.0, 2)
    factor = 40 * float(images[0].RescaleSlope)
    write(
        folder / "scan2", [*change_all(images, RescaleSlope=factor), structures(images, 2, organ=ORGAN, lesion=LESION)]
    )


BAD = {
    empty: "holds no image",
    text_named_dcm: "notes.dcm",
    truncated: "truncated",
    slice_missing: "missing",
    two_patients: "2 patients",
    uncalibrated: "proportional to counts",
    no_radiopharmaceutical: "(0054,0016)",
    before_injection: "before the administration",
    region_on_one_scan_only: "'lesion' is not drawn on",
    region_outside: "far",
    unknown_nuclide: "Lu-777",
    misspelt_key: "Did you mean 'registration'",
    unknown_region: "kidney",
    region_called_whole_body: "Two regions are called 'whole body'",
    rising_faster_than_physics: "times what",
}


@pytest.mark.parametrize(("spoil", "message"), BAD.items(), ids=lambda v: getattr(v, "__name__", ""))
def test_bad_input_is_refused_in_one_line_and_leaves_nothing(tmp_path, capsys, spoil, message):
    spoil(tmp_path / "case")
    code = dose(tmp_path / "case", tmp_path / "deep" / "out")
    shown = capsys.readouterr()
    assert code in {status for status, _ in STATUS.values()}
    assert message in shown.err
    assert shown.err.count("\n") == 1
    assert "Traceback" not in shown.err
    assert not (tmp_path / "deep").exists()


def test_the_traceback_is_shown_when_asked_for(tmp_path, capsys):
    empty(tmp_path / "case")
    assert dose(tmp_path / "case", tmp_path / "out", "--debug") != 0
    assert "Traceback" in capsys.readouterr().err


def test_an_unknown_engine_is_refused_with_those_that_exist(tmp_path, capsys):
    assert dose(write_case(tmp_path / "case"), tmp_path / "out", "--engine", "magic") != 0
    assert "local" in capsys.readouterr().err


def test_other_engines_are_set_beside_the_chosen_one(tmp_path, capsys):
    case = write_case(tmp_path / "case", hours=(4.0, 24.0, 96.0))
    assert dose(case, tmp_path / "out", "--compare", "vsv") == 0
    assert "vsv" in capsys.readouterr().out
    record = json.loads((tmp_path / "out" / "results.json").read_text())
    (beside,) = record["comparisons"]
    assert beside["engine"] == "vsv"
    for region, other in zip(record["regions"], beside["absorbed_dose_Gy"], strict=True):
        # photons add, electrons leave at the edge: a tenth at most in regions of centimetres, and never nothing
        ratio = other["value"] / region["absorbed_dose_Gy"]["value"]
        assert ratio == pytest.approx(1, abs=0.1)
        assert ratio != 1
    assert "Appendix: engines side by side" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_an_unknown_engine_to_compare_is_refused_before_any_work(tmp_path, capsys):
    assert dose(tmp_path / "nowhere", tmp_path / "out", "--compare", "magic") != 0
    assert "'magic'" in capsys.readouterr().err


def test_a_full_disk_leaves_nothing_behind(tmp_path, capsys, monkeypatch):
    folder = write_case(tmp_path / "case")

    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("hevesy.workflows.publication.nifti.write", full)
    assert dose(folder, tmp_path / "out") == STATUS_OF_OUTPUT
    assert "No space left" in capsys.readouterr().err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["case"]


STATUS_OF_OUTPUT = next(code for kind, (code, _) in STATUS.items() if kind.__name__ == "OutputFailed")


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("mount"), reason="mounting a small disk needs root")
def test_a_disk_that_is_really_full_leaves_nothing_behind(tmp_path, capsys):
    folder = write_case(tmp_path / "case")
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.system(f"mount -t tmpfs -o size=64k tmpfs {disk}"):
        pytest.skip("a small disk cannot be mounted here")
    try:
        assert dose(folder, disk / "out") == STATUS_OF_OUTPUT
        assert "No space left" in capsys.readouterr().err
        assert list(disk.iterdir()) == []
    finally:
        os.system(f"umount {disk}")


def test_a_scan_lost_in_registration_is_refused(tmp_path, capsys):
    folder = write_case(tmp_path / "case", hours=(4.0, 24.0), config="registration: rigid\n")
    for file in sorted((folder / "scan2").glob("0*.dcm")):
        file.unlink()
    empty_scan = scan(24.0, 2)
    for one in empty_scan:
        noise = np.random.default_rng(int(one.InstanceNumber)).integers(0, 3, (one.Rows, one.Columns))
        one.PixelData = noise.astype("<u2").tobytes()
    write(folder / "scan2", empty_scan)
    assert dose(folder, tmp_path / "out") != 0
    assert "registration: none" in capsys.readouterr().err
