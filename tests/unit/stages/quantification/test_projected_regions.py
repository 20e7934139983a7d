import math

import numpy as np
import pytest

from hevesy.core import Grid
from hevesy.errors import BadInput
from hevesy.stages.quantification.projected_regions import as_seen, beside, depth_of, geometric_projection, on_pixels


def test_a_volume_is_seen_from_the_front_with_the_head_up_and_the_right_side_on_the_left():
    values = np.zeros((4, 5, 6))
    values[0, 1, 5] = 1.0  # right, second from the front, head
    seen, spacing = as_seen(values, Grid.regular((4, 5, 6), (2.0, 3.0, 4.0)))
    assert np.argwhere(seen).tolist() == [[1, 0, 0]]
    assert spacing == (3.0, 4.0, 2.0)


def test_a_grid_that_runs_the_other_way_is_seen_the_same():
    values = np.random.default_rng(1).random((4, 5, 6))
    grid = Grid.regular((4, 5, 6), (2.0, 3.0, 4.0))
    turned = Grid((6, 5, 4), np.array([[0, 0, -2, 6], [0, -3, 0, 12], [-4, 0, 0, 20], [0, 0, 0, 1]], float))
    again, spacing = as_seen(values[::-1, ::-1, ::-1].transpose(2, 1, 0), turned)
    seen, same = as_seen(values, grid)
    assert (again == seen).all()
    assert spacing == same


def test_an_oblique_grid_is_refused():
    affine = np.eye(4)
    affine[:2, :2] = [[math.cos(0.3), -math.sin(0.3)], [math.sin(0.3), math.cos(0.3)]]
    with pytest.raises(BadInput, match="oblique"):
        as_seen(np.ones((3, 3, 3)), Grid((3, 3, 3), affine))


@pytest.mark.parametrize("at", [0, 7, 19])
def test_the_geometric_mean_of_a_thin_source_does_not_know_its_depth(at):
    activity = np.zeros((20, 1, 1))
    activity[at] = 3.0
    seen = geometric_projection(activity, np.full((20, 1, 1), 0.015), 5.0)
    assert seen[0, 0] == pytest.approx(3.0 * math.exp(-0.015 * 100 / 2), rel=1e-12)


def test_a_region_lies_between_what_is_before_and_behind_it():
    body, region = np.zeros((20, 3, 3)), np.zeros((20, 3, 3))
    body[2:18], region[5:9, 1, 1] = 1.0, 1.0
    depth = depth_of(region, body, 10.0)
    assert (depth.before_mm, depth.within_mm, depth.behind_mm) == (30.0, 40.0, 90.0)
    assert depth.body_mm == 160.0
    assert depth.from_back == (90.0, 130.0)


def test_other_pixels_show_the_same_place_about_the_same_centre():
    ramp = np.add.outer(np.arange(10.0), 2 * np.arange(8.0))
    finer = on_pixels(ramp, (6.0, 6.0), (3.0, 3.0))
    assert finer.shape == (20, 16)
    inside = finer[2:-2, 2:-2]
    rows, columns = np.meshgrid((np.arange(2, 18) - 0.5) / 2, (np.arange(2, 14) - 0.5) / 2, indexing="ij")
    assert inside == pytest.approx(rows + 2 * columns, abs=1e-9)


def test_the_ring_beside_a_region_keeps_clear_of_it_and_of_others():
    region, other = np.zeros((30, 30), bool), np.zeros((30, 30), bool)
    region[10:15, 10:15] = True
    other[10:15, 18:22] = True
    ring = beside(region, other, 2, 3)
    assert ring.any()
    assert not (ring[8:17, 10:15].any() or ring[:, 16:24][10:15].any())
