"""What is booked for electrons before any is followed changes noise and no mean."""

from dataclasses import replace

import numpy as np
import pytest

from factories.transport import decays, grid, layers, line, water
from hevesy.core import EmissionKind
from hevesy.data.materials import material
from hevesy.data.nuclides import nuclide
from hevesy.stages.dosimetry import own_voxel, simulation
from hevesy.stages.dosimetry.monte_carlo import LEAST_STARTS, Phantom, Physics, plan
from hevesy.stages.dosimetry.own_voxel import relative_reach
from hevesy.stages.dosimetry.simulation import Stop

ELECTRON = EmissionKind.CONVERSION_ELECTRON
#: J → keV
KEV = 1.602176634e-16


def everywhere(phantom, name):
    """Activity that differs by a factor of four from voxel to voxel."""
    source = decays(phantom, nuclide(name), [(0, 0, 0)])[0]
    values = 1.0 + 3.0 * np.random.default_rng(1).random(phantom.grid.shape)
    return [replace(source, tia=source.tia.with_values(values))]


def simulate(phantom, source, physics=None, histories=160_000, batches=16, seed=1):
    made = plan(phantom, source, histories // batches, seed, physics)
    return simulation.run(made, Stop(histories=histories), threads=1)


@pytest.mark.parametrize("name", ["Y-90", "F-18"])
def test_what_is_booked_changes_no_voxel_but_by_noise(name):
    phantom = layers(6, 4.0)
    source = everywhere(phantom, name)
    booked = simulate(phantom, source, histories=64_000)
    free = simulate(phantom, source, Physics(booked=False), histories=64_000, seed=2)
    u = np.hypot(*(tally.relative_uncertainty() * tally.energy_J for tally in (booked, free)))
    apart = (booked.energy_J - free.energy_J) / u
    # 216 voxels and 15 degrees of freedom each: mean and spread of deviates that are nearly normal
    assert abs(apart.mean()) < 4 / np.sqrt(216)
    assert apart.std() == pytest.approx(1.0, abs=0.25)


def test_a_share_far_from_the_true_one_gives_the_same_dose(monkeypatch):
    phantom = water(5, 4.0)
    source = everywhere(phantom, "Y-90")
    good, lent = simulate(phantom, source, histories=64_000), plan(phantom, source, 4000).lent
    monkeypatch.setattr(own_voxel, "STAYS", np.full(own_voxel.STAYS.size, 0.9))
    bad = simulate(phantom, source, histories=64_000, seed=2)
    assert (plan(phantom, source, 4000).lent > 1.5 * lent).all()
    u = np.hypot(*(tally.relative_uncertainty() * tally.energy_J for tally in (good, bad)))
    apart = (bad.energy_J - good.energy_J) / u
    assert abs(apart.mean()) < 4 / np.sqrt(125)
    assert bad.astray() < 1e-9


@pytest.mark.parametrize(("name", "least"), [("Lu-177", 1.5), ("I-131", 1.5), ("Y-90", 1.04)])
def test_booking_lowers_the_noise_of_voxels_where_activity_is_everywhere(name, least):
    phantom = water(8, 4.0)
    source = everywhere(phantom, name)
    # histories of the same kinds, so that only what they score differs
    made = plan(phantom, source, 200)
    plain = replace(made, lent=np.zeros(0), emissions=tuple(free(emission) for emission in made.emissions))
    with_it, without = (simulation.run(one, Stop(histories=40_000), threads=1) for one in (made, plain))
    noise = [np.sqrt(np.mean((tally.relative_uncertainty() * tally.energy_J) ** 2)) for tally in (with_it, without)]
    assert noise[1] / noise[0] > least


def free(emission):
    bins = np.zeros((0, len(emission.source.bins)))
    return replace(emission, source=emission.source._replace(level=np.zeros(0, np.uint8), booked=bins))


def test_the_share_that_is_booked_is_what_stays():
    # a cube of water with a side of the range keeps 43%; levels of reach are 19% apart, and the share by 0.06 of it
    energy_keV, side = 500.0, 1.766
    phantom = water(3, side)
    made = plan(phantom, decays(phantom, line(energy_keV, ELECTRON), [(1, 1, 1)], 1.0), 5000)
    tally = simulation.run(made, Stop(histories=40_000), threads=1)
    booked = made.lent[13] * simulation.REST_ENERGY_J
    assert booked / tally.energy_J[13] == pytest.approx(1.0, abs=0.06)


def test_no_voxel_loses_what_it_does_not_have():
    # activity over some seven decades, and few histories for most voxels
    phantom = Phantom.uniform(grid(16, 4.0), material("lung"))
    generator = np.random.default_rng(1)
    source = decays(phantom, nuclide("Lu-177"), [(0, 0, 0)])[0]
    values = np.exp(generator.normal(0.0, 2.0, phantom.grid.shape))
    source = [replace(source, tia=source.tia.with_values(values))]
    for histories in (2048, 20_480):
        assert simulate(phantom, source, histories=histories).energy_J.min() >= 0.0
    assert np.count_nonzero(plan(phantom, source, 1280).lent) > 500


def test_nothing_is_booked_where_few_histories_start():
    phantom = water(4, 4.0)
    source = decays(phantom, line(100.0, ELECTRON), [(0, 0, 0)])[0]
    values = np.ones(phantom.grid.shape)
    values[0, 0, 0] = 1e-3
    made = plan(phantom, [replace(source, tia=source.tia.with_values(values))], int(64 * LEAST_STARTS))
    assert made.lent[0] == 0.0
    assert (made.lent[1:] > 0.5 * 100.0 * KEV / simulation.REST_ENERGY_J * phantom.grid.voxel_volume_mL).all()


def test_a_voxel_is_uncertain_by_what_no_history_has_come_for():
    phantom = water(3, 4.0)
    source = decays(phantom, line(100.0, ELECTRON), [(0, 0, 0), (2, 2, 2)])
    made = plan(phantom, source, 100)
    tally = simulation.empty_tally(made).with_batch(made.lent, np.zeros(5), np.zeros(0))
    assert (tally.relative_uncertainty() == 1.0).all()


def test_reach_goes_with_the_range_over_the_side():
    media = (material("water"), material("lung"), material("cortical bone"))
    density = np.array([m.density_kg_m3 for m in media])
    reach = relative_reach(density, np.arange(3), media, (4.0, 4.0, 4.0))
    assert reach[0] == pytest.approx(0.25, rel=1e-12)
    # lung: 1 over 0.26; bone: 1.1 over 1.92
    assert reach[1] / reach[0] == pytest.approx(1 / 0.26, rel=0.02)
    assert reach[2] / reach[0] == pytest.approx(1.1 / 1.92, rel=0.05)
    flat = relative_reach(density, np.arange(3), media, (4.0, 4.0, 1.0))
    assert flat == pytest.approx(2.0 * reach, rel=1e-12)
