import nibabel
import numpy as np
import pytest
import SimpleITK

from hevesy.core import Grid, Image, Quantity
from hevesy.stages.imaging import nifti

LPS = np.diag((-1, -1, 1, 1))


@pytest.fixture
def image(oblique):
    values = np.random.default_rng(5).random(oblique.shape, dtype=np.float32)
    return Image(values, oblique, Quantity.ABSORBED_DOSE)


@pytest.mark.parametrize("name", ["dose.nii", "dose.nii.gz"])
def test_values_and_places_come_back(image, tmp_path, name):
    nifti.write(image, tmp_path / name)
    back = nibabel.load(tmp_path / name)
    np.testing.assert_array_equal(back.get_fdata(dtype=np.float32), image.values)
    # 1e-4 mm: the header holds single precision
    np.testing.assert_allclose(LPS @ back.affine, image.grid.affine, atol=1e-4)
    assert back.header.get_xyzt_units()[0] == "mm"
    assert back.header["descrip"].item() == b"absorbed dose, Gy"


def test_the_first_two_axes_of_the_patient_change_sign_and_the_third_does_not(tmp_path):
    grid = Grid.regular((3, 4, 5), (2.0, 3.0, 4.0), (10.0, 20.0, 30.0))
    nifti.write(Image(np.zeros(grid.shape), grid, Quantity.COUNTS), tmp_path / "i.nii")
    np.testing.assert_allclose(nibabel.load(tmp_path / "i.nii").affine @ (1, 1, 1, 1), (-12, -23, 34, 1))


def test_another_reader_puts_each_voxel_where_it_was(image, tmp_path):
    nifti.write(image, tmp_path / "dose.nii.gz")
    theirs = SimpleITK.ReadImage(str(tmp_path / "dose.nii.gz"))  # in LPS, as ours
    for index in ((0, 0, 0), (11, 0, 3), (4, 10, 8)):
        place = theirs.TransformIndexToPhysicalPoint(index)
        np.testing.assert_allclose(place, image.grid.to_mm(index), atol=1e-3)  # mm
        assert theirs[index] == image.values[index]


def test_a_skewed_grid_keeps_its_affine(tmp_path):
    affine = np.diag((2.0, 2.0, 3.0, 1.0))
    affine[0, 2] = 0.5
    image = Image(np.zeros((3, 3, 3)), Grid((3, 3, 3), affine), Quantity.HOUNSFIELD)
    nifti.write(image, tmp_path / "ct.nii")
    np.testing.assert_allclose(LPS @ nibabel.load(tmp_path / "ct.nii").affine, affine)


def test_the_same_image_gives_the_same_bytes(image, tmp_path):
    for name in ("a.nii.gz", "b.nii.gz"):
        nifti.write(image, tmp_path / name)
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()
    assert (tmp_path / "a.nii.gz").read_bytes()[4:8] == b"\0\0\0\0"  # no time of compression
