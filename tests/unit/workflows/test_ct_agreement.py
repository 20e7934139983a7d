"""Every door that uses a CT with an emission image says when the two do not lie together."""

from datetime import datetime

import numpy as np
import pytest

from factories import torso
from factories.dicom import ct, pet, write
from hevesy.core import Administration, Image, Patient, Quantity, Timing
from hevesy.data.nuclides import nuclide
from hevesy.errors import OutsideValidity
from hevesy.stages.imaging.folder import read_folder
from hevesy.stages.registration.ct_offset import Offset
from hevesy.workflows.case import Case
from hevesy.workflows.check import Kind, check_case
from hevesy.workflows.ct_agreement import displaced, misplaced_in
from hevesy.workflows.organ_request import Asked
from hevesy.workflows.organs import find
from hevesy.workflows.scans import Course, Scan

SPACING = 6.0
START = datetime(2024, 3, 5, 13)
#: to the patient's left, mm
SHIFT = (24.0, 0.0, 0.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two cases: a CT in place, and one whose header places it elsewhere."""
    here = torso.grid(SPACING)
    activity = torso.emission(here).values
    stored = np.rint(activity / activity.max() * 30000).astype(np.uint16).transpose(2, 1, 0)
    shown = (torso.hounsfield(here).values + 1024).astype(np.uint16).transpose(2, 1, 0)
    top, spacing = tmp_path_factory.mktemp("cases"), (SPACING,) * 3
    for name, shift in (("in place", (0, 0, 0)), ("elsewhere", SHIFT)):
        origin = here.affine[:3, 3]
        write(top / name, pet(stored, spacing_mm=spacing, origin_mm=origin), "pet")
        write(top / name, ct(shown, spacing_mm=spacing, origin_mm=origin + shift), "ct")
    return top


def test_a_folder_s_ct_is_doubted_only_where_it_lies_elsewhere(folder):
    assert misplaced_in(read_folder(folder / "in place")) == {}
    (line,) = misplaced_in(read_folder(folder / "elsewhere")).values()
    assert "mm to the patient's left" in line
    assert "more than breathing explains" in line


def test_the_check_of_data_advises_and_lets_the_dose_be_computed(folder):
    found = check_case(folder / "elsewhere", Case()).findings
    (about,) = (one for one in found if "The CT lies" in one.text)
    assert about.kind is Kind.ADVICE


def test_no_organ_is_found_with_a_ct_that_lies_elsewhere():
    spect = torso.emission(torso.grid(SPACING))
    present = Image(spect.values, spect.grid, spect.quantity, Timing(START, 60.0))
    moved = Image(torso.hounsfield(spect.grid).values, torso.grid(SPACING, SHIFT), Quantity.HOUNSFIELD)
    given, scan = Administration("Lu-177", START), Scan("Day 1", None, present, 3600.0)
    course = Course(Patient("x"), nuclide("Lu-177"), given, (scan,), moved, None, ())
    with pytest.raises(OutsideValidity, match=r"The CT lies .* to the patient's left of where Day 1"):
        find(course, Case(), Asked(), lambda step: None)


@pytest.mark.parametrize(
    ("shift", "u", "likelihood", "said"),
    [
        ((0, 0, 14), 1, 50, ""),
        ((0, 0, -22), 2, 50, "22 ± 2 mm caudally"),
        ((0, 0, 22), 9, 50, ""),
        ((0, 0, 22), 2, 3, ""),
        ((-12, 13, 3), 1, 50, "12 ± 1 mm to the patient's right and 13 ± 1 mm to the back"),
        ((0, -40, 0), 2, 50, "40 mm or more to the front"),
    ],
)
def test_what_is_said_of_a_shift(shift, u, likelihood, said):
    assert displaced(Offset(shift, (u,) * 3, 0.4, 0.3, likelihood, False)) == said
