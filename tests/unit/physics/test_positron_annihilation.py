"""Annihilation in flight: its cross-section, and how often it happens before rest."""

import numpy as np
import pytest

from hevesy.data.materials import material
from hevesy.physics.attenuation import ELECTRON_MEV, ELECTRON_RADIUS2_CM2
from hevesy.physics.materials import electrons_per_gram
from hevesy.physics.positron_annihilation import annihilation_cm2_g
from hevesy.physics.stopping_power import stopping_power_MeV_cm2_g
from hevesy.stages.dosimetry.transport_tables import electron_tables, energy_cells

WATER = material("water")


def test_slow_positrons_annihilate_by_diracs_limit():
    # σ → π r² c/v as v → 0
    energy = 1e-5
    speed = np.sqrt(2 * energy / ELECTRON_MEV)
    expected = electrons_per_gram(WATER) * np.pi * ELECTRON_RADIUS2_CM2 / speed
    assert float(annihilation_cm2_g(WATER, energy)) == pytest.approx(expected, rel=0.005)


def test_fast_positrons_annihilate_by_the_limit_of_high_energy():
    # σ → π r² (ln 2γ − 1)/γ
    gamma = 1e5
    expected = electrons_per_gram(WATER) * np.pi * ELECTRON_RADIUS2_CM2 * (np.log(2 * gamma) - 1) / gamma
    assert float(annihilation_cm2_g(WATER, (gamma - 1) * ELECTRON_MEV)) == pytest.approx(expected, rel=0.001)


def test_the_cross_section_is_the_integral_of_heitlers_distribution():
    gamma = 1 + 1.5 / ELECTRON_MEV
    momentum = np.sqrt(gamma**2 - 1)
    least = 1 / (gamma + 1 + momentum)
    share = np.linspace(least, 1 - least, 200_001)
    one = -((gamma + 1) ** 2) + (gamma**2 + 4 * gamma + 1) / share - 1 / share**2
    # the two photons are alike, so that S(ζ) alone over all ζ counts each event once
    each = np.pi * ELECTRON_RADIUS2_CM2 / ((gamma + 1) * momentum**2) * np.trapezoid(one, share)
    assert float(annihilation_cm2_g(WATER, 1.5)) == pytest.approx(electrons_per_gram(WATER) * each, rel=1e-6)


@pytest.mark.parametrize("highest_MeV", [0.634, 1.899])
def test_the_cells_hold_the_chance_to_annihilate_before_rest(highest_MeV):
    edges = energy_cells(highest_MeV / ELECTRON_MEV, 0.010 / ELECTRON_MEV)
    tables = electron_tables((WATER,), edges, 0.030 / ELECTRON_MEV)
    energy = np.geomspace(0.010, highest_MeV, 2001)
    rate = annihilation_cm2_g(WATER, energy) / stopping_power_MeV_cm2_g(WATER, energy, positron=True)
    chance = float(np.trapezoid(rate, energy))
    # three nodes in each cell
    assert tables.annihilations_left[1, 0] == pytest.approx(chance, rel=0.005)
    # F-18 and Ga-68 from their end points; electrons never
    assert 0.02 < chance < 0.07
    assert not tables.annihilations_left[0].any()
