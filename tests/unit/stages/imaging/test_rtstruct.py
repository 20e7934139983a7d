from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, RTStructureSetStorage

from hevesy.core import Outline, Role
from hevesy.errors import EmptyInput, GridMismatch, UnreadableFile, UnsupportedObject
from hevesy.stages.imaging.rtstruct import read_structures, write

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


@pytest.fixture
def outlines(oblique):
    # the first has more points than an explicit decimal string can hold
    rings = []
    for radius, k, points in ((3, 2, 2000), (4, 3, 60), (1 / 3, 4, 60)):
        turns = np.linspace(0, 2 * np.pi, points, endpoint=False)
        ring = np.column_stack([5 + radius * np.cos(turns), 5 + radius * np.sin(turns), np.full(points, k)])
        rings.append(oblique.to_mm(ring))
    frame = oblique.frame_of_reference
    return [Outline("lesion 1", tuple(rings), frame, Role.LESION), Outline("liver", (rings[1],), frame)]


def test_outlines_written_come_back_to_a_tenth_of_a_micrometre(outlines, headers, made_at, tmp_path):
    write(outlines, headers, tmp_path / "r.dcm", made_at)
    found = read_structures(tmp_path / "r.dcm")
    assert [(o.name, o.role, o.frame_of_reference) for o in found.outlines] == [
        (o.name, o.role, o.frame_of_reference) for o in outlines
    ]
    for back, outline in zip(found.outlines, outlines, strict=True):
        for ours, theirs in zip(back.contours_mm, outline.contours_mm, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=5.1e-5)  # mm
    assert found.referenced_series_uids == (headers[0].SeriesInstanceUID,)
    assert found.notes == ()


def test_the_validator_finds_no_error(outlines, headers, made_at, tmp_path, faults):
    write(outlines, headers, tmp_path / "r.dcm", made_at)
    assert faults(tmp_path / "r.dcm") == []


def test_no_coordinate_is_longer_than_sixteen_characters(outlines, headers, made_at, tmp_path):
    write(outlines, headers, tmp_path / "r.dcm", made_at)
    drawn = pydicom.dcmread(tmp_path / "r.dcm").ROIContourSequence
    assert max(len(str(x)) for roi in drawn for c in roi.ContourSequence for x in c.ContourData) <= 16


def test_the_same_outlines_made_at_the_same_time_give_the_same_bytes(outlines, headers, made_at, tmp_path):
    for name in "ab":
        write(outlines, headers, tmp_path / name, made_at)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_what_cannot_be_filed_with_the_source_is_not_written(outlines, headers, made_at, tmp_path):
    with pytest.raises(EmptyInput, match="at least one outline"):
        write([], headers, tmp_path / "r.dcm", made_at)
    with pytest.raises(EmptyInput, match="'bare' has no contour"):
        write([Outline("bare", ())], headers, tmp_path / "r.dcm", made_at)
    headers[0].FrameOfReferenceUID = "9.9"
    with pytest.raises(GridMismatch, match="another frame of reference"):
        write(outlines, headers, tmp_path / "r.dcm", made_at)
    assert list(tmp_path.iterdir()) == []
