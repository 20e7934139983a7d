"""Activity over anatomy, where it was, and refused on another grid."""

import re

import numpy as np
import pytest

from hevesy.core import Grid, Image, Quantity
from hevesy.errors import GridMismatch
from hevesy.stages.reporting.fused_picture import fused_picture

GRID = Grid.regular((12, 10, 8), (4.0, 4.0, 5.0))


def image(quantity, grid=GRID):
    values = np.zeros(grid.shape)
    values[3:6, 4:7, 2:4] = 1000.0
    return Image(values, grid, quantity)


def test_three_planes_of_each_are_drawn_with_the_unit_and_the_sides():
    drawn = fused_picture(image(Quantity.ACTIVITY_CONCENTRATION), image(Quantity.ATTENUATION), "SPECT <1>")
    assert drawn.count("<image ") == 6
    assert "SPECT &lt;1&gt;; brightest 1,000 Bq/mL" in drawn
    assert re.findall(r">([RLAPHF])<", drawn) == list("RLAPRLHFAPHF")


def test_without_anatomy_activity_alone_is_drawn():
    assert fused_picture(image(Quantity.COUNTS), None, "SPECT").count("<image ") == 3


def test_anatomy_on_another_grid_is_refused():
    other = Grid.regular((12, 10, 8), (4.0, 4.0, 5.0), (1.0, 0.0, 0.0))
    with pytest.raises(GridMismatch):
        fused_picture(image(Quantity.COUNTS), image(Quantity.ATTENUATION, other), "SPECT")
