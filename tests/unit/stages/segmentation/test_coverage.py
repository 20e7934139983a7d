import numpy as np
import pytest

from hevesy.core import Grid, Outline, Role
from hevesy.errors import BadInput, GridMismatch, OutsideImage
from hevesy.stages.segmentation.coverage import cover

GRID = Grid.regular((20, 20, 10), (1.0, 1.0, 2.0), frame_of_reference="1.2.3")


def square(low, high, z, reverse=False):
    corners = [[low, low, z], [high, low, z], [high, high, z], [low, high, z]]
    return np.array(corners[::-1] if reverse else corners, float)


def outline(*contours, frame="1.2.3", role=Role.ORGAN):
    return Outline("kidney", contours, frame, role)


def test_a_contour_through_voxels_covers_the_exact_fraction_of_each():
    region = cover(outline(square(2.25, 5.0, 4.0)), GRID)
    assert region.offset == (2, 2, 2)
    assert region.coverage.shape == (4, 4, 1)
    along = np.array([0.25, 1, 1, 0.5])
    np.testing.assert_allclose(region.coverage[:, :, 0], np.outer(along, along), atol=1e-6)


def test_name_and_role_are_kept():
    region = cover(outline(square(2, 5, 4.0), role=Role.LESION), GRID)
    assert (region.name, region.role) == ("kidney", Role.LESION)


def test_a_structure_on_one_plane_is_one_slice_thick():
    assert cover(outline(square(2, 5, 4.0)), GRID).volume_mL == pytest.approx(9 * 2e-3)


def test_a_plane_between_two_slices_is_shared_between_them():
    region = cover(outline(square(2, 5, 4.5)), GRID)
    np.testing.assert_allclose(region.coverage[1, 1], [0.75, 0.25], atol=1e-6)


def test_contours_further_apart_than_slices_reach_half_way_to_their_neighbours():
    region = cover(outline(*(square(2, 5, z) for z in (5.0, 10.0))), GRID)
    # slabs from 2.5 to 12.5 mm over slices of 2 mm centred on 2, 4, 6, 8, 10, 12 mm
    np.testing.assert_allclose(region.coverage[1, 1], [0.25, 1, 1, 1, 1, 0.75], atol=1e-6)


def test_contours_closer_than_slices_share_a_slice():
    region = cover(outline(square(2, 5, 5.5), square(2, 8, 6.5)), GRID)
    assert region.volume_mL == pytest.approx((9 + 36) * 1e-3)
    assert region.coverage[4, 4, 0] == pytest.approx(0.5)


def test_one_undrawn_slice_is_filled_and_a_wide_gap_is_left_open():
    region = cover(outline(*(square(2, 5, 2.0 * k) for k in (0, 1, 2, 4, 8))), GRID)
    np.testing.assert_array_equal(region.mask()[3, 3], [1, 1, 1, 1, 1, 0, 0, 0, 1, 0])


@pytest.mark.parametrize("reverse", [False, True])
def test_a_contour_inside_another_is_a_hole_and_one_inside_that_an_island(reverse):
    region = cover(outline(square(6, 9, 4), square(1, 15, 4), square(3, 12, 4, reverse)), GRID)
    assert region.volume_mL == pytest.approx((14**2 - 9**2 + 3**2) * 2e-3)
    mask = region.mask()[..., 2]
    assert (mask[2, 2], mask[4, 4], mask[7, 7]) == (1, 0, 1)


def test_a_keyhole_contour_encloses_what_its_channel_leaves():
    outer, inner = square(1, 15, 4), square(4, 8, 4, reverse=True)
    keyhole = np.concatenate([outer, outer[:1], inner, inner[:1]])
    region = cover(outline(keyhole), GRID)
    assert region.volume_mL == pytest.approx((14**2 - 4**2) * 2e-3)
    assert region.mask()[6, 6, 2] == 0


def test_a_contour_drawn_twice_counts_once():
    region = cover(outline(square(2, 5, 4), square(2, 5, 4)), GRID)
    assert region.volume_mL == pytest.approx(9 * 2e-3)


def test_contours_that_overlap_are_joined():
    region = cover(outline(square(1.5, 8.5, 4), square(5.5, 14.5, 4)), GRID)
    assert region.volume_mL == pytest.approx((49 + 81 - 9) * 2e-3)


def test_coordinates_rounded_in_storage_leave_no_slivers_in_the_next_slice():
    region = cover(outline(*(square(2.5, 5.5, z) for z in (4.004, 6.0, 7.996))), GRID)
    assert region.coverage.shape == (3, 3, 3)
    assert region.coverage.min() == 1


def test_contours_may_run_along_another_axis_of_the_grid():
    sagittal = [np.roll(square(2.5, 5.5, x), 1, axis=1) for x in (6.0, 7.0)]
    region = cover(outline(*sagittal), GRID)
    assert region.volume_mL == pytest.approx(9 * 2 * 1e-3)
    assert region.offset[0] == 6
    assert region.coverage.shape[0] == 2


def test_a_region_partly_outside_the_image_is_refused_by_name():
    with pytest.raises(OutsideImage, match=r"'kidney' reaches outside the image: 50\.0%"):
        cover(outline(square(14.5, 24.5, 4) - [0, 10, 0]), GRID)


def test_a_region_beyond_the_last_slice_is_refused():
    with pytest.raises(OutsideImage, match=r"100\.0%"):
        cover(outline(square(2, 5, 400)), GRID)


def test_a_region_up_to_the_very_edge_is_accepted():
    region = cover(outline(*(square(-0.5, 19.5, 2.0 * k) for k in range(10))), GRID)
    assert region.coverage.shape == GRID.shape
    assert region.coverage.min() == 1


def test_another_frame_of_reference_is_refused():
    with pytest.raises(GridMismatch, match="another frame of reference"):
        cover(outline(square(2, 5, 4), frame="9.9"), GRID)


def test_a_figure_of_eight_is_refused():
    eight = np.array([[2, 2, 4], [8, 8, 4], [8, 2, 4], [2, 8, 4.0]])
    with pytest.raises(BadInput, match=r"crosses itself|encloses no area"):
        cover(outline(eight), GRID)
    eight[1] = 7, 9, 4
    with pytest.raises(BadInput, match="crosses itself"):
        cover(outline(eight), GRID)


def test_contours_on_planes_that_are_not_parallel_are_refused():
    with pytest.raises(BadInput, match="not flat on parallel planes"):
        cover(outline(square(2, 8, 4), np.roll(square(2, 5, 6), 1, axis=1)), GRID)


def test_a_line_is_refused():
    with pytest.raises(BadInput, match="no area"):
        cover(outline(np.array([[2, 2, 4], [5, 5, 4], [8, 8, 4.0]])), GRID)
