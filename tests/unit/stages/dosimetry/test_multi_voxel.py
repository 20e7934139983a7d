"""The engine that corrects voxel S-values for density and medium."""

import numpy as np
import pytest

from hevesy.core import Grid, Image, Quantity
from hevesy.data.materials import material
from hevesy.data.nuclides import nuclide
from hevesy.physics.attenuation import mass_energy_transfer_cm2_g
from hevesy.physics.photon_field import scattered_photons
from hevesy.stages.dosimetry.engines import Source, engine
from hevesy.stages.dosimetry.multi_voxel import (
    BONE_STOPS,
    bone_against_water,
    bone_share,
    multi_voxel_s_value,
    outside_body,
)
from hevesy.stages.dosimetry.point_source import Effort, make_point_kernel
from hevesy.stages.dosimetry.voxel import voxel_s_value

TIA = Quantity.TIME_INTEGRATED_ACTIVITY_CONCENTRATION
YTTRIUM, LUTETIUM = nuclide("Y-90"), nuclide("Lu-177")


def source(tia, density, of=YTTRIUM, spacing=4.0):
    grid = Grid.regular(tia.shape, (spacing,) * 3)
    densities = np.broadcast_to(np.asarray(density, np.float32), tia.shape)
    return Source(Image(tia, grid, TIA), Image(densities, grid, Quantity.DENSITY), ((of, 1.0),))


def point(shape, place):
    tia = np.zeros(shape)
    tia[place] = 1e9
    return tia


def test_charged_particles_in_water_are_those_of_the_plain_engine():
    given = source(point((17, 17, 17), (8, 8, 8)), 1000.0)
    plain, corrected = voxel_s_value(given).dose.values, multi_voxel_s_value(given).dose.values
    near = plain > 1e-3 * plain.max()  # photons, below that, lack the scatter that leaves this small box
    np.testing.assert_allclose(corrected[near], plain[near], rtol=2e-3)


def test_electrons_in_lung_go_as_far_as_its_density_lets_them():
    # at a quarter of the density a kernel is four times as wide: compare with water in voxels a quarter as wide
    lung = multi_voxel_s_value(source(point((21, 21, 21), (10, 10, 10)), 250.0, spacing=4.0)).dose.values
    water = voxel_s_value(source(64 * point((21, 21, 21), (10, 10, 10)), 1000.0, spacing=1.0)).dose.values
    for offset, tolerance in [((0, 0, 0), 0.03), ((1, 0, 0), 0.05), ((1, 1, 0), 0.05), ((3, 0, 0), 0.08)]:
        place = tuple(10 + o for o in offset)
        mean = np.mean([lung[np.roll(place, k)[0], np.roll(place, k)[1], np.roll(place, k)[2]] for k in range(3)])
        # equal decays in a voxel; 4³ × 0.25 times the mass
        assert mean == pytest.approx(water[place] / 16, rel=tolerance)


def test_within_a_lung_of_even_density_there_is_no_noise_of_rays():
    tia = np.full((15, 15, 15), 1e8)
    lung = multi_voxel_s_value(source(tia, 260.0, LUTETIUM)).dose.values[5:10, 5:10, 5:10]
    assert lung.std() / lung.mean() < 0.005  # photons fall off towards the faces


def test_electrons_keep_their_energy_at_a_border():
    density = np.full((30, 30, 30), 1000.0)
    density[15:] = 260.0
    answer = multi_voxel_s_value(source(point(density.shape, (14, 15, 15)), density))
    kept = float((answer.dose.values * density).sum()) * 0.064e-6
    assert kept == pytest.approx(1e9 * 0.064 * YTTRIUM.energy_per_decay_J(), rel=0.02)  # bremsstrahlung leaves


def test_a_voxel_behind_lung_gets_more_than_behind_water():
    tia = point((21, 9, 9), (3, 4, 4))
    density = np.full(tia.shape, 1000.0)
    density[5:15] = 260.0
    behind = multi_voxel_s_value(source(tia, density, LUTETIUM)).dose.values[17, 4, 4]
    water = multi_voxel_s_value(source(tia, 1000.0, LUTETIUM)).dose.values[17, 4, 4]
    assert behind > 1.1 * water


def test_air_within_the_body_counts_and_air_around_it_does_not():
    density = np.full((12, 12, 12), 1000.0)
    density[:2] = 1.2  # around
    density[5:8, 5:8, 5:8] = 1.2  # within
    outside = outside_body(density)
    assert outside[:2].all()
    assert not outside[2:].any()


def test_dose_is_linear_in_activity():
    density = np.full((16, 12, 12), 1000.0)
    density[8:] = 300.0
    tia = np.random.default_rng(4).random(density.shape) * 1e8
    once, twice = (multi_voxel_s_value(source(f * tia, density)).dose.values for f in (1, 2))
    np.testing.assert_allclose(twice, 2 * once, rtol=1e-4)


def test_no_activity_gives_no_dose():
    assert not multi_voxel_s_value(source(np.zeros((9, 9, 9)), 300.0)).dose.values.any()


def test_bone_begins_above_soft_tissue():
    assert bone_share(np.array([260.0, 1000.0, 1050.0, 1920.0, 2500.0])).tolist() == [0, 0, 0, 1, 1]


def test_electrons_go_through_as_much_bone_as_transport_says():
    bone, water = (make_point_kernel(LUTETIUM, material(name), Effort(4000)) for name in ("cortical bone", "water"))
    mean = []
    for kernel in (bone, water):
        thickness = kernel.radius_mm * kernel.density_kg_m3
        near = thickness[1:] < 2500  # 2.5 mm of water: nothing but bremsstrahlung goes farther
        middle = np.sqrt(thickness[1:] * thickness[:-1])
        mean.append(float((middle * kernel.charged_J)[near].sum() / kernel.charged_J[near].sum()))
    assert mean[1] / mean[0] == pytest.approx(BONE_STOPS, abs=0.02)  # 4000 histories: 1%


def test_photon_groups_hold_the_energy_that_water_takes_near_the_source():
    groups = bone_against_water().groups(((LUTETIUM, 1.0),))
    photons = [e for e in LUTETIUM.emissions if e.kind.is_photon and e.energy_J > 0.015 * 1.602176634e-13]
    taken = sum(
        e.energy_J * e.per_decay * float(mass_energy_transfer_cm2_g(material("water"), e.energy_J / 1.602176634e-13))
        for e in photons
    )
    # bremsstrahlung adds about 1.4%: 0.1 keV to 35 keV of lines, so soft that water takes five times as much of it
    assert groups[:, 0].sum() / (0.1 * taken) == pytest.approx(1.014, abs=0.01)
    assert (groups[:, 4] >= 0.9).all()
    assert (groups[:, 6] >= groups[:, 4] - 0.05).all()  # scattering softens, and bone takes soft photons


def test_bremsstrahlung_of_a_pure_beta_emitter_has_the_energy_that_electrons_radiate():
    field = bone_against_water()
    groups = field.groups(((YTTRIUM, 1.0),))
    radiated = float((groups[:, 0] / groups[:, 1]).sum())  # J per decay, above 15 keV
    # radiation yields of ESTAR's electrons averaged over the spectrum of Y-90: about 0.4% of 0.93 MeV
    assert radiated / YTTRIUM.energy_per_decay_J() == pytest.approx(0.0035, rel=0.25)
    # radiation goes with Z²/A (5.4 in cortical bone of ICRU 44, 3.66 in water), over a stopping power 0.89 of water's
    assert field.radiates == pytest.approx(5.4 / 3.66 / 0.89 - 1, abs=0.08)


def test_every_photon_that_scatters_for_ever_is_absorbed():
    energy = np.geomspace(0.015, 1.0, 40)
    survival = np.linspace(0.2, 0.99, 40)
    births = scattered_photons(energy, survival, 1.0)
    # one emitted, and births after it: each interaction absorbs 1 − survival, and all together absorb one
    absorbed = (1 - survival) + births @ (1 - survival)
    np.testing.assert_allclose(absorbed, 1.0, rtol=1e-9)
    assert not np.triu(births, 1).any()  # energy is only lost


def test_the_engine_is_found_by_name():
    assert engine("mvsv") is multi_voxel_s_value
