"""Gamma camera objects become projections, planar views and volumes by their vectors and sequences."""

from datetime import datetime, timedelta

import numpy as np
import pytest

from factories import camera, dicom
from hevesy.core import Quantity
from hevesy.errors import BadInput, DuplicateSlices, IncompleteSeries, MissingInformation, UnreadableFile
from hevesy.stages.imaging.folder import read_folder
from hevesy.stages.imaging.series import Kind
from hevesy.stages.imaging.supplied import Supplied

STORED = np.random.default_rng(4).integers(0, 65535, (5, 3, 4)).astype(np.uint16)
START = datetime(2024, 3, 5, 10)


def series(tmp_path, made):
    return read_folder(dicom.write(tmp_path, [made])).series[0]


def measured_in(unit, slope):
    code = dicom.item(CodeValue=unit, CodingSchemeDesignator="UCUM", CodeMeaning=unit)
    return [dicom.item(MeasurementUnitsCodeSequence=[code], RealWorldValueSlope=slope, RealWorldValueIntercept=0.0)]


def test_a_reconstruction_takes_its_place_from_the_detector_sequence(tmp_path):
    image = series(tmp_path, camera.reconstruction(STORED)).image()
    np.testing.assert_array_equal(image.values, STORED.T.astype(np.float32))
    np.testing.assert_allclose(image.grid.to_mm((1, 2, 3)), (-50 + 5, -60 + 2 * 4, 200 + 3 * 3))
    assert image.timing.duration_s == 900


def test_negative_spacing_stacks_slices_against_their_normal(tmp_path):
    image = series(tmp_path, camera.reconstruction(STORED, spacing=-3.0)).image()
    first = np.round(image.grid.to_index((-50, -60, 200))).astype(int)
    assert first.tolist() == [0, 0, 4]
    np.testing.assert_array_equal(image.values[:, :, 4], STORED[0].T.astype(np.float32))
    np.testing.assert_allclose(image.grid.to_mm((0, 0, 0)), (-50, -60, 200 - 4 * 3))


def test_slices_are_ordered_by_slice_vector(tmp_path):
    image = series(tmp_path, camera.reconstruction(STORED, SliceVector=[3, 1, 5, 4, 2])).image()
    np.testing.assert_array_equal(image.values[:, :, 0], STORED[1].T.astype(np.float32))


def test_a_slice_left_out_of_the_vector_is_refused(tmp_path):
    with pytest.raises(IncompleteSeries, match="after 3"):
        series(tmp_path, camera.reconstruction(STORED, SliceVector=[1, 2, 3, 5, 6])).image()


def test_a_slice_named_twice_is_refused(tmp_path):
    with pytest.raises(DuplicateSlices, match="slice 3 twice"):
        series(tmp_path, camera.reconstruction(STORED, SliceVector=[1, 2, 3, 3, 4])).image()


def test_a_vector_of_the_wrong_length_is_refused(tmp_path):
    with pytest.raises(UnreadableFile, match="4 numbers for 5 frames"):
        series(tmp_path, camera.reconstruction(STORED, SliceVector=[1, 2, 3, 4])).image()


def test_slices_and_views_are_counted_in_order_where_their_vector_is_absent(tmp_path):
    image = series(tmp_path / "a", camera.reconstruction(STORED, SliceVector=None)).image()
    np.testing.assert_array_equal(image.values, STORED.T.astype(np.float32))
    made, _ = camera.acquisition(views=4, detectors=2, AngularViewVector=None)
    angles = series(tmp_path / "b", made).load()[0].angles_deg
    np.testing.assert_allclose(angles, [180, 135, 90, 45, 0, 315, 270, 225])


def test_a_transmission_image_is_not_taken_for_an_emission(tmp_path):
    made = camera.reconstruction(STORED, ImageType=["ORIGINAL", "PRIMARY", "RECON TOMO", "TRANSMISSION"])
    assert series(tmp_path, made).kind is Kind.OTHER


def test_a_reconstruction_without_place_is_refused(tmp_path):
    bare = [camera.detector(ImagePositionPatient=None)]
    with pytest.raises(MissingInformation, match="position, orientation and spacing"):
        series(tmp_path, camera.reconstruction(STORED, DetectorInformationSequence=bare)).image()


@pytest.mark.parametrize(("unit", "factor"), [("Bq/ml", 1), ("kBq/ml", 1e3)])
def test_a_real_world_mapping_makes_an_activity_of_stored_values(tmp_path, unit, factor):
    made = camera.reconstruction(
        STORED, RealWorldValueMappingSequence=measured_in(unit, 2.5), RescaleSlope="7", CorrectedImage=["ATTN"]
    )
    image = series(tmp_path, made).image(Supplied(decay_corrected_to="none"))
    assert image.quantity is Quantity.ACTIVITY_CONCENTRATION
    np.testing.assert_allclose(image.values, STORED.T * 2.5 * factor, rtol=1e-6)


def test_an_activity_that_does_not_tell_its_decay_correction_is_refused(tmp_path):
    made = camera.reconstruction(
        STORED, RealWorldValueMappingSequence=measured_in("Bq/ml", 1.0), CorrectedImage=["DECY"]
    )
    with pytest.raises(MissingInformation, match="decay"):
        series(tmp_path, made).image()


def test_counts_corrected_for_decay_refer_to_the_start_and_say_so(tmp_path):
    image = series(tmp_path, camera.reconstruction(STORED, CorrectedImage=["DECY"])).image()
    assert image.timing.decay_corrected_to == START
    assert any("start of acquisition" in note for note in image.provenance.notes)


def test_gates_of_a_reconstruction_are_images_in_order(tmp_path):
    made = camera.reconstruction(
        np.concatenate([STORED, STORED // 2]), SliceVector=[1, 2, 3, 4, 5] * 2, TimeSlotVector=[2] * 5 + [1] * 5
    )
    first, second = series(tmp_path, made).images()
    np.testing.assert_array_equal(first.values, (STORED // 2).T.astype(np.float32))
    np.testing.assert_array_equal(second.values, STORED.T.astype(np.float32))


def test_frames_in_rotation_that_contradict_the_arc_are_noted(tmp_path):
    rotation = dicom.item(ScanArc="360", AngularStep="6", NumberOfFramesInRotation=5, ActualFrameDuration=10000)
    made = camera.reconstruction(STORED, ActualFrameDuration=None, RotationInformationSequence=[rotation])
    image = series(tmp_path, made).image()
    assert image.timing.duration_s == 600
    assert any("the arc is believed" in note for note in image.provenance.notes)


def test_projections_come_by_window_with_angle_detector_and_radius_of_each_view(tmp_path):
    made, stored = camera.acquisition(views=4, detectors=2, windows=2)
    found = series(tmp_path, made)
    assert found.kind is Kind.PROJECTIONS
    peak, lower = found.load()
    np.testing.assert_array_equal(peak.counts, stored[:8])
    np.testing.assert_array_equal(lower.counts, stored[8:])
    assert (peak.window.name, lower.window.ranges_keV) == ("208", ((166.0, 187.0),))
    np.testing.assert_allclose(peak.angles_deg, [180, 135, 90, 45, 0, 315, 270, 225])
    np.testing.assert_array_equal(peak.detectors, [1] * 4 + [2] * 4)
    np.testing.assert_allclose(peak.radii_mm, [250] * 4 + [251] * 4)
    np.testing.assert_allclose(peak.durations_s, 20)
    assert peak.pixel_mm == (4, 5)
    assert peak.timing.duration_s == 80


def test_rescale_is_applied_to_projections(tmp_path):
    made, stored = camera.acquisition(views=4, RescaleSlope="0.5", RescaleIntercept="0")
    np.testing.assert_allclose(series(tmp_path, made).load()[0].counts, stored * 0.5)


def test_radii_of_a_body_contour_follow_the_views(tmp_path):
    made, _ = camera.acquisition(views=4)
    made.DetectorInformationSequence[0].RadialPosition = [200, 210, 220, 230]
    np.testing.assert_allclose(series(tmp_path, made).load()[0].radii_mm, [200, 210, 220, 230])


def test_projections_without_radius_are_read_and_say_so(tmp_path):
    made, _ = camera.acquisition(views=4)
    del made.DetectorInformationSequence[0].RadialPosition
    read = series(tmp_path, made).load()[0]
    assert read.radii_mm is None
    assert any("distance of the detectors" in note for note in read.provenance.notes)


def test_projections_without_angles_are_refused(tmp_path):
    made, _ = camera.acquisition(views=4)
    del made.RotationInformationSequence[0].AngularStep
    with pytest.raises(MissingInformation, match="angular step"):
        series(tmp_path, made).load()


def test_frames_of_a_dynamic_study_follow_each_other_through_its_phases(tmp_path):
    phases = [
        dicom.item(ActualFrameDuration=1000, NumberOfFramesInPhase=3, PhaseDelay=0, PauseBetweenFrames=500),
        dicom.item(ActualFrameDuration=10000, NumberOfFramesInPhase=2, PhaseDelay=2000, PauseBetweenFrames=0),
    ]
    made = camera.camera(
        STORED,
        "DYNAMIC",
        PhaseVector=[1, 1, 1, 2, 2],
        TimeSliceVector=[1, 2, 3, 1, 2],
        PhaseInformationSequence=phases,
    )
    views = series(tmp_path, made).load()
    starts = [(view.timing.start - START).total_seconds() for view in views]
    assert starts == [0, 1.5, 3, 6.5, 16.5]
    assert [view.timing.duration_s for view in views] == [1, 1, 1, 10, 10]


@pytest.mark.parametrize(("word", "kind"), [("STATIC", Kind.STATIC), ("WHOLE BODY", Kind.WHOLE_BODY)])
def test_planar_views_know_detector_window_and_side(tmp_path, word, kind):
    side = [dicom.item(CodeValue="G-A117", CodingSchemeDesignator="SRT", CodeMeaning="Posterior")]
    made = camera.camera(
        STORED[:2],
        word,
        DetectorVector=[1, 2],
        ActualFrameDuration=600000,
        DetectorInformationSequence=[camera.detector(), camera.detector(ViewCodeSequence=side)],
    )
    found = series(tmp_path, made)
    assert found.kind is kind
    front, back = found.load()
    assert (front.detector, back.detector, back.view) == (1, 2, "posterior")
    assert back.timing.end == START + timedelta(seconds=600)
    np.testing.assert_array_equal(back.counts, STORED[1])


def test_a_planar_view_without_pixel_spacing_is_refused(tmp_path):
    with pytest.raises(BadInput, match="Pixel Spacing"):
        series(tmp_path, camera.camera(STORED, "STATIC", PixelSpacing=None)).load()


def test_lossy_compression_is_noted(tmp_path):
    made = camera.camera(STORED, "STATIC", LossyImageCompression="01", LossyImageCompressionRatio="20")
    assert "lossy" in series(tmp_path, made).load()[0].provenance.notes[-1]
