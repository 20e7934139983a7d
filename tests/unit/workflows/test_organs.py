"""Organs of a case found by another program: on the right voxels of any grid, and marked until a person confirms them.

The program is a double of TotalSegmentator with its documented command line; it takes what is dense in the CT for the
liver, and writes it on a grid whose axes are turned and flipped, as a program may.
"""

import os
import stat
import sys
from datetime import datetime

import numpy as np
import pytest

from factories.dicom import ct, write
from factories.therapy_case import LESION, ORGAN, ORIGIN_MM, SHAPE, VOXEL_MM, scan, structures, voxels, write_case
from hevesy.core import Administration, Grid, Image, Patient, Quantity, Timing
from hevesy.data.nuclides import nuclide
from hevesy.errors import BadConfiguration, MissingInformation, UnknownName
from hevesy.stages.imaging.segmentation_object import read_segments
from hevesy.workflows.case import Case, load_case
from hevesy.workflows.check import check_case
from hevesy.workflows.curves import measure_curves
from hevesy.workflows.organ_request import Asked
from hevesy.workflows.organs import find, segment_case, write_organs
from hevesy.workflows.scans import Course, Scan

DOUBLE = f"""#!{sys.executable}
import pathlib, sys
import nibabel, numpy as np
source = nibabel.load(sys.argv[sys.argv.index("-i") + 1])
out = pathlib.Path(sys.argv[sys.argv.index("-o") + 1]); out.mkdir()
dense = (np.asarray(source.dataobj) > 200).astype(np.uint8).transpose(1, 0, 2)[::-1]
turn = np.zeros((4, 4)); turn[0, 1] = turn[2, 2] = turn[3, 3] = 1; turn[1, 0] = -1; turn[1, 3] = dense.shape[0] - 1
for name in ("liver", "spleen"):
    mask = dense if name == "liver" else 0 * dense
    nibabel.save(nibabel.Nifti1Image(mask, source.affine @ turn), out / f"{{name}}.nii.gz")
"""
START = datetime(2024, 3, 5, 13)
BY = "by: totalsegmentator"


@pytest.fixture
def double(tmp_path, monkeypatch):
    folder = tmp_path / "bin"
    folder.mkdir()
    (tmp_path / "weights" / "Dataset297_model").mkdir(parents=True)
    program = folder / "TotalSegmentator"
    program.write_text(DOUBLE)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("TOTALSEG_WEIGHTS_PATH", str(tmp_path / "weights"))


def ball(grid, centre_mm, radius_mm):
    places = grid.to_mm(np.moveaxis(np.indices(grid.shape), 0, -1))
    return ((places - centre_mm) ** 2).sum(axis=-1) < radius_mm**2


def course_of(anatomy, activity):
    present = Image(activity.values, activity.grid, activity.quantity, Timing(START, 60.0))
    given = Administration("Lu-177", START)
    return Course(Patient("x"), nuclide("Lu-177"), given, (Scan("Day 1", None, present, 3600.0),), anatomy, None, ())


def test_masks_lie_right_whatever_the_axes_of_ct_and_scan(double):
    centre, radius = np.array([12.0, -7.0, 31.0]), 22.0
    a, b = np.deg2rad((17, -11))
    tilt = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    tilt = tilt @ np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    affine = np.eye(4)
    affine[:3, :3] = tilt @ np.diag([2.0, -2.0, 3.0])  # a left-handed, oblique CT
    affine[:3, 3] = centre - affine[:3, :3] @ (25, 30, 20)
    fine = Grid((60, 64, 44), affine, "1.2")
    anatomy = Image(np.where(ball(fine, centre, radius), 400, 40).astype(np.int16), fine, Quantity.HOUNSFIELD)
    coarse = np.diag([-4.0, 4.0, -5.0, 1.0])
    coarse[:3, 3] = centre - coarse[:3, :3] @ (14, 12, 11)
    grid = Grid((30, 26, 22), coarse, "1.2")
    activity = Image(np.ones(grid.shape, np.float32), grid, Quantity.ACTIVITY_CONCENTRATION)
    asked = Asked(("liver", "spleen"), "totalsegmentator")
    found = find(course_of(anatomy, activity), Case(), asked, lambda step: None)
    (liver,) = found.regions
    assert liver.grid is grid
    mask = liver.mask()
    middle = np.average(grid.to_mm(np.argwhere(mask > 0)), axis=0, weights=mask[mask > 0])
    np.testing.assert_allclose(middle, centre, atol=0.5)  # mm
    assert liver.volume_mL == pytest.approx(4 / 3 * np.pi * radius**3 * 1e-3, rel=0.03)
    assert liver.found_by == "TotalSegmentator"
    assert found.notes == ("Spleen was not found by TotalSegmentator.",)


def dense_organ(half=2):
    values = np.full(tuple(n * half for n in SHAPE), 40)
    values[tuple(slice(a * half, b * half) for a, b in ORGAN)] = 400
    spacing = VOXEL_MM / half
    edge = np.array(ORIGIN_MM) - VOXEL_MM / 2 + spacing / 2
    return ct((values + 1024).astype(np.uint16).transpose(2, 1, 0), spacing_mm=(spacing,) * 3, origin_mm=edge)


@pytest.fixture
def case(double, tmp_path):
    def make(config):
        folder = tmp_path / "case"
        write_case(folder, hours=(4.0, 48.0), drawn="none", config=f"registration: none\n{config}")
        write(folder, [structures(scan(4.0, 1), 1, lesion=LESION)], "rs")
        write(folder / "ct", dense_organ())
        return folder, load_case(folder)

    return make


def notes_of(measured, name):
    return " ".join(next(r for r in measured["regions"] if r["name"] == name)["notes"])


def test_an_organ_asked_for_is_measured_beside_what_is_drawn_and_waits_for_a_person(case):
    measured = measure_curves(*case(f"organs: {{find: [liver], {BY}}}"))
    liver = next(r for r in measured["regions"] if r["name"] == "liver")
    assert liver["volume_mL"] == pytest.approx(voxels(ORGAN) * VOXEL_MM**3 * 1e-3, rel=1e-3)
    assert "Found automatically (TotalSegmentator); to be confirmed by a person." in notes_of(measured, "liver")
    assert "automatically" not in notes_of(measured, "lesion")


def test_what_a_person_confirmed_says_so(case):
    settings = f"organs: {{find: [liver], {BY}}}\nregions: {{liver: {{confirmed: true}}}}"
    measured = measure_curves(*case(settings))
    assert "(TotalSegmentator); confirmed by a person." in notes_of(measured, "liver")


def test_what_was_drawn_is_not_looked_for(case, monkeypatch):
    monkeypatch.setenv("PATH", "")
    folder, settings = case(f"organs: {{find: [liver], {BY}}}")
    write(folder, [structures(scan(4.0, 1), 1, lesion=LESION, liver=ORGAN)], "rs")
    assert "automatically" not in notes_of(measure_curves(folder, settings), "liver")


def test_what_was_found_stays_marked_in_a_segmentation(case, tmp_path, faults):
    found = segment_case(*case(""), Asked(("liver",), "totalsegmentator"))
    write_organs(found, tmp_path / "organs.dcm")
    (back,) = read_segments(tmp_path / "organs.dcm").regions
    assert back.found_by == "TotalSegmentator"
    assert faults(tmp_path / "organs.dcm") == []


def test_a_case_without_a_ct_is_refused(double, tmp_path):
    write_case(tmp_path / "case", hours=(4.0,), drawn="none", config=f"organs: {{find: [liver], {BY}}}")
    with pytest.raises(MissingInformation, match="No CT lies in the frame"):
        measure_curves(tmp_path / "case", load_case(tmp_path / "case"))


def test_the_check_of_data_knows_names_that_will_be_found(case):
    settings = (
        f"organs: {{find: [kidneys], {BY}}}\nregions: {{left kidney: {{confirmed: true}}, liver: {{skip: true}}}}"
    )
    findings = check_case(*case(settings)).findings
    assert any("nothing drawn is called 'liver'" in one.text for one in findings)
    assert not any("'left kidney'" in one.text for one in findings)


@pytest.mark.parametrize(("organs", "by"), [(("brain",), "uptake"), (("left lung",), "uptake"), (("liver",), "magic")])
def test_an_organ_or_way_that_there_is_not_is_refused(organs, by):
    with pytest.raises(UnknownName, match="There are"):
        Asked(organs, by)


def test_groups_are_their_members_once():
    assert Asked(("kidneys", "left kidney", "liver")).names == ("left kidney", "right kidney", "liver")


def test_a_wrong_key_of_organs_is_named(case):
    with pytest.raises(BadConfiguration, match="find"):
        case("organs: {fnd: [liver]}")
