"""The nouns refuse nonsense when they are made."""

from datetime import UTC, datetime

import numpy as np
import pytest

from hevesy.core import Curve, Grid, Image, Measured, Nuclide, Quantity, Region, Timing, seconds_between
from hevesy.errors import BadInput, ContradictoryInformation, GridMismatch, ImpossibleTiming, WrongQuantity

GRID = Grid.regular((4, 5, 6), (2.0, 3.0, 4.0), (10.0, 20.0, 30.0))


def test_a_grid_takes_indices_to_the_patient_and_back():
    index = np.array([[0, 0, 0], [3, 4, 5], [1.5, 2, 0.25]])
    assert GRID.to_mm(index)[0].tolist() == [10, 20, 30]
    assert np.allclose(GRID.to_index(GRID.to_mm(index)), index)
    assert GRID.voxel_volume_mL == pytest.approx(0.024)


def test_a_part_of_a_grid_keeps_its_voxels_where_they_are():
    oblique = Grid((4, 5, 6), np.array([[0, -2, 0, 5], [3, 0, 0, 6], [0, 0, 4, 7], [0, 0, 0, 1.0]]), "1.2")
    part = oblique.part((slice(1, 4), slice(2, 3), slice(0, 5)))
    assert (part.shape, part.frame_of_reference) == ((3, 1, 5), "1.2")
    assert np.allclose(part.to_mm((2, 0, 4)), oblique.to_mm((3, 2, 4)))


@pytest.mark.parametrize("affine", [np.zeros((4, 4)), np.eye(3), np.diag([1, 1, np.nan, 1])])
def test_a_grid_without_a_proper_affine_is_refused(affine):
    with pytest.raises(BadInput):
        Grid((2, 2, 2), affine)


def test_grids_match_by_position_and_frame_not_by_object():
    same = Grid.regular((4, 5, 6), (2.0, 3.0, 4.0), (10.0, 20.0, 30.001))
    moved = Grid.regular((4, 5, 6), (2.0, 3.0, 4.0), (10.0, 20.0, 30.1))
    assert GRID.matches(same)
    assert not GRID.matches(moved)
    first, second = (Grid.regular((2, 2, 2), (1, 1, 1), frame_of_reference=f) for f in ("1.2", "1.3"))
    assert not first.matches(second)


def test_image_values_cannot_be_changed_and_must_be_finite():
    image = Image(np.ones(GRID.shape), GRID, Quantity.COUNTS)
    with pytest.raises(ValueError, match="read-only"):
        image.values[0, 0, 0] = 2
    with pytest.raises(BadInput, match="not finite"):
        Image(np.full(GRID.shape, np.nan), GRID, Quantity.COUNTS)
    with pytest.raises(GridMismatch):
        Image(np.ones((2, 2, 2)), GRID, Quantity.COUNTS)
    with pytest.raises(WrongQuantity, match="Bq/mL"):
        image.require(Quantity.ACTIVITY_CONCENTRATION)


def test_a_region_crops_its_mask_and_integrates_by_coverage():
    mask = np.zeros(GRID.shape)
    mask[1:3, 2, 4] = (0.5, 1.0)
    region = Region.from_mask("r", GRID, mask)
    assert region.offset == (1, 2, 4)
    assert region.volume_mL == pytest.approx(1.5 * 0.024)
    image = Image(np.arange(120.0).reshape(GRID.shape), GRID, Quantity.COUNTS)
    assert region.integral(image) == pytest.approx((0.5 * image.values[1, 2, 4] + image.values[2, 2, 4]) * 0.024)
    assert np.array_equal(region.mask(), mask)


def test_an_empty_or_overfull_region_is_refused():
    with pytest.raises(BadInput, match="covers no voxel"):
        Region.from_mask("r", GRID, np.zeros(GRID.shape))
    with pytest.raises(BadInput, match="outside 0 to 1"):
        Region.from_mask("r", GRID, np.full(GRID.shape, 1.2))
    with pytest.raises(BadInput, match="outside its grid"):
        Region("r", GRID, np.ones((2, 2, 2)), (3, 0, 0))


@pytest.mark.parametrize("times", [[1, 1], [2, 1], [-1, 1], [np.nan, 1]])
def test_a_curve_with_impossible_times_is_refused(times):
    with pytest.raises(ImpossibleTiming):
        Curve.at_instants(times, [1, 2], [0.1, 0.1])


@pytest.mark.parametrize(("values", "u"), [([1, -1], [1, 1]), ([1, np.nan], [1, 1]), ([1, 1], [1, 0]), ([1], [1, 1])])
def test_a_curve_with_impossible_values_is_refused(values, u):
    with pytest.raises(BadInput):
        Curve.at_instants([1, 2], values, u)


def test_times_with_and_without_a_zone_are_not_compared():
    bare, zoned = datetime(2020, 1, 1, 12), datetime(2020, 1, 1, 13, tzinfo=UTC)
    with pytest.raises(ContradictoryInformation, match="time zone"):
        seconds_between(bare, zoned)
    with pytest.raises(ImpossibleTiming):
        Timing(bare, -1.0)


def test_a_nuclide_needs_a_half_life_in_seconds():
    with pytest.raises(BadInput, match="half-life"):
        Nuclide("Lu-177", Measured(6.6, unit="d"))
