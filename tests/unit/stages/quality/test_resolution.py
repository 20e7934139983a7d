"""Gaussian lines and points of known width, counted in pixels."""

import numpy as np
import pytest
from scipy.special import erf

from hevesy.core import Grid, Image, PlanarView, Quantity
from hevesy.errors import BadInput, OutsideValidity
from hevesy.stages.quality.resolution import full_width, line_resolution, line_separation_mm, point_resolution

SIGMAS = 2 * np.sqrt(2 * np.log(2))


def gaussian(n, pixel, centre, fwhm):
    """What pixels count of a Gaussian of unit area: its integral over each."""
    edges = (np.arange(n + 1) - 0.5) * pixel
    return np.diff(erf((edges - centre) / (fwhm / SIGMAS) / np.sqrt(2)) / 2)


def seen(fwhm, pixel):
    """The width of a Gaussian after pixels have integrated it: their variance adds."""
    return np.hypot(fwhm, SIGMAS * pixel / np.sqrt(12))


def lines(centres, pixel=1.0, fwhm=8.0, n=300):
    profile = 1000 * sum(gaussian(n, pixel, c, fwhm) for c in centres)
    counts = np.zeros((n, n))
    counts[50:250] = profile
    return counts


@pytest.mark.parametrize("place", [100.0, 100.2, 100.5, 100.77])
def test_width_at_half_and_tenth_wherever_the_line_falls_in_its_pixel(place):
    profile = gaussian(200, 1.0, place, 8.0)
    # 0.5% of the width: straight lines between samples an eighth of it apart
    assert full_width(profile, 0.5) == pytest.approx(seen(8, 1), rel=0.005)
    # a chord of the hollow tail lies outside it by up to h² |f''/f'| / 8 = 0.062 mm on each side
    assert full_width(profile, 0.1) == pytest.approx(seen(8, 1) * np.sqrt(np.log2(10)), abs=0.13)


def test_a_triangle_is_read_exactly_but_for_its_rounded_top():
    """The parabola through 9, 10, 9 has its top at 10: half is crossed at 5 samples from it."""
    assert full_width(np.maximum(0.0, 10 - np.abs(np.arange(31.0) - 15)), 0.5) == pytest.approx(10)


def test_two_lines_are_found_measured_and_set_apart():
    found = line_resolution(PlanarView(lines((110.3, 160.3)), (1.0, 1.0)))
    assert [line.along for line in found] == ["rows", "rows"]
    for line in found:
        assert line.fwhm.value == pytest.approx(seen(8, 1), rel=0.005)
        assert line.fwtm.value == pytest.approx(seen(8, 1) * np.sqrt(np.log2(10)), abs=0.13)
        assert line.warnings == ()
    assert line_separation_mm(found) == {"rows": pytest.approx(50.0, abs=0.05)}


def test_a_line_along_columns_is_measured_across_rows():
    (found,) = line_resolution(PlanarView(lines((110.3,)).T, (1.0, 1.0)))
    assert (found.along, found.place_mm) == ("columns", pytest.approx(110.3, abs=0.05))


def test_noise_is_in_the_uncertainty():
    counts = np.random.default_rng(3).poisson(lines((110.3,))).astype(float)
    (found,) = line_resolution(PlanarView(counts, (1.0, 1.0)))
    assert 0 < found.fwhm.u < 0.2
    assert abs(found.fwhm.value - seen(8, 1)) < 4 * found.fwhm.u + 0.04


def test_lines_too_near_for_a_tenth_have_no_tenth():
    (found,) = line_resolution(PlanarView(lines((110.0, 123.0)), (1.0, 1.0)))
    assert found.fwtm is None


def test_coarse_pixels_are_said():
    (found,) = line_resolution(PlanarView(lines((200.3,), pixel=2.0), (2.0, 2.0)))
    assert "finer matrix" in found.warnings[0]


@pytest.mark.parametrize("counts", [np.ones((200, 200)), np.zeros((200, 200))])
def test_a_view_without_lines_is_refused(counts):
    with pytest.raises(BadInput, match="line"):
        line_resolution(PlanarView(counts, (1.0, 1.0)))


def test_a_profile_that_does_not_fall_is_refused():
    with pytest.raises(OutsideValidity):
        full_width(np.array([5.0, 6, 7, 8, 7, 6, 5]), 0.1)


def test_a_point_is_measured_along_each_axis():
    widths, spacing = (10.0, 14.0, 12.0), (2.0, 2.0, 2.5)
    profiles = [gaussian(60, s, 60.2, w) for s, w in zip(spacing, widths, strict=True)]
    values = np.einsum("i,j,k->ijk", *profiles)
    found = point_resolution(Image(values, Grid.regular(values.shape, spacing), Quantity.COUNTS))
    for width, size, measured in zip(widths, spacing, found, strict=True):
        # 1%: straight lines between samples a fifth of the width apart
        assert measured.value == pytest.approx(seen(width, size), rel=0.01)
