from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, SegmentationStorage

from hevesy.core import Role
from hevesy.errors import (
    DuplicateSlices,
    EmptyInput,
    IncompleteSeries,
    MissingInformation,
    UnreadableFile,
    UnsupportedObject,
)
from hevesy.stages.imaging.segmentation_object import LABEL_MAP_SEGMENTATION_STORAGE, read_segments

DICOM = Path(__file__).parents[5] / "shared" / "reference" / "dicom"
needs_reference = pytest.mark.skipif(not DICOM.exists(), reason="needs the shared reference data")


def item(**attributes):
    dataset = Dataset()
    for name, value in attributes.items():
        setattr(dataset, name, value)
    return dataset


def segmentation(frames, kind="BINARY", segments=1, thickness=2.0, **attributes):
    """Build a SEG of frames (segment, z, (rows, columns) array)."""
    pixels = np.array([p for _, _, p in frames], np.uint8)
    dataset = item(
        SOPClassUID=LABEL_MAP_SEGMENTATION_STORAGE if kind == "LABELMAP" else SegmentationStorage,
        SOPInstanceUID="1.2.3.4",
        FrameOfReferenceUID="1.2.9",
        ContentLabel="DRAWN",
        SegmentationType=kind,
        NumberOfFrames=len(frames),
        Rows=pixels.shape[1],
        Columns=pixels.shape[2],
        SamplesPerPixel=1,
        PhotometricInterpretation="MONOCHROME2",
        PixelRepresentation=0,
        **attributes,
    )
    bits = 1 if kind == "BINARY" else 8
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = bits, bits, bits - 1
    packed = np.packbits(pixels.ravel(), bitorder="little") if bits == 1 else pixels
    dataset.PixelData = packed.tobytes() + b"\0" * (packed.size % 2)
    dataset.SegmentSequence = [item(SegmentNumber=n + 1, SegmentLabel=f"part {n + 1}") for n in range(segments)]
    dataset.SharedFunctionalGroupsSequence = [
        item(
            PlaneOrientationSequence=[item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
            PixelMeasuresSequence=[item(PixelSpacing=[3.0, 4.0], SliceThickness=thickness)],
        )
    ]
    dataset.PerFrameFunctionalGroupsSequence = [
        item(
            PlanePositionSequence=[item(ImagePositionPatient=[10.0, 20.0, float(z)])],
            SegmentIdentificationSequence=[item(ReferencedSegmentNumber=segment)],
        )
        for segment, z, _ in frames
    ]
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return dataset


ONE = np.array([[0, 1, 0], [0, 1, 1]])  # two rows, three columns
OTHER = np.array([[1, 1, 0], [0, 0, 0]])


def test_rows_and_columns_become_the_second_and_first_axis_with_their_own_spacing():
    (region,) = read_segments(segmentation([(1, 5, ONE), (1, 7, OTHER)])).regions
    assert region.grid.shape == (3, 2, 2)
    assert region.grid.spacing_mm == (4.0, 3.0, 2.0)
    np.testing.assert_allclose(region.grid.to_mm((2, 1, 1)), (18, 23, 7))
    np.testing.assert_array_equal(region.mask()[..., 0], ONE.T)
    np.testing.assert_array_equal(region.mask()[..., 1], OTHER.T)


def test_frames_in_any_order_are_put_in_their_place():
    (region,) = read_segments(segmentation([(1, 7, OTHER), (1, 5, ONE)])).regions
    np.testing.assert_array_equal(region.mask()[..., 0], ONE.T)


def test_slices_without_a_frame_are_empty():
    (region,) = read_segments(segmentation([(1, 5, ONE), (1, 7, ONE), (1, 13, OTHER)])).regions
    np.testing.assert_array_equal(region.mask().sum(axis=(0, 1)), [3, 3, 0, 0, 2])


def test_two_frames_far_apart_keep_their_stated_thickness():
    (region,) = read_segments(segmentation([(1, 5, ONE), (1, 25, OTHER)])).regions
    assert region.volume_mL == pytest.approx(5 * 3 * 4 * 2e-3)


def test_overlapping_segments_each_keep_their_voxels():
    first, second = read_segments(segmentation([(1, 5, ONE), (2, 5, OTHER)], segments=2)).regions
    assert (first.coverage.sum(), second.coverage.sum()) == (3, 2)
    assert first.mask()[1, 0, 0] == second.mask()[1, 0, 0] == 1


def test_one_frame_is_enough():
    dataset = segmentation([(1, 5, ONE)])
    del dataset.NumberOfFrames
    (region,) = read_segments(dataset).regions
    assert region.grid.shape == (3, 2, 1)
    assert region.grid.spacing_mm[2] == 2.0


def test_occupancy_is_the_covered_fraction():
    frames = [(1, 5, 50 * ONE), (1, 7, 100 * OTHER)]
    dataset = segmentation(frames, "FRACTIONAL", SegmentationFractionalType="OCCUPANCY", MaximumFractionalValue=100)
    (region,) = read_segments(dataset).regions
    np.testing.assert_allclose(region.mask().sum(axis=(0, 1)), [1.5, 2])


def test_a_probability_is_no_fraction_of_a_voxel():
    frames = [(1, 5, 49 * ONE), (1, 7, 51 * OTHER)]
    dataset = segmentation(frames, "FRACTIONAL", SegmentationFractionalType="PROBABILITY", MaximumFractionalValue=100)
    found = read_segments(dataset)
    assert found.regions[0].coverage.sum() == 2
    assert "probabilities" in found.notes[0]


def test_a_label_map_holds_a_segment_a_label():
    labels = np.array([[0, 1, 2], [2, 2, 0]])
    first, second = read_segments(segmentation([(1, 5, labels)], "LABELMAP", segments=2)).regions
    np.testing.assert_array_equal(first.mask()[..., 0], labels.T == 1)
    np.testing.assert_array_equal(second.mask()[..., 0], labels.T == 2)


def test_the_role_follows_from_the_coded_property():
    dataset = segmentation([(1, 5, ONE), (2, 5, ONE)], segments=2)
    code = item(CodeValue="49755003", CodingSchemeDesignator="SCT", CodeMeaning="Morphologically Abnormal Structure")
    dataset.SegmentSequence[0].SegmentedPropertyCategoryCodeSequence = [code]
    found = read_segments(dataset)
    assert [r.role for r in found.regions] == [Role.LESION, Role.ORGAN]
    assert len(found.notes) == 1
    assert "'part 2' does not say what it is for" in found.notes[0]


def test_an_empty_segment_is_passed_over_and_an_empty_object_refused():
    found = read_segments(segmentation([(1, 5, ONE)], segments=2))
    assert [r.name for r in found.regions] == ["part 1"]
    assert "Segment 'part 2' is empty" in " ".join(found.notes)
    with pytest.raises(EmptyInput, match="no voxel in any segment"):
        read_segments(segmentation([(1, 5, 0 * ONE)]))


def test_two_frames_of_a_segment_at_one_position_are_refused():
    with pytest.raises(DuplicateSlices, match="'part 1' has two frames at one position"):
        read_segments(segmentation([(1, 5, ONE), (1, 5, OTHER)]))


def test_uneven_slices_are_refused():
    with pytest.raises(UnsupportedObject, match="evenly spaced"):
        read_segments(segmentation([(1, z, ONE) for z in (0, 3, 7.7)], thickness=3.0))


def test_frames_shifted_sideways_are_refused():
    dataset = segmentation([(1, 5, ONE), (1, 7, ONE)])
    dataset.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence[0].ImagePositionPatient = [13.0, 20.0, 7.0]
    with pytest.raises(UnsupportedObject, match="sideways"):
        read_segments(dataset)


def test_a_frame_without_a_position_is_refused():
    dataset = segmentation([(1, 5, ONE), (1, 7, ONE)])
    del dataset.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence
    with pytest.raises(MissingInformation, match="PlanePosition"):
        read_segments(dataset)


def test_truncated_pixels_are_refused():
    dataset = segmentation([(1, z, np.ones((64, 64))) for z in range(8)], thickness=1.0)
    dataset.PixelData = dataset.PixelData[:400]
    with pytest.raises(UnreadableFile, match="truncated"):
        read_segments(dataset)


def test_other_objects_are_refused(tmp_path):
    with pytest.raises(UnsupportedObject, match="not a segmentation"):
        read_segments(item(SOPClassUID=CTImageStorage))
    (tmp_path / "letter.dcm").write_text("Dear colleague, " * 50)
    with pytest.raises(UnreadableFile, match=r"letter\.dcm cannot be read"):
        read_segments(tmp_path / "letter.dcm")


OPENS = (
    "dcmqi_23x38x3_bitpacking_seg.dcm",
    "ibsi_digital_phantom_seg.dcm",
    "liver.dcm",
    "liver_nonbyte_aligned.dcm",
    "seg_image_ct_binary.dcm",
    "seg_image_ct_binary_fractional.dcm",
    "seg_image_ct_binary_overlap.dcm",
    "seg_image_ct_true_fractional.dcm",
)


@needs_reference
@pytest.mark.parametrize("name", OPENS)
def test_a_real_object_opens_with_the_voxels_that_its_bits_hold(name):
    dataset = pydicom.dcmread(DICOM / name)
    bits = np.frombuffer(dataset.PixelData, np.uint8)
    if dataset.BitsAllocated == 1:
        bits = np.unpackbits(bits, bitorder="little")
    size = dataset.Rows * dataset.Columns
    frames = bits[: size * dataset.NumberOfFrames].reshape(-1, dataset.Rows, dataset.Columns)
    # those of fractional kind here state probabilities: from 0.5 of their maximum on
    frames = frames >= 0.5 * dataset.get("MaximumFractionalValue", 1)
    groups = dataset.PerFrameFunctionalGroupsSequence
    owner = np.array([g.SegmentIdentificationSequence[0].ReferencedSegmentNumber for g in groups])
    found = read_segments(DICOM / name)
    assert found.frame_of_reference == dataset.FrameOfReferenceUID
    assert found.referenced_series_uids == (dataset.ReferencedSeriesSequence[0].SeriesInstanceUID,)
    down, across = map(float, dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing)
    shared = dataset.SharedFunctionalGroupsSequence[0]
    turn = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, float).reshape(2, 3)
    for number, region in enumerate(found.regions, 1):
        mine = np.flatnonzero(owner == number)
        assert region.coverage.sum() == frames[mine].sum()
        # the centre of mass in the patient, frame by frame from its own position
        total = np.zeros(3)
        for k in mine:
            row, column = np.nonzero(frames[k])
            corner = np.array(groups[int(k)].PlanePositionSequence[0].ImagePositionPatient, float)
            total += corner * len(row) + column.sum() * across * turn[0] + row.sum() * down * turn[1]
        centre = region.grid.to_mm(np.argwhere(region.mask())).mean(axis=0)
        np.testing.assert_allclose(centre, total / frames[mine].sum(), atol=0.01)  # mm: stored positions are rounded


@needs_reference
def test_the_ibsi_phantom_has_its_published_74_voxels():
    # Image Biomarker Standardisation Initiative, reference manual, section 5.1: the digital phantom's ROI
    assert read_segments(DICOM / "ibsi_digital_phantom_seg.dcm").regions[0].coverage.sum() == 74


@needs_reference
def test_an_object_that_lost_two_of_its_three_frames_is_refused():
    with pytest.raises(IncompleteSeries, match="describes 3 frames and holds 1"):
        read_segments(DICOM / "liver_1frame.dcm")


@needs_reference
def test_every_segmentation_among_the_references_is_listed_here():
    objects = {
        p.name
        for p in DICOM.glob("*.dcm")
        if pydicom.dcmread(p, stop_before_pixels=True, force=True).get("Modality") == "SEG"
    }
    assert objects == {*OPENS, "liver_1frame.dcm"}
