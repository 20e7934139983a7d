import numpy as np
import pytest

from hevesy.core import Grid, Image, Quantity, Region
from hevesy.stages.radiobiology.histogram import dose_volume_histogram

GRID = Grid.regular((10, 10, 10), (1.0, 1.0, 1.0))


def test_a_ramp_has_the_percentiles_of_a_ramp():
    dose = Image(np.arange(1000.0).reshape(GRID.shape) / 10, GRID, Quantity.ABSORBED_DOSE)
    histogram = dose_volume_histogram(dose, Region("r", GRID, np.ones(GRID.shape)))
    assert (histogram.minimum_Gy, histogram.maximum_Gy) == (0, pytest.approx(99.9))
    assert histogram.mean_Gy == pytest.approx(49.95)
    for percent, expected in ((2, 98.0), (50, 50.0), (98, 2.0)):
        assert histogram.at_volume(percent) == pytest.approx(expected, abs=0.3)  # one bin of 400 is 0.25 Gy


def test_partly_covered_voxels_count_by_their_fraction():
    values = np.zeros(GRID.shape)
    values[0, 0, 0], values[1, 0, 0] = 10.0, 20.0
    mask = np.zeros(GRID.shape)
    mask[0, 0, 0], mask[1, 0, 0] = 1.0, 0.25
    dose = Image(values, GRID, Quantity.ABSORBED_DOSE)
    histogram = dose_volume_histogram(dose, Region.from_mask("r", GRID, mask))
    assert histogram.mean_Gy == pytest.approx(12.0)
    assert np.interp(15.0, histogram.dose_Gy, histogram.volume_fraction) == pytest.approx(0.2, abs=0.01)
    assert (histogram.minimum_Gy, histogram.maximum_Gy) == (10.0, 10.0), "a quarter of a voxel is no extreme"
    assert np.all(np.diff(histogram.volume_fraction) <= 0)
    assert histogram.volume_fraction[0] == 1
