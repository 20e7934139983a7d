"""Dewaraja & Van 2021, doi 10.7302/0n8e-rz46: two liver lesions drawn on a SPECT of 1.953 mm voxels."""

import tarfile
from pathlib import Path

import numpy as np
import pytest

from hevesy.core import Grid
from hevesy.stages.imaging.rtstruct import read_structures
from hevesy.stages.segmentation.coverage import cover

PATIENT = Path(__file__).parents[4] / "shared" / "reference" / "lu177_patient"
VOXEL_MM = 1.953125
pytestmark = pytest.mark.skipif(not PATIENT.exists(), reason="needs the shared reference data")


@pytest.fixture(scope="module")
def structures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scan")
    with tarfile.open(PATIENT / "umich_lu177_dotatate_SCAN_001.tar.xz") as archive:
        (member,) = [m for m in archive if "/mask/" in m.name and m.isfile()]
        archive.extract(member, folder, filter="data")
    return read_structures(folder / member.name)


def test_both_lesions_are_read_and_their_role_is_left_open(structures):
    assert [o.name for o in structures.outlines] == ["lesion1 liver R lobe", "lesion2 liver L lateral"]
    assert sum("states no type" in note for note in structures.notes) == 2
    assert len(structures.referenced_series_uids) == 1


@pytest.mark.parametrize("index", [0, 1])
def test_the_covered_volume_is_that_of_the_drawn_polygons(structures, index):
    outline = structures.outlines[index]
    drawn = 0.0
    for contour in outline.contours_mm:  # one a slice, none within another
        x, y = contour[:, 0] - contour[0, 0], contour[:, 1] - contour[0, 1]
        drawn += abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2 * VOXEL_MM * 1e-3
    points = np.concatenate(outline.contours_mm)
    low = points.min(axis=0)
    shape = tuple(int(n) for n in np.ceil(np.ptp(points, axis=0) / VOXEL_MM) + 5)
    origin = low - [2.3 * VOXEL_MM, 1.6 * VOXEL_MM, 2 * VOXEL_MM]
    region = cover(outline, Grid.regular(shape, (VOXEL_MM,) * 3, tuple(origin)))
    # 0.1%: slice positions are stored to 1 µm, so that spacings differ by as much
    assert region.volume_mL == pytest.approx(drawn, rel=1e-3)
