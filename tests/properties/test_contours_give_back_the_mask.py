"""What an RTSTRUCT encloses is the mask it was made from, to a reader that knows nothing of ours: point in polygon."""

from datetime import datetime

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.uid import PositronEmissionTomographyImageStorage
from scipy import ndimage

from hevesy.core import Grid, Outline, Region
from hevesy.stages.imaging import rtstruct
from hevesy.stages.segmentation.contour import outline
from hevesy.stages.segmentation.coverage import cover

MADE = datetime(2026, 1, 2, 3, 4, 5)
SHAPE = (24, 20, 9)
TURN = np.array([[0.96, -0.28, 0.0], [0.28, 0.96, 0.0], [0.0, 0.0, 1.0]])


def grid():
    affine = np.eye(4)
    affine[:3, :3] = TURN @ np.diag((2.0, 2.5, 3.0))
    affine[:3, 3] = (-211.37, -190.11, 402.2)
    return Grid(SHAPE, affine, "1.2.3")


def headers():
    made = []
    for k in range(SHAPE[2]):
        d = Dataset()
        d.SOPClassUID, d.SOPInstanceUID = PositronEmissionTomographyImageStorage, f"1.2.4.{k}"
        d.SeriesInstanceUID, d.StudyInstanceUID, d.FrameOfReferenceUID = "1.2.5", "1.2.6", "1.2.3"
        d.ImageOrientationPatient = [0.96, 0.28, 0, -0.28, 0.96, 0]
        d.ImagePositionPatient = [float(x) for x in grid().to_mm((0, 0, k))]
        made.append(d)
    return made


def inside(polygon, points):
    """Even-odd rule: does a ray to the right cross the polygon (n, 2) an odd number of times?"""
    x, y = points[..., 0, None], points[..., 1, None]
    a, b = polygon, np.roll(polygon, -1, axis=0)
    straddles = (a[:, 1] > y) != (b[:, 1] > y)
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = a[:, 0] + (y - a[:, 1]) * (b[:, 0] - a[:, 0]) / (b[:, 1] - a[:, 1])
    return (straddles & (x < crossing)).sum(axis=-1) % 2 == 1


def enclosed(path):
    """Return, by pydicom alone, the voxel centres that the first structure encloses."""
    mask = np.zeros(SHAPE, bool)
    centres = np.stack(np.meshgrid(np.arange(SHAPE[0]), np.arange(SHAPE[1]), indexing="ij"), axis=-1)
    for contour in pydicom.dcmread(path).ROIContourSequence[0].ContourSequence:
        index = grid().to_index(np.array(contour.ContourData, float).reshape(-1, 3))
        plane = round(float(index[0, 2]))
        assert contour.ContourImageSequence[0].ReferencedSOPInstanceUID == f"1.2.4.{plane}"
        mask[:, :, plane] ^= inside(index[:, :2], centres)
    return mask


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), share=st.floats(0.02, 0.6))
def test_a_mask_of_any_shape_with_holes_and_islands_comes_back_to_the_voxel(seed, share, tmp_path_factory):
    smooth = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=SHAPE), 1.3)
    mask = smooth > np.quantile(smooth, 1 - share)
    path = tmp_path_factory.mktemp("s") / "r.dcm"
    rtstruct.write([outline(Region.from_mask("blob", grid(), mask))], headers(), path, MADE)
    np.testing.assert_array_equal(enclosed(path), mask)


@pytest.mark.parametrize("radius_mm", [6.0, 12.0, 20.0])
def test_a_sphere_that_covers_voxels_in_part_comes_back_between_its_caps_as_those_covered_by_half(radius_mm, tmp_path):
    turns = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    middle = grid().to_mm((11.3, 9.8, 4.2))
    rings = []
    for z in np.arange(-radius_mm + 0.25, radius_mm, 0.5):
        flat = np.sqrt(radius_mm**2 - z**2) * np.column_stack([np.cos(turns), np.sin(turns)])
        rings.append(np.column_stack([flat, np.full(90, z)]) + middle)
    reach = np.abs(grid().to_mm((0, 0, 0))[2] - middle[2])
    region = cover(Outline("sphere", tuple(r for r in rings if abs(r[0, 2] - middle[2]) < reach), "1.2.3"), grid())
    rtstruct.write([outline(region)], headers(), tmp_path / "r.dcm", MADE)
    filled = region.mask().max(axis=(0, 1)) > 0.999  # the others are caps, where a contour keeps the volume instead
    mask, back = region.mask()[..., filled] >= 0.5, enclosed(tmp_path / "r.dcm")[..., filled]
    dice = 2 * (mask & back).sum() / (mask.sum() + back.sum())
    assert dice > 0.98
