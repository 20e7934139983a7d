from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, RTStructureSetStorage

from hevesy.core import Role
from hevesy.errors import EmptyInput, UnreadableFile, UnsupportedObject
from hevesy.stages.imaging.rtstruct import read_structures

REFERENCE = Path(__file__).parents[5] / "shared" / "reference"


def contour(points, kind="CLOSED_PLANAR"):
    item = Dataset()
    item.ContourGeometricType = kind
    item.NumberOfContourPoints = len(points)
    item.ContourData = [float(x) for point in points for x in point]
    return item


TRIANGLE = ((0, 0, 5), (10, 0, 5), (0, 10, 5))


def structure_set(*rois):
    """Build a structure set of (name, interpreted type, contours)."""
    dataset = Dataset()
    dataset.SOPClassUID = RTStructureSetStorage
    dataset.SOPInstanceUID = "1.2.3.4"
    dataset.StructureSetLabel = "drawn by hand"
    dataset.StructureSetROISequence = []
    dataset.ROIContourSequence = []
    dataset.RTROIObservationsSequence = []
    for number, (name, kind, contours) in enumerate(rois, 1):
        roi, drawn, observed = Dataset(), Dataset(), Dataset()
        roi.ROINumber, roi.ROIName, roi.ReferencedFrameOfReferenceUID = number, name, "1.2.9"
        drawn.ReferencedROINumber, drawn.ContourSequence = number, contours
        observed.ReferencedROINumber, observed.RTROIInterpretedType = number, kind
        dataset.StructureSetROISequence.append(roi)
        dataset.ROIContourSequence.append(drawn)
        dataset.RTROIObservationsSequence.append(observed)
    return dataset


def test_contours_names_and_frames_are_read():
    found = read_structures(structure_set(("liver", "ORGAN", [contour(TRIANGLE), contour(TRIANGLE)])))
    (outline,) = found.outlines
    assert (outline.name, outline.role, outline.frame_of_reference) == ("liver", Role.ORGAN, "1.2.9")
    np.testing.assert_array_equal(outline.contours_mm[1], TRIANGLE)
    assert (found.label, found.sop_instance_uid, found.frame_of_reference) == ("drawn by hand", "1.2.3.4", "1.2.9")


@pytest.mark.parametrize(
    ("kind", "role"), [("GTV", Role.LESION), ("EXTERNAL", Role.BODY), ("ORGAN", Role.ORGAN), ("", Role.ORGAN)]
)
def test_the_role_follows_from_the_stated_type_and_never_from_the_name(kind, role):
    found = read_structures(structure_set(("tumour lesion body", kind, [contour(TRIANGLE)])))
    assert found.outlines[0].role is role
    assert any("role" in note for note in found.notes) == (not kind)


def test_what_encloses_no_area_is_passed_over_with_a_note():
    found = read_structures(
        structure_set(
            ("liver", "ORGAN", [contour(TRIANGLE), contour(TRIANGLE[:1], "POINT"), contour(TRIANGLE[:2])]),
            ("empty", "ORGAN", []),
            ("isocentre", "ISOCENTER", [contour(TRIANGLE[:1], "POINT")]),
        )
    )
    assert [o.name for o in found.outlines] == ["liver"]
    assert len(found.outlines[0].contours_mm) == 1
    text = " ".join(found.notes)
    assert "'empty' is empty" in text
    assert "'isocentre': 1 × POINT contour passed over" in text
    assert "'liver': 1 × closed contour of 2 points passed over" in text


def test_two_structures_of_one_name_are_told_apart():
    found = read_structures(structure_set(*[("met", "GTV", [contour(TRIANGLE)])] * 2))
    assert [o.name for o in found.outlines] == ["met", "met [2]"]
    assert "Two structures are named 'met'" in found.notes[0]


def test_a_set_without_any_closed_contour_is_refused():
    with pytest.raises(EmptyInput, match="holds no closed contour"):
        read_structures(structure_set(("empty", "ORGAN", [])))


def test_a_damaged_contour_is_refused():
    torn = contour(TRIANGLE)
    torn.ContourData = torn.ContourData[:-3]
    with pytest.raises(UnreadableFile, match="states 3 points and holds 2"):
        read_structures(structure_set(("liver", "ORGAN", [torn])))
    torn.ContourData = torn.ContourData[:-1]
    with pytest.raises(UnreadableFile, match="damaged: 5 coordinates"):
        read_structures(structure_set(("liver", "ORGAN", [torn])))


def test_another_object_is_refused():
    image = Dataset()
    image.SOPClassUID = CTImageStorage
    with pytest.raises(UnsupportedObject, match="not an RT structure set"):
        read_structures(image)


def test_a_text_file_is_refused(tmp_path):
    path = tmp_path / "letter.dcm"
    path.write_text("Dear colleague, thank you for referring this patient to us for a third cycle of treatment.\n" * 20)
    with pytest.raises(UnreadableFile, match=r"letter\.dcm cannot be read as DICOM"):
        read_structures(path)


@pytest.mark.skipif(not REFERENCE.exists(), reason="needs the shared reference data")
def test_the_planning_example_holds_a_body_and_two_isocentres():
    found = read_structures(REFERENCE / "dicom" / "rtstruct.dcm")
    assert [(o.name, o.role, len(o.contours_mm)) for o in found.outlines] == [("patient", Role.BODY, 3)]
    assert sum("POINT" in note for note in found.notes) == 2
