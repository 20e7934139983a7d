import itertools

import numpy as np
import pytest

from hevesy.core import Grid, Region
from hevesy.stages.reporting.planes import Anatomy, window

SHAPE_LPH = (10, 8, 6)
SPACING_LPH = (2.0, 3.0, 4.0)


def stored(order, flips):
    """Return a grid whose array axes run along the patient axes in another order and sense, and what fills it."""
    signs = [-1 if flip else 1 for flip in flips]
    affine = np.eye(4)
    affine[:3, :3] = 0
    for array_axis, patient_axis in enumerate(order):
        affine[patient_axis, array_axis] = signs[array_axis] * SPACING_LPH[patient_axis]
    shape = tuple(SHAPE_LPH[a] for a in order)
    for array_axis, patient_axis in enumerate(order):
        if flips[array_axis]:
            affine[patient_axis, 3] = SPACING_LPH[patient_axis] * (shape[array_axis] - 1)
    return Grid(shape, affine)


def marked(grid, position_mm):
    values = np.zeros(grid.shape)
    values[tuple(np.round(grid.to_index(position_mm)).astype(int))] = 1.0
    return values


EVERY_STORAGE = list(itertools.product(itertools.permutations(range(3)), itertools.product((False, True), repeat=3)))


@pytest.mark.parametrize(("order", "flips"), EVERY_STORAGE)
def test_however_an_image_is_stored_patient_right_is_on_the_left_anterior_and_head_on_top(order, flips):
    grid = stored(order, flips)
    anatomy = Anatomy(grid)
    values = marked(grid, (2.0, 3.0, 16.0))  # one step from the right edge, one from the front, one below the top
    seen = {
        view: np.argwhere(anatomy.projection(values, view).values)[0].tolist()
        for view in ("axial", "coronal", "sagittal")
    }
    assert seen == {"axial": [1, 1], "coronal": [1, 1], "sagittal": [1, 1]}
    assert anatomy.section(values, "axial", 4).values[1, 1] == 1
    assert anatomy.section(values, "coronal", 1).values[1, 1] == 1
    assert anatomy.section(values, "sagittal", 1).values[1, 1] == 1


@pytest.mark.parametrize(("order", "flips"), EVERY_STORAGE[::5])
def test_a_picture_is_as_wide_and_high_as_the_patient_is_there(order, flips):
    anatomy = Anatomy(stored(order, flips))
    sizes = {
        view: (plane.width_mm, plane.height_mm)
        for view in ("axial", "coronal", "sagittal")
        for plane in [anatomy.projection(np.zeros(stored(order, flips).shape), view)]
    }
    assert sizes == {"axial": (20.0, 24.0), "coronal": (20.0, 24.0), "sagittal": (24.0, 24.0)}


@pytest.mark.parametrize(("order", "flips"), EVERY_STORAGE[::5])
def test_the_outline_of_a_region_lies_where_its_voxels_are_drawn(order, flips):
    grid = stored(order, flips)
    mask = marked(grid, (6.0, 9.0, 8.0)) + marked(grid, (8.0, 9.0, 8.0))
    region, anatomy = Region.from_mask("A", grid, mask), Anatomy(grid)
    centre = anatomy.centre(region)
    for view, along in (("sagittal", 0), ("coronal", 1), ("axial", 2)):
        drawn = anatomy.section(mask, view, centre[along]).values
        assert np.array_equal(anatomy.coverage_section(region, view, centre[along]).values, drawn)
        assert np.array_equal(anatomy.coverage_projection(region, view).values, anatomy.projection(mask, view).values)


def test_the_middle_of_a_hollow_region_is_taken_inside_it():
    grid = Grid.regular((21, 21, 5), (1.0, 1.0, 1.0))
    x, y = np.indices((21, 21))
    ring = (np.abs(np.hypot(x - 10, y - 10) - 8) < 1.5)[:, :, None] & np.ones(5, bool)
    index = Anatomy(grid).centre(Region.from_mask("ring", grid, ring.astype(np.float32)))
    assert ring[index]


def test_a_turned_grid_says_by_how_much():
    angle = np.radians(12)
    affine = np.eye(4)
    affine[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    assert Anatomy(Grid((4, 4, 4), affine)).obliquity_deg == pytest.approx(12)
    assert Anatomy(Grid.regular((4, 4, 4), (1, 1, 1))).obliquity_deg == 0


def test_a_window_moves_to_stay_inside_the_picture():
    plane = Anatomy(Grid.regular((40, 40, 4), (2.0, 2.0, 2.0))).section(np.zeros((40, 40, 4)), "axial", 0)
    assert window(plane, (20, 20), 20.0) == (slice(15, 25), slice(15, 25))
    assert window(plane, (1, 39), 20.0) == (slice(0, 10), slice(30, 40))
    assert window(plane, (20, 20), 500.0) == (slice(0, 40), slice(0, 40))
