"""Decay correction undone; counts calibrated."""

import math
from datetime import datetime, timedelta

import numpy as np
import pytest

from hevesy.core import Grid, Image, Measured, Quantity, Timing
from hevesy.errors import MissingInformation, WrongQuantity
from hevesy.stages.quantification.presence import calibrated, present_activity, scaled

GRID = Grid.regular((2, 2, 2), (10.0, 10.0, 10.0))
START = datetime.fromisoformat("2024-03-01T10:00:00")
RATE = math.log(2) / 6586.2  # F-18, 1/s


def image(corrected_to=None, quantity=Quantity.ACTIVITY_CONCENTRATION, value=1000.0):
    return Image(np.full(GRID.shape, value), GRID, quantity, Timing(START, 600.0, corrected_to))


@pytest.mark.parametrize("minutes_before", [0, 60, 90])
def test_undoing_gives_the_decays_that_happened_in_the_frame(minutes_before):
    t0 = START - timedelta(minutes=minutes_before)
    begin = 60.0 * minutes_before
    decays = 1000.0 * (math.exp(-RATE * begin) - math.exp(-RATE * (begin + 600))) / RATE
    present = present_activity(image(t0), RATE)
    assert present.values[0, 0, 0] * 600 == pytest.approx(decays, rel=1e-6)  # float32
    assert present.timing.decay_corrected_to is None


def test_what_was_not_corrected_stays_as_it_is():
    assert present_activity(image(), RATE).values[0, 0, 0] == 1000


def test_counts_are_not_taken_for_activity():
    with pytest.raises(WrongQuantity, match="counts"):
        present_activity(image(quantity=Quantity.COUNTS), RATE)
    bare = Image(np.ones(GRID.shape), GRID, Quantity.ACTIVITY_CONCENTRATION)
    with pytest.raises(MissingInformation):
        present_activity(bare, RATE)


def test_calibration_divides_by_time_sensitivity_and_volume():
    sensitivity = Measured(10e-6, unit="1/s/Bq")  # 10 counts/s/MBq
    result = calibrated(image(quantity=Quantity.COUNTS, value=600.0), sensitivity)
    assert result.values[0, 0, 0] == pytest.approx(600 / 600 / 10e-6 / 1.0)
    with pytest.raises(WrongQuantity):
        calibrated(image(quantity=Quantity.COUNTS), Measured(10.0, unit="1/s/MBq"))


def test_values_proportional_to_counts_take_a_factor_of_their_own_and_no_count_sensitivity():
    relative = image(quantity=Quantity.PROPORTIONAL_TO_COUNTS, value=3.0)
    assert scaled(relative, 250.0).values[0, 0, 0] == 750
    with pytest.raises(WrongQuantity):
        calibrated(relative, Measured(1e-5, unit="1/s/Bq"))
    with pytest.raises(WrongQuantity):
        scaled(image(), 2.0)
