"""Units, vendors' private factors, and volumes in time of PET series."""

import numpy as np
import pytest

from factories import dicom
from hevesy.core import Quantity
from hevesy.errors import DuplicateSlices, MissingInformation, UnsupportedObject, WrongQuantity
from hevesy.stages.imaging.folder import read_folder
from hevesy.stages.imaging.supplied import Supplied

STORED = np.random.default_rng(7).integers(0, 30000, (4, 3, 3)).astype(np.uint16)


def only(tmp_path, objects):
    return read_folder(dicom.write(tmp_path, objects)).series[0]


@pytest.mark.parametrize(
    ("units", "quantity"),
    [
        ("BQML", Quantity.ACTIVITY_CONCENTRATION),
        ("GML", Quantity.STANDARDISED_UPTAKE),
        ("CNTS", Quantity.COUNTS),
        ("PROPCNTS", Quantity.PROPORTIONAL_TO_COUNTS),
    ],
)
def test_units_tell_what_values_mean(tmp_path, units, quantity):
    assert only(tmp_path, dicom.pet(STORED, Units=units)).image().quantity is quantity


def test_values_without_units_are_refused_until_units_are_supplied(tmp_path):
    series = only(tmp_path, dicom.pet(STORED, Units=None))
    with pytest.raises(MissingInformation, match="Units"):
        series.image()
    assert series.image(Supplied(units="BQML")).quantity is Quantity.ACTIVITY_CONCENTRATION


def test_units_without_meaning_are_refused(tmp_path):
    with pytest.raises(UnsupportedObject, match="MGMINML"):
        only(tmp_path, dicom.pet(STORED, Units="MGMINML")).image()


def test_counts_of_philips_become_activity_by_the_private_factor(tmp_path):
    objects = dicom.pet(STORED, Units="CNTS")
    for one in objects:
        one.private_block(0x7053, "Philips PET Private Group", create=True).add_new(0x09, "DS", "1.5")
    image = only(tmp_path, objects).image()
    assert image.quantity is Quantity.ACTIVITY_CONCENTRATION
    np.testing.assert_allclose(image.values, STORED.T * 1.5)


def test_a_calibration_that_is_lacking_is_a_problem_of_the_series(tmp_path):
    problems = only(tmp_path, dicom.pet(STORED, Units="PROPCNTS")).problems
    assert [type(p) for p in problems] == [WrongQuantity]
    assert "Bq_mL_per_unit" in str(problems[0])


def test_a_sound_series_has_no_problem(tmp_path):
    assert only(tmp_path, dicom.pet(STORED)).problems == ()


def dynamic(**tags):
    objects = []
    for frame, (start, length) in enumerate([(0, 60), (60, 60), (120, 300)]):
        objects += dicom.pet(
            STORED + frame,
            SeriesType=["DYNAMIC", "IMAGE"],
            ActualFrameDuration=length * 1000,
            FrameReferenceTime=dicom.ds(1000 * start),
            AcquisitionTime=f"{100000 + 100 * start // 60:06d}",
            **tags,
        )
    return objects


def test_a_dynamic_series_is_read_as_images_in_order_of_time(tmp_path):
    images = only(tmp_path, dynamic()[::-1]).images()
    assert [i.values[0, 0, 0] - STORED[0, 0, 0] for i in images] == [0, 1, 2]
    assert [i.timing.start.minute for i in images] == [0, 1, 2]
    assert [i.timing.duration_s for i in images] == [60, 60, 300]
    assert len({i.timing.decay_corrected_to for i in images}) == 1


@pytest.mark.parametrize("middle", [False, True])
def test_frames_of_one_acquisition_time_are_told_by_frame_reference_time(tmp_path, middle):
    objects = dynamic()
    for one in objects:
        half = one.ActualFrameDuration / 2 if middle else 0
        one.FrameReferenceTime = dicom.ds(float(one.FrameReferenceTime) + half)
        one.AcquisitionTime = "100000"
    images = only(tmp_path, objects).images()
    assert [i.timing.start.minute for i in images] == [0, 1, 2]


def test_one_image_is_not_asked_of_a_dynamic_series(tmp_path):
    with pytest.raises(WrongQuantity, match="3 volumes"):
        only(tmp_path, dynamic()).image()


def test_a_position_seen_twice_is_a_duplicate_unless_the_series_says_dynamic(tmp_path):
    with pytest.raises(DuplicateSlices):
        only(tmp_path, dicom.change_all(dynamic(), SeriesType=["STATIC", "IMAGE"])).image()


@pytest.mark.parametrize("syntax", ["RLELossless", "JPEG2000Lossless", "JPEGLosslessProcess14_1"])
def test_lossless_compression_changes_nothing(tmp_path, syntax):
    stored = np.random.default_rng(8).integers(0, 65535, (3, 16, 16)).astype(np.uint16)
    plain = only(tmp_path / "plain", dicom.pet(stored)).image()
    packed = dicom.compress(dicom.write(tmp_path / "packed", dicom.pet(stored)), syntax)
    np.testing.assert_array_equal(read_folder(packed).series[0].image().values, plain.values)
