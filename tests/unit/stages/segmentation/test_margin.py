import numpy as np
import pytest

from hevesy.core import Grid, Region
from hevesy.stages.segmentation.margin import with_margin

GRID = Grid.regular((40, 40, 20), (2.0, 2.0, 4.0))


def sphere(radius_mm, centre=(40.0, 40.0, 40.0)):
    place = np.meshgrid(
        *(step * np.arange(n) for n, step in zip(GRID.shape, (2.0, 2.0, 4.0), strict=True)), indexing="ij"
    )
    distance = np.sqrt(sum((p - c) ** 2 for p, c in zip(place, centre, strict=True)))
    return Region.from_mask("sphere", GRID, np.clip((radius_mm - distance) / 2.5 + 0.5, 0, 1))


@pytest.mark.parametrize("margin_mm", [-6.0, -3.0, 0.0, 3.0, 6.0])
def test_a_sphere_with_a_margin_is_the_sphere_of_the_new_radius(margin_mm):
    found = with_margin(sphere(20.0), margin_mm)
    # 0.4 mm in the radius: a fifth of the smallest side of a voxel of 2 by 2 by 4 mm
    assert np.cbrt(found.volume_mL * 3000 / (4 * np.pi)) == pytest.approx(20.0 + margin_mm, abs=0.4)
    assert found.name == "sphere"


@pytest.mark.parametrize("margin_mm", [1.0, 3.0])
def test_the_outline_moves_as_far_as_it_was_told(margin_mm):
    wider, narrower = (
        np.cbrt(with_margin(sphere(20.0), way * margin_mm).volume_mL * 3000 / (4 * np.pi)) for way in (1, -1)
    )
    assert wider - narrower == pytest.approx(2 * margin_mm, rel=0.06)


def test_nothing_is_left_of_a_region_that_is_shrunk_by_more_than_its_radius():
    assert with_margin(sphere(8.0), -12.0) is None


def test_a_margin_ends_where_the_grid_does():
    found = with_margin(sphere(20.0, centre=(0.0, 0.0, 0.0)), 10.0)
    assert found.offset == (0, 0, 0)
    assert found.volume_mL == pytest.approx(4 / 3 * np.pi * 31**3 / 8000, rel=0.15), "an eighth, and half a voxel"


def test_a_region_without_any_voxel_that_is_half_covered_still_has_an_outline():
    thin = Region("thin", GRID, np.full((3, 3, 1), 0.3), (10, 10, 10))
    assert with_margin(thin, 4.0).volume_mL > thin.volume_mL
