"""Where the axis of rotation lies is read from what vendors write, and said; what they do not write stays unknown."""

import numpy as np
import pytest

from factories import camera, dicom, tomo
from hevesy.core import Placement, Projections
from hevesy.errors import BadInput
from hevesy.stages.imaging.folder import read_folder

AXIS = (5.0, -20.0, 400.0)


def read(tmp_path, **tags):
    return read_folder(dicom.write(tmp_path, [tomo.stored(tomo.Scan(AXIS, AXIS), **tags)])).series[0].load()[0]


def test_a_source_without_position_leaves_the_axis_unknown_and_says_so(tmp_path):
    bare = [camera.detector(ImagePositionPatient=None, RadialPosition=[dicom.ds(150)])]
    made = read(tmp_path, DetectorInformationSequence=bare)
    assert made.placement.axis_mm is None
    assert made.grid.frame_of_reference is None
    np.testing.assert_allclose(made.grid.corners_mm().mean(axis=0), 0, atol=1e-9)
    assert any("No position in the patient" in note for note in made.provenance.notes)


def test_the_reading_of_the_position_that_was_believed_is_said(tmp_path):
    made = read(tmp_path)
    np.testing.assert_allclose(made.placement.axis_mm, AXIS)
    said = "first voxel of the transverse slices; the axis of rotation lies at x 5.0, y -20.0 mm"
    assert any(said in note for note in made.provenance.notes)


def test_table_and_patient_position_are_kept(tmp_path):
    placed = read(tmp_path).placement
    assert (placed.patient_position, placed.table_height_mm, placed.table_traverse_mm) == ("HFS", 20, -500)
    np.testing.assert_array_equal(placed.upwards, (0, -1, 0))


@pytest.mark.parametrize(
    ("gantry", "side", "position"),
    [("headfirst", "supine", "HFS"), ("feet-first", "prone", "FFP"), ("headfirst", "right lateral decubitus", "HFDR")],
)
def test_codes_tell_the_patient_position_where_its_tag_is_absent(tmp_path, gantry, side, position):
    lying = dicom.item(PatientOrientationModifierCodeSequence=[dicom.item(CodeMeaning=side)])
    made = read(
        tmp_path,
        PatientPosition=None,
        PatientGantryRelationshipCodeSequence=[dicom.item(CodeMeaning=gantry)],
        PatientOrientationCodeSequence=[lying],
    )
    assert made.placement.patient_position == position


@pytest.mark.parametrize("wrong", [{"axis_mm": (0.0, np.nan, 0.0)}, {"patient_position": "HFX"}])
def test_a_placement_that_cannot_be_is_refused(wrong):
    with pytest.raises(BadInput):
        Placement(**wrong)


def test_the_grid_of_projections_surrounds_the_axis_and_follows_the_rows():
    counts = np.ones((4, 5, 8))
    placed = Placement(AXIS, rows_to_feet=False)
    grid = Projections(counts, np.arange(4) * 90.0, (3.0, 4.0), frame_of_reference="1.2", placement=placed).grid
    assert (grid.shape, grid.frame_of_reference) == ((8, 8, 5), "1.2")
    np.testing.assert_allclose(grid.to_mm((3.5, 3.5, 0)), AXIS)
    np.testing.assert_allclose(grid.to_mm((3.5, 3.5, 4)), np.add(AXIS, (0, 0, 12)))


@pytest.mark.parametrize("heads", [1, 2])
def test_without_radii_only_opposite_heads_tell_how_far_the_axis_lies_behind_the_first_view(tmp_path, heads):
    made = tomo.stored(tomo.Scan(AXIS, AXIS, heads=heads, writes="view"))
    for detector in made.DetectorInformationSequence:
        del detector.RadialPosition
    (read_back,) = read_folder(dicom.write(tmp_path, [made])).series[0].load()
    if heads == 2:
        np.testing.assert_allclose(read_back.placement.axis_mm, AXIS, atol=1e-3)
    else:
        assert read_back.placement.axis_mm is None
