"""The laws that a transport must keep, whatever its numbers."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from factories.transport import decays, layers, line, water
from hevesy.core import EmissionKind, Region
from hevesy.data.nuclides import nuclide
from hevesy.errors import BadInput, ContradictoryInformation, GridMismatch, UnreadableFile
from hevesy.stages.dosimetry import monte_carlo, simulation
from hevesy.stages.dosimetry.monte_carlo import Physics, plan
from hevesy.stages.dosimetry.simulation import Stop

CENTRE = (4, 4, 4)


def simulate(phantom, source, physics=None, batch=6000, batches=16, seed=1, regions=(), threads=2):
    made = plan(phantom, source, batch, seed, physics, regions)
    return simulation.run(made, Stop(histories=batch * batches), threads=threads)


def agree(first, second, sigmas=4.5):
    """Two simulations agree voxel by voxel where both are known within 30%."""
    a, b = first.energy_J, second.energy_J
    ua, ub = first.relative_uncertainty() * a, second.relative_uncertainty() * b
    known = (ua < 0.3 * a) & (ub < 0.3 * b)
    assert known.sum() > 50
    deviations = np.abs(a - b)[known] / np.hypot(ua, ub)[known]
    # 16 batches: Student's t, not a normal deviate
    assert np.median(deviations) < 1.0
    assert (deviations > sigmas).mean() < 0.005
    total = np.abs(a.sum() - b.sum()) / a.sum()
    assert total < 0.02


@pytest.mark.parametrize("name", ["Lu-177", "Y-90", "I-131", "F-18", "I-124", "Tc-99m"])
@pytest.mark.parametrize("physics", [Physics(), Physics.analog()], ids=["kerma", "analog"])
def test_what_is_emitted_is_deposited_or_escapes_within_1e_9(name, physics):
    phantom = layers()
    tally = simulate(phantom, decays(phantom, nuclide(name), [CENTRE, (1, 1, 7), (7, 1, 1)]), physics, 1000, 2)
    assert tally.astray() < 1e-9
    assert simulation.balance_J(tally)["escaped_J"] > 0


def test_emitted_energy_is_that_of_the_decay_data():
    # energy drawn from the spectrum's bins, all kinds but neutrinos; 0.02% for the bins of the spectrum
    phantom, lu = water(), nuclide("Lu-177")
    tally = simulate(phantom, decays(phantom, lu, [CENTRE], 1e6), batches=20)
    kinds = ("beta-", "conversion electron", "Auger electron", "gamma", "X ray")
    emitted = 1e6 * lu.energy_per_decay_J(*(EmissionKind(kind) for kind in kinds))
    assert simulation.balance_J(tally)["emitted_J"] == pytest.approx(emitted, rel=1e-3)


def test_positrons_bring_two_rest_energies():
    phantom, f18 = water(), nuclide("F-18")
    tally = simulate(phantom, decays(phantom, f18, [CENTRE], 1.0))
    betas = [e for e in f18.emissions if e.kind is EmissionKind.BETA_PLUS]
    expected = sum(e.per_decay * (e.energy_J + 2 * 8.18710578e-14) for e in betas)
    assert simulation.balance_J(tally)["emitted_J"] == pytest.approx(expected, rel=2e-3)


def test_threads_make_no_difference():
    phantom = layers()
    source = decays(phantom, nuclide("I-131"), [CENTRE])
    one, three = (simulate(phantom, source, batches=7, threads=threads) for threads in (1, 3))
    assert np.array_equal(one.energy_J, three.energy_J)
    assert np.array_equal(one.balance, three.balance)


def test_another_seed_gives_another_dose_that_agrees():
    phantom = layers()
    source = decays(phantom, nuclide("I-131"), [CENTRE])
    one, two = (simulate(phantom, source, seed=seed) for seed in (1, 2))
    assert not np.array_equal(one.energy_J, two.energy_J)
    agree(one, two)


def test_dose_is_proportional_to_activity():
    phantom = layers()
    one, seven = (simulate(phantom, decays(phantom, nuclide("Y-90"), [CENTRE], n), batches=2) for n in (1e6, 7e6))
    assert np.allclose(7 * one.energy_J, seven.energy_J, rtol=1e-12)


@pytest.mark.parametrize("name", ["I-131", "Y-90"])
def test_reductions_of_variance_do_not_change_the_dose(name):
    # 5 mm voxels: what kerma approximates (electrons of photons leaving their voxel) is tested apart
    phantom = layers(9, 5.0)
    source = decays(phantom, nuclide(name), [CENTRE])
    reduced = Physics(kerma=False)
    agree(simulate(phantom, source, reduced), simulate(phantom, source, Physics.analog(), batch=20000))


def test_scoring_along_the_track_agrees_with_following_every_electron():
    # 140 keV: electrons reach at most 0.1 mm in tissue
    phantom = layers()
    source = decays(phantom, line(140.0), [CENTRE])
    agree(simulate(phantom, source), simulate(phantom, source, Physics(kerma=False), batch=20000))


def test_flight_by_the_majorant_agrees_with_flight_from_face_to_face():
    phantom = layers()
    source = decays(phantom, line(140.0), [CENTRE, (7, 1, 1)])
    agree(simulate(phantom, source), simulate(phantom, source, Physics(woodcock=True), batch=20000))


def test_a_mirrored_phantom_has_the_mirrored_dose():
    phantom = layers()
    mirrored = monte_carlo.Phantom(
        phantom.density.with_values(phantom.density.values[::-1, :, ::-1].copy()),
        phantom.labels[::-1, :, ::-1].copy(),
        phantom.media,
    )
    one = simulate(phantom, decays(phantom, nuclide("I-131"), [(2, 4, 5)]))
    two = simulate(mirrored, decays(mirrored, nuclide("I-131"), [(6, 4, 3)]), seed=5)
    agree(one, mirror(two))


def mirror(tally):
    def back(values):
        return values.reshape(9, 9, 9)[::-1, :, ::-1].ravel()

    return simulation.Tally(back(tally.total), back(tally.squares), tally.balance, tally.by_region)


def test_a_turned_phantom_has_the_turned_dose():
    phantom = layers()
    turned = monte_carlo.Phantom(
        phantom.density.with_values(phantom.density.values.transpose(1, 2, 0).copy()),
        phantom.labels.transpose(1, 2, 0).copy(),
        phantom.media,
    )
    one = simulate(phantom, decays(phantom, nuclide("Y-90"), [(5, 4, 4)]))
    two = simulate(turned, decays(turned, nuclide("Y-90"), [(4, 4, 5)]), seed=5)
    total, squares = (v.reshape(9, 9, 9).transpose(2, 0, 1).ravel() for v in (two.total, two.squares))
    agree(one, simulation.Tally(total, squares, two.balance, two.by_region))


def test_photons_are_reciprocal_between_two_places_of_one_medium():
    phantom = water()
    here, there = (2, 4, 4), (6, 5, 4)
    forth = simulate(phantom, decays(phantom, line(208.0), [here]), batch=20000)
    back = simulate(phantom, decays(phantom, line(208.0), [there]), batch=20000, seed=2)
    a, b = (np.ravel_multi_index(place, (9, 9, 9)) for place in (there, here))
    u = np.hypot(forth.relative_uncertainty()[a], back.relative_uncertainty()[b])
    assert u < 0.04
    assert forth.energy_J[a] / back.energy_J[b] == pytest.approx(1.0, abs=4 * u)


def test_a_simulation_goes_on_from_where_it_was_kept(tmp_path):
    phantom = layers()
    made = plan(phantom, decays(phantom, nuclide("Y-90"), [CENTRE]), 1000)
    whole = simulation.run(made, Stop(histories=6000), threads=2)
    part = simulation.run(made, Stop(histories=2000), threads=2)
    simulation.save(tmp_path / "kept.npz", made, part)
    rest = simulation.run(made, Stop(histories=6000), simulation.load(tmp_path / "kept.npz", made), threads=1)
    assert np.array_equal(whole.energy_J, rest.energy_J)
    assert np.array_equal(whole.relative_uncertainty(), rest.relative_uncertainty())


def test_a_kept_simulation_of_another_seed_is_refused(tmp_path):
    phantom = water(3)
    made, other = (plan(phantom, decays(phantom, line(100.0), [(1, 1, 1)]), 100, seed) for seed in (1, 2))
    simulation.save(tmp_path / "kept.npz", made, simulation.run(made, Stop(histories=100)))
    with pytest.raises(ContradictoryInformation, match="another simulation"):
        simulation.load(tmp_path / "kept.npz", other)
    (tmp_path / "no.npz").write_bytes(b"no")
    with pytest.raises(UnreadableFile, match="no simulation"):
        simulation.load(tmp_path / "no.npz", made)


def test_it_runs_until_the_regions_are_known_well_enough():
    phantom = water()
    mask = np.zeros((9, 9, 9), bool)
    mask[6:8, 4:6, 4:6] = True
    region = Region.from_mask("target", phantom.grid, mask)
    made = plan(phantom, decays(phantom, line(208.0), [CENTRE]), 2000, regions=[region])
    tally = simulation.run(made, Stop(relative_uncertainty=0.01))
    assert 0.005 < tally.region_uncertainty()[0] <= 0.01
    assert tally.region_energy(0).u_relative <= 0.01
    assert tally.batches >= simulation.LEAST_BATCHES


def test_the_stated_uncertainty_is_the_spread_of_repeated_simulations():
    phantom = layers()
    source = decays(phantom, nuclide("I-131"), [CENTRE])
    place = np.ravel_multi_index((6, 4, 4), (9, 9, 9))
    made = plan(phantom, source, 500)
    runs = [simulation.run(replace(made, seed=seed), Stop(histories=5000)) for seed in range(30)]
    stated = np.sqrt(np.mean([(run.relative_uncertainty()[place] * run.energy_J[place]) ** 2 for run in runs]))
    spread = np.std([run.energy_J[place] for run in runs], ddof=1)
    # 30 runs know their spread within 13%: three times that
    assert stated / spread == pytest.approx(1.0, abs=0.4)


def test_a_voxel_that_nothing_reached_has_an_uncertainty_of_one():
    phantom = water()
    electrons = decays(phantom, line(100.0, EmissionKind.CONVERSION_ELECTRON), [CENTRE])
    tally = simulate(phantom, electrons, batches=2)
    assert tally.relative_uncertainty()[0] == 1.0
    assert tally.energy_J[np.ravel_multi_index(CENTRE, (9, 9, 9))] == pytest.approx(1e6 * 1.602e-14, rel=0.02)


def test_what_cannot_be_simulated_is_refused():
    phantom = water(3)
    with pytest.raises(GridMismatch):
        plan(phantom, decays(water(4), line(100.0), [(1, 1, 1)]))
    with pytest.raises(BadInput, match="nothing to transport"):
        plan(phantom, decays(phantom, line(100.0), []))
    empty = monte_carlo.Phantom(phantom.density.with_values(np.zeros((3, 3, 3))), phantom.labels, phantom.media)
    with pytest.raises(BadInput, match="density is zero"):
        plan(empty, decays(empty, line(100.0), [(1, 1, 1)]))
    with pytest.raises(BadInput, match="positive number"):
        Stop()


@cache
def means_of_regions(physics):
    phantom = layers(9, 5.0)
    source = decays(phantom, nuclide("Y-90"), [(4, 4, 4), (4, 4, 5), (2, 3, 4), (6, 5, 4)])
    masks = {name: np.zeros((9, 9, 9), bool) for name in ("source", "beside", "half")}
    masks["source"][4, 4, 4:6] = masks["beside"][3:6, 3:6, 3] = masks["half"][5:] = True
    regions = [Region.from_mask(name, phantom.grid, mask) for name, mask in masks.items()]
    tally = simulate(phantom, source, physics, 10000, 20, regions=regions)
    return [tally.region_energy(i) for i in range(len(regions))]


@pytest.mark.parametrize(
    "without",
    ["stratified", "energy_biased", "booked", "splitting", "stop_inside"],
)
def test_each_reduction_of_variance_leaves_the_means_of_regions_as_they_are(without):
    changed = replace(Physics(), **{without: getattr(Physics.analog(), without)})
    for one, other in zip(means_of_regions(Physics()), means_of_regions(changed), strict=True):
        u = np.hypot(one.u, other.u)
        assert u < 0.012 * one.value
        # 19 degrees of freedom
        assert abs(one.value - other.value) < 3 * u
