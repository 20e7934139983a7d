import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from hevesy.core import Grid, Image, Quantity
from hevesy.errors import BadInput, MissingInformation, OutsideImage
from hevesy.stages.segmentation.delineation import Method, delineate, grow, percist_threshold, sphere

GRID = Grid.regular((60, 56, 50), (2.0, 2.0, 2.5), (-60.0, -50.0, -62.0))
CENTRE = np.array([1.3, 2.1, -0.7])
RADIUS_MM = 20.0
VOLUME_ML = 4 / 3 * np.pi * 2.0**3
BACKGROUND, HOT = 10.0, 110.0


def blurred_sphere(fwhm_mm=8.0, background=BACKGROUND):
    """A uniform sphere in a uniform background, seen by a camera of a given resolution."""
    fine = sphere(GRID, CENTRE, RADIUS_MM).astype(float)
    values = background + (HOT - background) * ndimage.gaussian_filter(
        fine, fwhm_mm / 2.355 / np.array(GRID.spacing_mm)
    )
    return Image(values, GRID, Quantity.ACTIVITY_CONCENTRATION)


@settings(max_examples=20, deadline=None)
@given(centre=st.tuples(*[st.floats(-10, 10)] * 3), radius=st.floats(12, 30))
def test_a_sphere_has_its_volume_wherever_it_lies(centre, radius):
    found = sphere(GRID, np.array(centre), radius).sum() * GRID.voxel_volume_mL
    # a voxel's diagonal is 3.8 mm: a sphere of 12 mm is known to a few percent by voxel centres
    assert found == pytest.approx(4 / 3 * np.pi * (radius / 10) ** 3, rel=0.05)


def test_a_sphere_on_an_oblique_grid_is_the_same_sphere():
    c, s = np.cos(0.5), np.sin(0.5)
    affine = np.array([[c, -s, 0, -40], [s, c, 0, -40], [0, 0, -1, 40], [0, 0, 0, 1]]) @ np.diag((2, 2, 2, 1))
    affine[:3, 3] = -affine[:3, :3] @ (25, 25, 25)
    tilted = Grid((50, 50, 50), affine)
    inside = sphere(tilted, np.zeros(3), 21.0)
    far = np.linalg.norm(tilted.to_mm(np.argwhere(inside)), axis=1)
    near = np.linalg.norm(tilted.to_mm(np.argwhere(~inside)), axis=1)
    assert far.max() <= 21.0 < near.min()


@pytest.mark.parametrize(("method", "level"), [(Method.CONTRAST, 0.5), (Method.GRADIENT, None)])
@pytest.mark.parametrize("fwhm_mm", [4.0, 8.0])
def test_half_contrast_and_the_steepest_fall_find_the_edge_of_a_large_sphere(method, level, fwhm_mm):
    """A sphere's blurred edge lies where a plane's would but for σ²/R, by which its curvature draws it inwards."""
    found = delineate(blurred_sphere(fwhm_mm), CENTRE, 32.0, method, level)
    edge_mm = RADIUS_MM - (fwhm_mm / 2.355) ** 2 / RADIUS_MM
    assert (found.volume_mL / VOLUME_ML) ** (1 / 3) * RADIUS_MM == pytest.approx(edge_mm, abs=0.5)  # a quarter voxel


@settings(max_examples=15, deadline=None)
@given(factor=st.floats(0.01, 100))
def test_a_fraction_of_the_maximum_does_not_depend_on_the_unit(factor):
    image = blurred_sphere()
    scaled = image.with_values(image.values * factor)
    one, other = (delineate(i, CENTRE, 32.0, Method.FRACTION, 0.41).mask() for i in (image, scaled))
    assert np.array_equal(one, other)


def test_a_higher_fraction_takes_a_part_of_a_lower_one():
    low, high = (delineate(blurred_sphere(), CENTRE, 32.0, Method.FRACTION, f).mask() > 0 for f in (0.41, 0.5))
    assert high.sum() < low.sum()
    assert not (high & ~low).any()


def test_what_does_not_touch_the_hottest_part_is_left_out():
    image = blurred_sphere()
    values = image.values.copy()
    values[5:8, 5:8, 5:8] = HOT
    found = delineate(image.with_values(values), CENTRE, 90.0, Method.FIXED, 60.0)
    assert found.mask()[6, 6, 6] == 0 or found.mask()[30, 26, 24] == 0


def test_percist_is_one_and_a_half_means_and_two_standard_deviations():
    values = np.where((np.indices(GRID.shape).sum(axis=0) % 2) > 0, 12.0, 8.0)
    image = Image(values, GRID, Quantity.ACTIVITY_CONCENTRATION)
    assert percist_threshold(image, CENTRE) == pytest.approx(1.5 * 10 + 2 * 2, rel=0.01)


def test_growth_takes_all_that_touches_and_nothing_else():
    values = np.zeros(GRID.shape)
    values[10:20, 10, 10] = 5
    values[20, 11, 10] = 5  # touches by an edge
    values[30, 30, 30] = 5
    image = Image(values, GRID, Quantity.ACTIVITY_CONCENTRATION)
    found = grow(image, GRID.to_mm((12, 10, 10)), 4.0).mask()
    assert found.sum() == 11
    assert found[20, 11, 10] == 1
    assert found[30, 30, 30] == 0


def test_what_cannot_be_drawn_is_refused():
    image = blurred_sphere()
    with pytest.raises(OutsideImage, match="holds no voxel"):
        delineate(image, np.array([500.0, 0, 0]), 10.0, Method.SPHERE)
    with pytest.raises(MissingInformation, match="needs a level"):
        delineate(image, CENTRE, 20.0, Method.FRACTION)
    with pytest.raises(BadInput, match="For 41% give"):
        delineate(image, CENTRE, 20.0, Method.FRACTION, 41.0)
    with pytest.raises(BadInput, match="reaches 500"):
        delineate(image, CENTRE, 20.0, Method.FIXED, 500.0)
    with pytest.raises(BadInput, match="not within"):
        grow(image, CENTRE, 0.0, 5.0)
    with pytest.raises(OutsideImage):
        grow(image, np.array([500.0, 0, 0]), 0.0)
