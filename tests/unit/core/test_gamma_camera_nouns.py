"""Projections and planar views refuse what cannot be."""

import numpy as np
import pytest

from hevesy.core import EnergyWindow, PlanarView, Projections
from hevesy.errors import BadInput

COUNTS = np.ones((4, 2, 3))


def test_projections_keep_their_counts_read_only():
    made = Projections(COUNTS, np.arange(4) * 90.0, (4.0, 4.0))
    with pytest.raises(ValueError, match="read-only"):
        made.counts[0] = 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"counts": COUNTS[0]},
        {"counts": COUNTS * np.nan},
        {"angles_deg": np.arange(3.0)},
        {"radii_mm": np.full(4, np.nan)},
        {"detectors": np.ones(5)},
        {"pixel_mm": (0.0, 4.0)},
    ],
)
def test_projections_whose_sizes_or_values_cannot_be_are_refused(wrong):
    facts = {"counts": COUNTS, "angles_deg": np.arange(4.0), "pixel_mm": (4.0, 4.0)}
    with pytest.raises(BadInput):
        Projections(**(facts | wrong))


@pytest.mark.parametrize("wrong", [{"counts": COUNTS}, {"pixel_mm": (4.0, -1.0)}, {"counts": COUNTS[0] * np.inf}])
def test_planar_views_that_cannot_be_are_refused(wrong):
    with pytest.raises(BadInput):
        PlanarView(**({"counts": COUNTS[0], "pixel_mm": (4.0, 4.0)} | wrong))


def test_an_energy_window_must_rise():
    with pytest.raises(BadInput, match="does not rise"):
        EnergyWindow(((154.0, 126.0),), "Tc-99m")
