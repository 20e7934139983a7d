import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hevesy.errors import BadInput
from hevesy.physics.time_of_flight import TimingKernel, variance_gain


def test_a_resolution_of_600_ps_is_9_cm_along_the_line():
    # c Δt / 2
    assert TimingKernel((600.0,)).sigmas_mm[0] * 2.35482 == pytest.approx(89.94, abs=0.01)


def test_the_gain_of_a_gaussian_is_diameter_over_one_and_a_half_widths():
    # 2√π σ = 1.505 FWHM
    assert variance_gain(TimingKernel((400.0,)), 300.0) == pytest.approx(300.0 / (1.5053 * 59.958), rel=1e-4)


def test_timing_that_is_too_slow_gains_nothing():
    assert variance_gain(TimingKernel((20_000.0,)), 300.0) == 1.0


@given(fwhm=st.floats(50, 2000), share=st.floats(0, 1))
def test_a_kernel_split_into_equal_parts_is_the_same_kernel(fwhm, share):
    split = TimingKernel((fwhm, fwhm), (share, 1 - share))
    assert split.overlap_per_mm == pytest.approx(TimingKernel((fwhm,)).overlap_per_mm, rel=1e-9)


@given(narrow=st.floats(50, 500), wide=st.floats(500, 5000), share=st.floats(0.05, 0.95))
def test_a_mixture_gains_less_than_its_narrow_part_and_more_than_its_wide_part(narrow, wide, share):
    gains = [TimingKernel(*k).overlap_per_mm for k in (((wide,),), ((wide, narrow), (share, 1 - share)), ((narrow,),))]
    assert gains[0] <= gains[1] * (1 + 1e-12) and gains[1] <= gains[2] * (1 + 1e-12)


@pytest.mark.parametrize(
    "parts", [((0.0,), (1.0,)), ((100.0,), (0.9,)), ((100.0, 200.0), (1.0,)), ((math.nan,), (1.0,))]
)
def test_a_kernel_that_is_no_probability_is_refused(parts):
    with pytest.raises(BadInput):
        TimingKernel(*parts)
