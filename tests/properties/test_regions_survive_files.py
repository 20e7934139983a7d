"""A region keeps its volume through each DICOM object that can hold it."""

from datetime import datetime

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import PositronEmissionTomographyImageStorage

from hevesy.core import Grid, Outline
from hevesy.stages.imaging import rtstruct, segmentation_object
from hevesy.stages.segmentation.contour import outline
from hevesy.stages.segmentation.coverage import cover

MADE = datetime(2026, 1, 2, 3, 4, 5)
GRID = Grid.regular((40, 40, 30), (2.0, 2.0, 2.5), (-40.0, -40.0, -37.5), "1.2.3")


@pytest.fixture
def headers():
    header = Dataset()
    header.SOPClassUID, header.SOPInstanceUID = PositronEmissionTomographyImageStorage, "1.2.4"
    header.SeriesInstanceUID, header.StudyInstanceUID, header.FrameOfReferenceUID = "1.2.5", "1.2.6", "1.2.3"
    return [header]


def spheroid(a, c):
    turns = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    around = np.column_stack([np.cos(turns), np.sin(turns)])
    heights = np.arange(-c + 0.5, c, 1.0)
    radii = a * np.sqrt(1 - (heights / c) ** 2)
    rings = [np.column_stack([r * around + 0.7, np.full(120, z)]) for r, z in zip(radii, heights, strict=True)]
    return cover(Outline("spheroid", tuple(rings), "1.2.3"), GRID)


@pytest.mark.parametrize(("a", "c"), [(8.0, 10.0), (25.0, 15.0)])
def test_through_a_structure_set(a, c, headers, tmp_path):
    region = spheroid(a, c)
    rtstruct.write([outline(region)], headers, tmp_path / "r.dcm", MADE)
    back = cover(rtstruct.read_structures(tmp_path / "r.dcm").outlines[0], GRID)
    # 0.2% between the two: the contour's level is found to 2⁻¹⁶ a slice; 1% of the solid: planes 1 mm apart
    assert back.volume_mL == pytest.approx(region.volume_mL, rel=2e-3)
    assert back.volume_mL == pytest.approx(4 / 3 * np.pi * a * a * c * 1e-3, rel=0.01)


def test_through_a_fractional_segmentation(headers, tmp_path):
    region = spheroid(25.0, 15.0)
    segmentation_object.write([region], headers, tmp_path / "s.dcm", MADE, "FRACTIONAL")
    back = segmentation_object.read_segments(tmp_path / "s.dcm").regions[0]
    # 0.1%: occupancy is rounded to 1/255 up and down alike
    assert back.volume_mL == pytest.approx(region.volume_mL, rel=1e-3)


def test_through_a_binary_segmentation(headers, tmp_path):
    region = spheroid(25.0, 15.0)
    segmentation_object.write([region], headers, tmp_path / "s.dcm", MADE)
    back = segmentation_object.read_segments(tmp_path / "s.dcm").regions[0]
    # 2%: a voxel is in or out by half
    assert back.volume_mL == pytest.approx(region.volume_mL, rel=0.02)
