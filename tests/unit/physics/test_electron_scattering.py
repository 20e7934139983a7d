import numpy as np
import pytest

from hevesy.data.materials import material
from hevesy.physics.elastic import transport_moments_cm2_g
from hevesy.physics.electron_scattering import (
    REST_ENERGY_MeV,
    bhabha,
    deflection_quantiles,
    loss_to_deflection,
    moller,
    soft_moment,
    transport_coefficients,
)
from hevesy.physics.stopping_power import knock_on_cm2_g


@pytest.mark.parametrize(("cross_section", "positron"), [(moller, False), (bhabha, True)])
def test_single_collisions_add_up_to_the_rate_of_knock_on_electrons(cross_section, positron):
    water, tau, cut = material("water"), 2.0, 0.1
    losses = np.geomspace(cut, tau if positron else tau / 2, 4001)
    electrons_per_gram = 3.3428e23
    rate = np.trapezoid(cross_section(tau, losses), losses) * 1e-2 * electrons_per_gram
    expected = knock_on_cm2_g(water, tau * REST_ENERGY_MeV, cut * REST_ENERGY_MeV, positron)
    assert rate == pytest.approx(float(expected), rel=1e-3)


def test_the_spread_of_small_losses_is_bohrs_at_low_cut():
    # Bohr: ∫ W² dσ = 2π r² W_max/β² where the cut is small against the energy
    tau, cut = 2.0, 1e-3
    bohr = 2 * np.pi * 2.8179403262e-12**2 * cut / (tau * (tau + 2) / (tau + 1) ** 2)
    assert soft_moment(tau, cut, 2) == pytest.approx(bohr, rel=2e-3)


def test_a_head_on_loss_of_half_the_energy_turns_by_the_kinematic_angle():
    # equal sharing: cos²θ = (τ + 2)/(τ + 4)
    tau = 1.0
    cosine = 1 - 2 * loss_to_deflection(tau, tau / 2)
    assert cosine**2 == pytest.approx((tau + 2) / (tau + 4), rel=1e-12)


def test_elastic_turning_is_that_of_the_cross_sections():
    # two quadratures of the same law; electrons' part (soft collisions) removed by a loss of nothing
    water, tau = material("water"), 1.0
    ours = transport_coefficients(water, tau, 1e-12)[:40]
    theirs = transport_moments_cm2_g(water, tau * REST_ENERGY_MeV, 40)[1:]
    assert ours == pytest.approx(theirs, rel=2e-3)


def test_multiple_scattering_keeps_its_first_two_moments():
    water = material("water")
    turning = transport_coefficients(water, 1.0, 0.1)
    turning = turning / turning[0] * np.array([[0.02], [0.1], [0.3]])
    table = deflection_quantiles(turning)
    probability = np.linspace(0, 1, 200001)
    nodes = 1 - (1 - np.linspace(0, 1, table.shape[1])) ** 2
    for row, moments in zip(table, turning, strict=True):
        mu = np.interp(probability, nodes, row)
        assert mu.mean() == pytest.approx(0.5 * (1 - np.exp(-moments[0])), rel=1e-3)
        # <cos²θ> = (1 + 2 exp(−G_2))/3; the straight lines between quantiles blur it a little
        assert ((1 - 2 * mu) ** 2).mean() == pytest.approx((1 + 2 * np.exp(-moments[1])) / 3, rel=3e-3)
