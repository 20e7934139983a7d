from dataclasses import replace

import pytest

from hevesy.core import Material

WATER = Material("water", 1000.0, {"H": 0.1119, "O": 0.8881}, 75.0)


def test_a_medium_made_again_finds_what_was_kept_for_it():
    again = Material("water", 1000.0, {"H": 0.1119, "O": 0.8881}, 75.0)
    assert {WATER: "kept"}[again] == "kept"


@pytest.mark.parametrize(
    "change",
    [{"density_kg_m3": 1001.0}, {"mass_fractions": {"H": 0.112, "O": 0.888}}, {"mean_excitation_energy_eV": 78.0}],
)
def test_a_medium_that_differs_finds_nothing(change):
    assert replace(WATER, **change) not in {WATER: "kept"}
