import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hevesy.core import Grid, Measured, Region, Role
from hevesy.errors import GridMismatch, OutsideImage
from hevesy.stages.segmentation.placement import place

OWN = Grid.regular((6, 5, 4), (2.0, 2.0, 3.0), (10.0, 20.0, 30.0), "1.2.3")


@pytest.fixture
def region():
    mask = np.random.default_rng(2).random((4, 3, 2)).astype(np.float32)
    return Region("part", OWN, mask, (1, 1, 1), Role.LESION, Measured(0.8, 0.1))


def centre_mm(region):
    index, weights = np.argwhere(region.coverage), region.coverage[region.coverage > 0]
    return region.grid.to_mm(index + region.offset).T @ weights / weights.sum()


def test_a_larger_image_on_the_same_lattice_takes_the_very_voxels(region):
    larger = Grid.regular((20, 20, 20), (2.0, 2.0, 3.0), (4.0, 8.0, 21.0), "1.2.3")
    placed = place(region, larger)
    assert placed.offset == (4, 7, 4)
    np.testing.assert_array_equal(placed.coverage, region.coverage)
    assert (placed.name, placed.role, placed.recovery) == (region.name, Role.LESION, region.recovery)


def test_axes_may_run_backwards_and_in_another_order(region):
    affine = np.zeros((4, 4))
    affine[0, 2], affine[1, 0], affine[2, 1], affine[3, 3] = 2.0, -2.0, 3.0, 1.0
    affine[:3, 3] = 4.0, 40.0, 21.0
    turned = Grid((20, 20, 20), affine, "1.2.3")
    placed = place(region, turned)
    for index in np.argwhere(region.coverage):
        here = np.rint(turned.to_index(OWN.to_mm(index + region.offset))).astype(int)
        assert placed.mask()[tuple(here)] == region.coverage[tuple(index)]


@settings(max_examples=40, deadline=None)
@given(st.tuples(*[st.floats(0.6, 6)] * 3), st.tuples(*[st.floats(-3, 3)] * 3))
@example((1.0, 1.99609375, 1.0), (0.0, 0.0, 0.0))  # nearly the region's own spacing, and not the same
def test_volume_and_centre_are_kept_whatever_the_spacing(spacing, shift):
    mask = np.random.default_rng(2).random((4, 3, 2)).astype(np.float32)
    region = Region("part", OWN, mask, (1, 1, 1))
    shape = tuple(int(np.ceil(50 / s)) for s in spacing)
    origin = tuple(np.add(shift, (-2, 8, 18)))
    placed = place(region, Grid.regular(shape, spacing, origin))
    assert placed.volume_mL == pytest.approx(region.volume_mL, rel=1e-4)  # fractions in single precision
    # half a voxel: a fraction does not say where in its voxel it lies
    np.testing.assert_allclose(centre_mm(placed), centre_mm(region), atol=0.5 * max(spacing))


@pytest.mark.parametrize("spacing", [1.0, 2.0, 4.0])
def test_an_oblique_grid_keeps_volume_and_centre(spacing):
    fine = Grid.regular((30, 30, 30), (1.0, 1.0, 1.0), (-14.5, -14.5, -14.5))
    ball = np.linalg.norm(fine.to_mm(np.moveaxis(np.indices(fine.shape), 0, -1)), axis=-1) < 12
    region = Region.from_mask("ball", fine, ball)
    angle = 0.5
    affine = np.eye(4)
    affine[:3, :3] = spacing * np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    n = int(40 / spacing)
    affine[:3, 3] = -affine[:3, :3] @ np.full(3, (n - 1) / 2)
    placed = place(region, Grid((n, n, n), affine))
    # 0.5% and 0.1 mm: some ten thousand sample points on the surface
    assert placed.volume_mL == pytest.approx(region.volume_mL, rel=5e-3)
    np.testing.assert_allclose(centre_mm(placed), 0, atol=0.1)


@pytest.mark.parametrize("tilt", [0.0, 0.2])
def test_a_region_partly_outside_is_refused(region, tilt):
    affine = np.diag((2.0, 2.0, 3.0, 1.0))
    affine[0, 1] = tilt
    affine[:3, 3] = 14.0, 20.0, 30.0
    with pytest.raises(OutsideImage, match="'part' reaches outside the image"):
        place(region, Grid((6, 6, 6), affine, "1.2.3"))


def test_another_frame_of_reference_is_refused(region):
    with pytest.raises(GridMismatch, match="another frame of reference"):
        place(region, Grid(OWN.shape, OWN.affine, "9.9"))
