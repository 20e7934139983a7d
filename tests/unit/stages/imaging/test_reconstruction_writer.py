"""A reconstruction written as NM RECON TOMO is read back alike by us and by others."""

from datetime import datetime

import numpy as np
import pytest

from factories import camera, dicom, tomo
from hevesy.core import EnergyWindow, Grid, Image, Quantity, Timing
from hevesy.errors import WrongQuantity
from hevesy.stages.imaging.axis_of_rotation import patient_position
from hevesy.stages.imaging.folder import read_folder
from hevesy.stages.imaging.reconstruction_writer import Making, write_reconstruction

MAKING = Making(EnergyWindow(((126.0, 154.0),), "Tc-99m"), "OSEM 4 x 8", ("ATTN", "SCAT"), datetime(2026, 1, 2))
AFFINE = np.array([[4.4, 0, 0, -30.2], [0, 4.4, 0, -25.7], [0, 0, -4.8, 413.1], [0, 0, 0, 1]])
VALUES = np.random.default_rng(2).gamma(2.0, 3e4, (6, 5, 4))


def source():
    given = dicom.radiopharmaceutical(Radiopharmaceutical="MDP", RadionuclideTotalDose=dicom.ds(600))
    made = tomo.stored(tomo.Scan((0, 0, 0), (0, 0, 0)), RadiopharmaceuticalInformationSequence=[given])
    made.ReferringPhysicianName = made.AccessionNumber = ""
    return made


def write(tmp_path, quantity=Quantity.ACTIVITY_CONCENTRATION, affine=AFFINE, values=VALUES):
    image = Image(values, Grid(values.shape, affine, "1.2.3.99"), quantity, Timing(datetime(2024, 3, 5, 10), 480.0))
    path = tmp_path / "spect.dcm"
    write_reconstruction(image, source(), MAKING, path)
    return image, path


@pytest.mark.parametrize("quantity", [Quantity.ACTIVITY_CONCENTRATION, Quantity.COUNTS])
def test_values_place_and_time_come_back(tmp_path, quantity):
    image, path = write(tmp_path, quantity)
    read = read_folder(path).series[0].image()
    assert (read.quantity, read.timing) == (quantity, image.timing)
    assert read.grid.frame_of_reference == "1.2.3.99"
    # slices are stored along their normal, so that the third axis comes back turned over
    np.testing.assert_allclose(read.grid.to_mm((2, 3, 3)), image.grid.to_mm((2, 3, 0)), atol=1e-3)
    half_a_step = VALUES.max() / 65535 / 2
    np.testing.assert_allclose(read.values, VALUES[:, :, ::-1], atol=1.01 * half_a_step)


def test_what_was_administered_and_corrected_is_carried_over(tmp_path):
    _, path = write(tmp_path)
    head = read_folder(path).series[0].headers[0]
    assert head.RadiopharmaceuticalInformationSequence[0].Radiopharmaceutical == "MDP"
    assert list(head.CorrectedImage) == ["ATTN", "SCAT"]
    assert head.AcquisitionTime == "100000"
    assert patient_position(head) == "HFS"
    assert head.SourceImageSequence[0].ReferencedSOPClassUID == dicom.NM


@pytest.mark.parametrize("quantity", [Quantity.ACTIVITY_CONCENTRATION, Quantity.COUNTS])
def test_dciodvfy_finds_no_error(tmp_path, faults, quantity):
    _, path = write(tmp_path, quantity)
    assert faults(path) == []


def test_simpleitk_reads_the_same_values_at_the_same_places(tmp_path):
    from SimpleITK import ReadImage

    image, path = write(tmp_path)
    read = ReadImage(str(path))
    # SimpleITK knows no real world value mapping; the rescale beside it says the same
    index = (4, 1, 2)
    place = image.grid.to_mm((4, 1, 1))
    np.testing.assert_allclose(
        read.TransformContinuousIndexToPhysicalPoint([float(i) for i in index]), place, atol=1e-3
    )
    assert read.GetPixel(index) == pytest.approx(VALUES[4, 1, 1], abs=VALUES.max() / 65535)


def test_values_below_zero_are_refused(tmp_path):
    with pytest.raises(WrongQuantity, match="below zero"):
        write(tmp_path, values=VALUES - 1e5)


def test_an_absent_sequence_is_written_empty(tmp_path, faults):
    bare = camera.camera(np.zeros((4, 3, 3), np.uint16), "TOMO", StudyDate="", StudyTime="")
    image = Image(VALUES, Grid(VALUES.shape, AFFINE, "1.2.3.99"), Quantity.COUNTS)
    write_reconstruction(image, bare, MAKING, tmp_path / "a.dcm")
    assert not [fault for fault in faults(tmp_path / "a.dcm") if "Radiopharmaceutical" in fault]
