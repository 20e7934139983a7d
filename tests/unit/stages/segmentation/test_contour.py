import numpy as np
import pytest

from hevesy.core import Grid, Outline, Region, Role
from hevesy.stages.segmentation.contour import outline
from hevesy.stages.segmentation.coverage import cover

ANGLES = np.linspace(0, 2 * np.pi, 180, endpoint=False)


def ring(radius, z, centre=(0.0, 0.0)):
    around = radius * np.column_stack([np.cos(ANGLES), np.sin(ANGLES)]) + centre
    return np.column_stack([around, np.full(len(around), z)])


@pytest.fixture
def grid():
    turn = np.array([[np.cos(0.4), -np.sin(0.4), 0], [np.sin(0.4), np.cos(0.4), 0], [0, 0, 1.0]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag((2.0, 2.5, 3.0))
    affine[:3, 3] = -affine[:3, :3] @ (15, 15, 10)
    return Grid((31, 31, 21), affine, "1.2.3")


def test_a_region_drawn_contoured_and_covered_again_keeps_its_volume_and_place(grid):
    sphere = Outline("s", tuple(ring(np.sqrt(15**2 - z**2), z) for z in np.arange(-14, 15, 2.0)), "1.2.3", Role.LESION)
    region = cover(sphere, grid)
    drawn = outline(region)
    assert (drawn.name, drawn.role, drawn.frame_of_reference) == ("s", Role.LESION, "1.2.3")
    again = cover(drawn, grid)
    # 0.1%: the level on each slice is found to 2⁻¹⁶
    assert again.volume_mL == pytest.approx(region.volume_mL, rel=1e-3)
    # of the volume, 8% may change voxels: 40% of them lie on the surface of so small a sphere
    moved = np.abs(again.mask() - region.mask()).sum() / region.mask().sum()
    assert moved < 0.08


@pytest.mark.parametrize("size", [1, 2, 3, 8])
def test_a_small_square_mask_keeps_its_volume(grid, size):
    mask = np.zeros(grid.shape)
    mask[5 : 5 + size, 6 : 6 + size, 4 : 4 + size] = 1
    region = Region.from_mask("cube", grid, mask)
    # a single slice stands for one slice, so that this holds from one voxel up; 0.2%: the level is found to 2⁻¹⁶
    assert cover(outline(region), grid).volume_mL == pytest.approx(region.volume_mL, rel=2e-3)


def test_holes_become_keyholes_and_islands_stay(grid):
    contours = (ring(25, 0.0), ring(15, 0.0), ring(6, 0.0, (-3, 2)))
    region = cover(Outline("annulus", contours), grid)
    drawn = outline(region)
    assert len(drawn.contours_mm) == 2
    again = cover(drawn, grid)
    assert again.volume_mL == pytest.approx(region.volume_mL, rel=1e-3)
    assert again.mask()[15, 15, 10] == pytest.approx(1)
    between = np.rint(grid.to_index((11.0, 0, 0))).astype(int)
    assert again.mask()[tuple(between)] == pytest.approx(0, abs=1e-5)


def test_two_holes_share_one_keyholed_contour(grid):
    contours = (ring(28, 0.0), ring(7, 0.0, (-12, 0)), ring(7, 0.0, (12, 4)))
    region = cover(Outline("mask of a face", contours), grid)
    drawn = outline(region)
    assert len(drawn.contours_mm) == 1
    assert cover(drawn, grid).volume_mL == pytest.approx(region.volume_mL, rel=1e-3)


def test_a_slice_covered_by_less_than_half_is_not_lost(grid):
    region = Region("thin", grid, np.full((6, 6, 1), 0.3), (4, 4, 3))
    assert cover(outline(region), grid).volume_mL == pytest.approx(region.volume_mL, rel=1e-3)


def test_a_region_at_the_edge_of_the_grid_is_closed(grid):
    mask = np.zeros(grid.shape)
    mask[:4, :3, :] = 1
    drawn = outline(Region.from_mask("edge", grid, mask))
    index = grid.to_index(np.concatenate(drawn.contours_mm))
    assert -1 < index[:, 0].min() < 0
    assert len(drawn.contours_mm) == grid.shape[2]
