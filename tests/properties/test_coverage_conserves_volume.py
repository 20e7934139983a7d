"""What is drawn is what is measured: coverage keeps area and volume, wherever the grid lies."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hevesy.core import Grid, Outline
from hevesy.kernels.coverage import cell_areas
from hevesy.stages.segmentation.coverage import cover

ANGLES = np.linspace(0, 2 * np.pi, 240, endpoint=False)
RING = np.column_stack([np.cos(ANGLES), np.sin(ANGLES)])


def ring(radius, z, centre=(0.0, 0.0)):
    return np.column_stack([radius * RING + centre, np.full(len(RING), z)])


def shoelace(polygon):
    x, y = polygon.T
    return 0.5 * float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))


def rotation(axis, angle):
    axis = np.asarray(axis, float) / np.linalg.norm(axis)
    cross = np.cross(np.eye(3), axis)
    return np.cos(angle) * np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * np.outer(axis, axis)


def sphere(radius, spacing, phase=0.0):
    heights = np.arange(-radius + spacing * (0.5 + phase), radius, spacing)
    return Outline("sphere", tuple(ring(np.sqrt(radius**2 - z**2), z) for z in heights if abs(z) < radius))


def oblique_grid(spacing, turn, half=45.0):
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag(spacing)
    shape = tuple(int(np.ceil(2 * half / s)) for s in spacing)
    affine[:3, 3] = -affine[:3, :3] @ (np.array(shape) - 1) / 2
    return Grid(shape, affine)


corners = st.lists(st.tuples(st.floats(0, 9), st.floats(0, 11)), min_size=3, max_size=12, unique=True)


@settings(deadline=None)  # the first call compiles
@given(corners)
def test_the_cells_share_out_a_polygons_signed_area_exactly(points):
    polygon = np.array(points)
    areas = cell_areas(polygon, (10, 12))
    # 1e-9 cells: rounding of a dozen double-precision terms
    assert areas.sum() == pytest.approx(shoelace(polygon), abs=1e-9)


@settings(deadline=None)
@given(st.floats(0, 5), st.floats(0, 5), st.floats(0.1, 4), st.floats(0.1, 4))
def test_a_rectangle_covers_each_cell_by_the_product_of_its_overlaps(u, v, width, height):
    polygon = np.array([[u, v], [u + width, v], [u + width, v + height], [u, v + height]])
    edges = np.arange(11.0)
    along = np.clip(np.minimum(edges[1:], u + width) - np.maximum(edges[:-1], u), 0, None)
    across = np.clip(np.minimum(edges[1:], v + height) - np.maximum(edges[:-1], v), 0, None)
    np.testing.assert_allclose(cell_areas(polygon, (10, 10)), np.outer(along, across), atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.floats(8, 30), st.floats(0.7, 2.5), st.floats(1.0, 5.0), st.tuples(*[st.floats(-3, 3)] * 3))
def test_a_spheres_volume_is_kept_on_any_aligned_grid(radius, contour_spacing, voxel, shift):
    n = int(90 / voxel)
    grid = Grid.regular((n, n, n), (voxel,) * 3, tuple(s - 45 + voxel / 2 for s in shift))
    # 1%: what contours on planes up to a tenth of the radius apart make of a sphere; polygon of 240 sides, 0.01%
    expected = 4 / 3 * np.pi * radius**3 * 1e-3
    assert cover(sphere(radius, min(contour_spacing, radius / 10)), grid).volume_mL == pytest.approx(expected, rel=0.01)


@settings(max_examples=8, deadline=None)
@given(
    st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda v: np.linalg.norm(v) > 0.1),
    st.floats(0.05, 3.1),
    st.tuples(*[st.floats(1.5, 5)] * 3),
)
def test_a_spheres_volume_is_kept_on_an_oblique_grid(axis, angle, spacing):
    grid = oblique_grid(spacing, rotation(axis, angle), half=30.0)
    region = cover(sphere(20.0, 2.0), grid)
    assert region.volume_mL == pytest.approx(4 / 3 * np.pi * 8.0, rel=0.01)


@pytest.mark.parametrize("angle", [0.0, 0.4])
def test_a_torus_keeps_its_volume_and_its_hole(angle):
    major, minor = 20.0, 8.0
    heights = np.arange(-minor + 0.25, minor, 0.5)
    half_widths = np.sqrt(minor**2 - heights**2)
    contours = [ring(major + s * w, z) for z, w in zip(heights, half_widths, strict=True) for s in (1, -1)]
    grid = oblique_grid((2.0, 2.5, 3.0), rotation((1, 2, 3), angle))
    region = cover(Outline("torus", tuple(contours)), grid)
    assert region.volume_mL == pytest.approx(2 * np.pi**2 * major * minor**2 * 1e-3, rel=0.01)
    centre = np.round(grid.to_index((0, 0, 0))).astype(int)
    assert region.mask()[tuple(centre)] == 0


@settings(max_examples=20, deadline=None)
@given(st.floats(0, 1), st.floats(0, 1), st.floats(1, 4))
def test_the_volume_of_prisms_does_not_depend_on_where_the_voxels_lie(u, v, voxel):
    outline = sphere(15.0, 3.0)
    prisms = sum(shoelace(c[:, :2]) for c in outline.contours_mm) * 3.0 * 1e-3
    n = int(50 / voxel)
    grid = Grid.regular((n, n, n), (voxel,) * 3, (u - 25, v - 25, u + v - 25))
    # 1e-5: fractions are stored in single precision
    assert cover(outline, grid).volume_mL == pytest.approx(prisms, rel=1e-5)
