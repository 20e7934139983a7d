"""Electron stopping: restricted and hard losses add up, limits hold."""

import numpy as np
import pytest

from hevesy.core import Material
from hevesy.data.materials import material
from hevesy.physics.bremsstrahlung import (
    emission_spectrum,
    photon_emission_cm2_g,
    photon_energy_quantiles,
    positron_ratio,
    radiative_stopping_power_MeV_cm2_g,
)
from hevesy.physics.density_effect import density_effect
from hevesy.physics.elastic import elastic_cross_section_cm2, transport_moments_cm2_g
from hevesy.physics.materials import electrons_per_gram, mean_excitation_energy_eV
from hevesy.physics.stopping_power import (
    collision_stopping_power_MeV_cm2_g,
    csda_range_g_cm2,
    knock_on_cm2_g,
)

WATER = material("water")
ENERGY = np.array([0.05, 0.2, 0.9, 3.0])


@pytest.mark.parametrize("positron", [False, True])
def test_restricted_losses_grow_by_what_knock_ons_between_two_cuts_lose(positron):
    cuts = np.geomspace(0.01, 0.0101, 2)
    low, high = (collision_stopping_power_MeV_cm2_g(WATER, ENERGY, c, positron) for c in cuts)
    number = knock_on_cm2_g(WATER, ENERGY, cuts[0], positron) - knock_on_cm2_g(WATER, ENERGY, cuts[1], positron)
    # losses between the two cuts have the mean energy of the cuts within (1%)²/12
    np.testing.assert_allclose(high - low, number * np.sqrt(cuts[0] * cuts[1]), rtol=1e-4)


@pytest.mark.parametrize("positron", [False, True])
def test_a_cut_above_the_largest_loss_restricts_nothing(positron):
    whole = collision_stopping_power_MeV_cm2_g(WATER, ENERGY, None, positron)
    np.testing.assert_allclose(collision_stopping_power_MeV_cm2_g(WATER, ENERGY, 5.0, positron), whole, rtol=1e-12)
    assert not knock_on_cm2_g(WATER, ENERGY, 5.0, positron).any()


def test_positrons_lose_more_than_electrons_when_slow_and_less_when_fast():
    # ICRU Report 37, table 10.1: S(e+)/S(e−) falls through 1 between 0.2 and 0.5 MeV
    ratio = collision_stopping_power_MeV_cm2_g(WATER, [0.01, 0.2, 0.5, 2.0], positron=True)
    ratio /= collision_stopping_power_MeV_cm2_g(WATER, [0.01, 0.2, 0.5, 2.0])
    assert (np.diff(ratio) < 0).all()
    assert ratio[1] > 1 > ratio[2]


def test_soft_and_hard_bremsstrahlung_add_up_to_all():
    energy, cut = 2.0, 0.1
    reduced, density = emission_spectrum(WATER, energy, cut)
    hard = np.trapezoid(density * reduced * energy, np.log(reduced))
    soft = radiative_stopping_power_MeV_cm2_g(WATER, energy, cut)
    assert soft + hard == pytest.approx(float(radiative_stopping_power_MeV_cm2_g(WATER, energy)), rel=2e-3)


def test_photon_energies_are_quantiles_between_cut_and_electron_energy():
    quantiles = photon_energy_quantiles(WATER, 1.0, 0.01, np.linspace(0, 1, 33))
    assert quantiles[0] == pytest.approx(0.01)
    assert quantiles[-1] == pytest.approx(1.0)
    assert (np.diff(quantiles) > 0).all()


def test_an_electron_below_the_cut_sends_out_nothing():
    assert photon_emission_cm2_g(WATER, [0.005], 0.01)[0] == 0
    assert not photon_energy_quantiles(WATER, 0.005, 0.01, [0.0, 0.5, 1.0]).any()


def test_positrons_radiate_less_until_they_are_fast():
    ratio = positron_ratio(8, [0.01, 0.1, 1.0, 10.0])
    assert (np.diff(ratio) > 0).all()
    assert ratio[-1] == pytest.approx(1.0, abs=0.01)
    assert ratio[0] < 0.7


def test_ranges_grow_with_energy_from_zero():
    ranges = csda_range_g_cm2(WATER, [0.0, 1e-4, 1e-3, 1e-2, 1.0])
    assert ranges[0] == 0
    assert (np.diff(ranges) > 0).all()


def test_density_effect_vanishes_in_thin_matter():
    thin = Material("vapour", 1e-3, dict(WATER.mass_fractions), 75.0)
    assert not density_effect(thin, ENERGY).any()


def test_braggs_rule_gives_the_tabulated_value_of_sodium_iodide():
    # ICRU Report 37, table 5.3: 452 eV
    assert mean_excitation_energy_eV(material("NaI")) == pytest.approx(452, abs=0.5)


def test_a_gram_of_water_holds_its_electrons():
    # Z/A of water 0.55508 (ESTAR)
    assert electrons_per_gram(WATER) / 6.02214076e23 == pytest.approx(0.55508, rel=1e-4)


def test_forward_scattering_is_screened_and_backward_scattering_follows_mott():
    tau = 0.1 / 0.51099895
    speed2 = tau * (tau + 2) / (tau + 1) ** 2
    rutherford = np.pi * 7.940787e-26 * 64 / (tau * (tau + 2) * speed2)
    forward, backward = elastic_cross_section_cm2(8, 0.1, [1e-10, 1.0])
    assert forward < 1e-4 * rutherford / 1e-20
    # at 180° the expansion of McKinley and Feshbach leaves 1 − β²; screening leaves all of Z
    assert backward == pytest.approx(rutherford * (1 - speed2), rel=1e-3)


def test_transport_moments_grow_with_order_and_with_slowness():
    fast, slow = transport_moments_cm2_g(WATER, 1.0, 60), transport_moments_cm2_g(WATER, 0.1, 60)
    assert fast[0] == slow[0] == 0
    assert (np.diff(fast) > 0).all()
    assert (slow[1:] > fast[1:]).all()
