"""Positrons that annihilate: what becomes of their energy."""

import numpy as np
import pytest

from factories.transport import block, fire
from hevesy.data.materials import material
from hevesy.kernels.electron import _annihilate_in_flight
from hevesy.kernels.random import start_stream
from hevesy.kernels.tables import ENERGY, POSITRON, TOTAL, WEIGHT, scratch
from hevesy.physics.bremsstrahlung import radiative_stopping_power_MeV_cm2_g
from hevesy.physics.positron_annihilation import annihilation_cm2_g
from hevesy.physics.stopping_power import stopping_power_MeV_cm2_g

GAMMA = 4.0


@pytest.fixture(scope="module")
def photons():
    """Energies and directions of the two photons of many annihilations of positrons that fly along the last axis."""
    storage = scratch(1)
    start_stream(storage.stream, 1, 2, 3)
    found = np.zeros((20_000, 2, 9))
    for pair in found:
        particle = np.zeros(9)
        particle[3:9] = 0.0, 0.0, 1.0, GAMMA - 1.0, 1.0, POSITRON
        storage.depth[0] = 0
        _annihilate_in_flight(particle, storage)
        pair[:] = storage.stack[:2]
    return found


def test_two_photons_take_all_energy_and_momentum(photons):
    assert photons[..., ENERGY].sum(axis=1) == pytest.approx(GAMMA + 1.0)
    momentum = (photons[..., 3:6] * photons[..., ENERGY, None]).sum(axis=1)
    assert momentum == pytest.approx(np.array([[0.0, 0.0, np.sqrt(GAMMA**2 - 1)]] * len(momentum)), abs=1e-6)
    assert (photons[..., WEIGHT] == 1.0).all()


def test_energies_follow_heitlers_distribution(photons):
    share = photons[..., ENERGY].ravel() / (GAMMA + 1.0)
    least = 1 / (GAMMA + 1 + np.sqrt(GAMMA**2 - 1))
    places = np.linspace(least, 1 - least, 4001)

    def one(part):
        return -((GAMMA + 1) ** 2) + (GAMMA**2 + 4 * GAMMA + 1) / part - 1 / part**2

    density = one(places) + one(1 - places)
    bounds = np.linspace(least, 1 - least, 11)
    cumulative = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(places))])
    expected = np.diff(np.interp(bounds, places, cumulative / cumulative[-1])) * share.size
    counts, _ = np.histogram(share, bounds)
    # 20,000 pairs, and each photon's share tells the other's: 5 standard deviations
    assert np.abs(counts - expected).max() < 5 * np.sqrt(2 * expected.max())


def carried_off(medium, energy_MeV):
    """Share of a positron's kinetic energy that photons carry off before it rests, losing energy evenly."""
    energy = np.geomspace(0.001, energy_MeV, 2001)
    stopping = stopping_power_MeV_cm2_g(medium, energy, positron=True)
    each = annihilation_cm2_g(medium, energy) / stopping
    until = np.concatenate([[0.0], np.cumsum((each[1:] + each[:-1]) / 2 * np.diff(energy))])
    alive = np.exp(until - until[-1])
    radiated = radiative_stopping_power_MeV_cm2_g(medium, energy, positron=True) / stopping
    return float(np.trapezoid(alive * (each * energy + radiated), energy)) / energy_MeV


@pytest.mark.parametrize("cutoff_MeV", [0.010, 1.9], ids=["followed", "stopped at once"])
def test_kinetic_energy_goes_off_with_photons_as_often_as_the_cross_sections_say(cutoff_MeV):
    water, energy = material("water"), 1.899
    world = block(water, 100.0, [0.0, 80.0])
    coefficients = world.photons.coefficients.copy()
    coefficients[..., TOTAL] = 1e-20
    world = world._replace(
        photons=world.photons._replace(coefficients=coefficients),
        options=world.options._replace(electron_cutoff=cutoff_MeV / 0.51099895),
    )
    kept = fire(world, energy, POSITRON, 60_000).sum()
    # 60,000 positrons: 3% of what is carried off; photons below 10 keV stay: 1% of it
    assert 1 - kept == pytest.approx(carried_off(water, energy), rel=0.1)
