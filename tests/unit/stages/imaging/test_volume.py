"""Slices become volumes by position alone."""

import random

import numpy as np
import pytest

from factories import dicom
from hevesy.errors import DuplicateSlices, IncompleteSeries, MissingInformation, MixedSeries, UnreadableFile
from hevesy.stages.imaging.folder import read_folder

STORED = np.random.default_rng(1).integers(0, 60000, (6, 5, 4)).astype(np.uint16)


def only_image(path):
    return read_folder(path).series[0].image()


def test_axes_run_along_columns_rows_and_slices_of_an_axial_series(tmp_path):
    image = only_image(dicom.write(tmp_path, dicom.pet(STORED)))
    assert image.values.shape == (4, 5, 6)
    np.testing.assert_array_equal(image.values, STORED.transpose(2, 1, 0).astype(np.float32))
    np.testing.assert_allclose(image.grid.to_mm((2, 3, 4)), (-20 + 2 * 4, -30 + 3 * 4, 100 + 4 * 3))


def test_values_beyond_the_signed_range_stay_positive(tmp_path):
    stored = np.full((2, 2, 2), 65535, np.uint16)
    assert only_image(dicom.write(tmp_path, dicom.pet(stored))).values.min() == 65535


def test_every_slice_has_its_own_slope(tmp_path):
    slopes = [0.5, 1.25, 3.0, 0.125, 2.0, 7.5]
    image = only_image(dicom.write(tmp_path, dicom.pet(STORED, slopes)))
    np.testing.assert_allclose(image.values[1, 2], STORED[:, 2, 1] * np.array(slopes), rtol=1e-7)


def test_order_comes_from_positions_and_not_from_instance_numbers_or_names(tmp_path):
    objects = dicom.pet(STORED)
    for number, one in zip(random.Random(3).sample(range(6), 6), objects, strict=True):
        one.InstanceNumber = number
    random.Random(5).shuffle(objects)
    image = only_image(dicom.write(tmp_path, objects))
    np.testing.assert_array_equal(image.values, STORED.transpose(2, 1, 0).astype(np.float32))


def test_spacing_comes_from_positions_and_not_from_slice_thickness(tmp_path):
    image = only_image(dicom.write(tmp_path, dicom.change_all(dicom.pet(STORED), SliceThickness="5")))
    assert image.grid.spacing_mm == pytest.approx((4, 4, 3))


def test_rows_and_columns_may_have_different_spacings(tmp_path):
    objects = dicom.pet(STORED, spacing_mm=(2.0, 3.5, 1.5))
    assert only_image(dicom.write(tmp_path, objects)).grid.spacing_mm == pytest.approx((2, 3.5, 1.5))


def test_an_oblique_series_keeps_its_orientation(tmp_path):
    turn = np.deg2rad(20)
    row = (np.cos(turn), np.sin(turn), 0)
    column = (0, 0, -1)
    image = only_image(dicom.write(tmp_path, dicom.pet(STORED, orientation=(*row, *column))))
    at = np.array((-20, -30, 100)) + 2 * 4 * np.array(row) + 1 * 4 * np.array(column) + 3 * 3 * np.cross(row, column)
    np.testing.assert_allclose(image.grid.to_mm((2, 1, 3)), at, atol=1e-4)
    assert image.values[2, 1, 3] == STORED[3, 1, 2]


def test_a_missing_slice_is_refused_and_its_place_named(tmp_path):
    objects = dicom.pet(STORED)
    del objects[2]
    with pytest.raises(IncompleteSeries, match=r"6 mm between 103\.00 and 109\.00 mm"):
        only_image(dicom.write(tmp_path, dicom.change_all(objects, NumberOfSlices=None)))


def test_a_missing_last_slice_is_known_by_the_stated_number(tmp_path):
    with pytest.raises(IncompleteSeries, match="5 of 6 slices"):
        only_image(dicom.write(tmp_path, dicom.pet(STORED)[:-1]))


def test_small_steps_at_bed_positions_are_allowed_and_noted(tmp_path):
    objects = dicom.pet(STORED)
    for one in objects[3:]:
        x, y, z = one.ImagePositionPatient
        one.ImagePositionPatient = [x, y, dicom.ds(float(z) - 0.08)]
    image = only_image(dicom.write(tmp_path, objects))
    assert image.grid.spacing_mm[2] == pytest.approx((15 - 0.08) / 5)
    assert any("Steps between slices vary" in note for note in image.provenance.notes)


def test_two_slices_at_one_place_are_refused(tmp_path):
    objects = dicom.pet(STORED)
    objects[1].ImagePositionPatient = objects[0].ImagePositionPatient
    with pytest.raises(DuplicateSlices, match="one position"):
        only_image(dicom.write(tmp_path, objects))


@pytest.mark.parametrize(
    ("tag", "value", "fault"),
    [
        ("ImageOrientationPatient", [0, 1, 0, 1, 0, 0], "orientations"),
        ("PixelSpacing", [2, 2], "pixel spacings"),
    ],
)
def test_a_series_whose_slices_differ_is_refused(tmp_path, tag, value, fault):
    objects = dicom.pet(STORED)
    setattr(objects[3], tag, value)
    with pytest.raises(MixedSeries, match=fault):
        only_image(dicom.write(tmp_path, objects))


def test_a_series_of_slices_of_two_sizes_is_refused(tmp_path):
    objects = dicom.pet(STORED) + dicom.pet(STORED[:1, :4, :3], origin_mm=(-20, -30, 130))
    with pytest.raises(MixedSeries, match="4×3 and 5×4"):
        only_image(dicom.write(tmp_path, objects))


@pytest.mark.parametrize("tag", ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"])
def test_a_slice_without_a_place_is_refused(tmp_path, tag):
    objects = dicom.pet(STORED)
    delattr(objects[2], tag)
    with pytest.raises(MissingInformation, match=tag):
        only_image(dicom.write(tmp_path, objects))


def test_damaged_compressed_pixels_are_refused(tmp_path):
    objects = dicom.pet(STORED)
    for one in objects:
        one.compress("1.2.840.10008.1.2.5")
    dicom.write(tmp_path, objects)
    assert only_image(tmp_path).values[1, 2, 3] == STORED[3, 2, 1]
    whole = (tmp_path / "0002.dcm").read_bytes()
    at = whole.index(b"\xfe\xff\x00\xe0", whole.index(b"\xe0\x7f\x10\x00") + 20) + 8
    (tmp_path / "0002.dcm").write_bytes(whole[:at] + b"\xff" * 64 + whole[at + 64 :])
    with pytest.raises(UnreadableFile, match="cannot be decoded"):
        only_image(tmp_path)


def test_ct_values_are_hounsfield_units(tmp_path):
    image = only_image(dicom.write(tmp_path, dicom.ct((STORED % 3000).astype(np.int16))))
    assert image.quantity.unit == "HU"
    assert image.values[0, 0, 0] == int(STORED[0, 0, 0]) % 3000 - 1024
