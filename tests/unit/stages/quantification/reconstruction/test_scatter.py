import numpy as np
import pytest

from hevesy.errors import BadInput, GridMismatch
from hevesy.stages.quantification.reconstruction.scatter import dual_window, triple_window


def test_a_continuum_that_falls_in_a_line_is_found_under_the_peak():
    # 100 counts per keV at 180 keV falling by 1 per keV: peak 187.2–228.8, windows of 10 keV beside it
    lower, upper, peak = (
        (220 - (a + b) / 2 + 60) * (b - a) for a, b in ((177.2, 187.2), (228.8, 238.8), (187.2, 228.8))
    )
    shape = (2, 5, 4)
    scatter = triple_window(np.full(shape, lower), np.full(shape, upper), (10.0, 41.6, 10.0))
    np.testing.assert_allclose(scatter, peak, rtol=1e-6)


def test_without_an_upper_window_the_continuum_is_a_triangle():
    scatter = triple_window(np.full((1, 3, 3), 60.0), None, (6.0, 20.0, 6.0))
    np.testing.assert_allclose(scatter, 100.0, rtol=1e-6)


def test_smoothing_keeps_counts_of_a_view_and_mixes_no_views():
    counts = np.zeros((2, 31, 31))
    counts[0, 15, 15] = 400.0
    scatter = dual_window(counts)
    assert scatter[0].sum() == pytest.approx(200.0, rel=1e-4)
    assert scatter[1].max() == 0
    assert scatter[0].max() < 20


def test_impossible_windows_are_refused():
    ones = np.ones((1, 3, 3))
    with pytest.raises(BadInput, match="wide"):
        triple_window(ones, ones, (0.0, 20.0, 6.0))
    with pytest.raises(GridMismatch):
        triple_window(ones, np.ones((1, 3, 4)), (6.0, 20.0, 6.0))
    with pytest.raises(BadInput, match="negative"):
        dual_window(-ones)
    with pytest.raises(BadInput):
        dual_window(ones, -0.5)
