"""Enhanced objects and parametric maps are read frame by frame from their functional groups."""

import numpy as np
import pytest

from factories import dicom
from hevesy.core import Quantity
from hevesy.errors import IncompleteSeries, MissingInformation, UnsupportedObject
from hevesy.stages.imaging.folder import read_folder

STORED = np.random.default_rng(2).integers(0, 3000, (4, 3, 5)).astype(np.uint16)
ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"
ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"


def enhanced(stored=STORED, heights=(0, 2, 4, 6), rescale_type="HU", sop_class=ENHANCED_CT, times=None):
    shared = dicom.item(
        PixelMeasuresSequence=[dicom.item(PixelSpacing=[2, 3], SliceThickness=9)],
        PlaneOrientationSequence=[dicom.item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
        PixelValueTransformationSequence=[
            dicom.item(RescaleSlope="2", RescaleIntercept="-1024", RescaleType=rescale_type)
        ],
    )
    own = [
        dicom.item(
            PlanePositionSequence=[dicom.item(ImagePositionPatient=[10, 20, z])],
            FrameContentSequence=[dicom.item(StackID="1", TemporalPositionIndex=times[i] if times else 1)],
        )
        for i, z in enumerate(heights)
    ]
    return dicom.base(
        sop_class,
        "CT" if sop_class == ENHANCED_CT else "MR",
        stored,
        SharedFunctionalGroupsSequence=[shared],
        PerFrameFunctionalGroupsSequence=own,
    )


def only(tmp_path, made):
    return read_folder(dicom.write(tmp_path, [made])).series[0]


def test_frames_are_placed_by_their_own_positions(tmp_path):
    image = only(tmp_path, enhanced(heights=(4, 0, 6, 2))).image()
    assert image.quantity is Quantity.HOUNSFIELD
    np.testing.assert_allclose(image.grid.spacing_mm, (3, 2, 2))
    np.testing.assert_array_equal(image.values, STORED[[1, 3, 0, 2]].T * 2.0 - 1024)


def test_times_of_one_object_are_images(tmp_path):
    made = enhanced(heights=(0, 2, 0, 2), times=(1, 1, 2, 2))
    first, second = only(tmp_path, made).images()
    np.testing.assert_array_equal(second.values, STORED[2:].T * 2.0 - 1024)
    assert first.grid.matches(second.grid)


def test_magnetic_resonance_has_relative_values(tmp_path):
    assert only(tmp_path, enhanced(rescale_type="US", sop_class=ENHANCED_MR)).image().quantity is Quantity.RELATIVE


def test_a_missing_frame_is_refused(tmp_path):
    with pytest.raises(IncompleteSeries, match="gap"):
        only(tmp_path, enhanced(heights=(0, 2, 6, 8))).image()


def test_a_ct_that_is_not_in_hu_is_refused(tmp_path):
    with pytest.raises(UnsupportedObject, match="not to HU"):
        only(tmp_path, enhanced(rescale_type="US")).image()


def test_an_object_without_functional_groups_is_refused(tmp_path):
    made = enhanced()
    del made.SharedFunctionalGroupsSequence, made.PerFrameFunctionalGroupsSequence
    with pytest.raises(MissingInformation, match="functional groups"):
        only(tmp_path, made).image()
