"""The voxel S-value engine: energy, laws of convolution, refusals."""

import tracemalloc

import numpy as np
import pytest

from hevesy.core import EmissionKind, Grid, Image, Quantity
from hevesy.data import point_kernels
from hevesy.data.nuclides import nuclide
from hevesy.errors import BadInput, WrongQuantity
from hevesy.stages.dosimetry.engines import Source, engine
from hevesy.stages.dosimetry.voxel import electron_reach_mm, voxel_s_value
from hevesy.workflows.chain import chain

LUTETIUM = nuclide("Lu-177")
TIA = Quantity.TIME_INTEGRATED_ACTIVITY_CONCENTRATION


def source(tia, density=1000.0, spacing=(4.0, 4.0, 4.0), of=LUTETIUM):
    grid = Grid.regular(tia.shape, spacing)
    densities = np.broadcast_to(np.asarray(density, np.float32), tia.shape)
    return Source(Image(tia, grid, TIA), Image(densities, grid, Quantity.DENSITY), ((of, 1.0),))


def point(shape=(15, 15, 15), place=(7, 7, 7), decays_per_mL=1e9):
    tia = np.zeros(shape)
    tia[place] = decays_per_mL
    return tia


def energy_J(answer, density=1000.0):
    return float((answer.dose.values.astype(float) * density).sum() * answer.dose.grid.voxel_volume_mL * 1e-6)


def test_charged_energy_stays_in_a_large_box_of_water():
    answer = voxel_s_value(source(point()))
    emitted = 1e9 * 0.064 * LUTETIUM.energy_per_decay_J()
    charged = (
        1e9 * 0.064 * sum(LUTETIUM.energy_per_decay_J(k) for k in {e.kind for e in LUTETIUM.emissions} if k.is_electron)
    )
    # all of the electrons' and, within 3 cm, a tenth to a third of the photons' energy
    assert charged < energy_J(answer) < charged + 0.33 * (emitted - charged)


def test_dose_is_linear_in_activity():
    tia = np.random.default_rng(2).random((12, 10, 8)) * 1e8
    once, thrice = voxel_s_value(source(tia)), voxel_s_value(source(3 * tia))
    np.testing.assert_allclose(thrice.dose.values, 3 * once.dose.values, rtol=1e-4)


def test_dose_does_not_know_left_from_right():
    tia = np.random.default_rng(3).random((9, 10, 11)) * 1e8
    found = voxel_s_value(source(tia)).dose.values
    mirrored = voxel_s_value(source(tia[::-1, :, ::-1].copy())).dose.values
    np.testing.assert_allclose(mirrored[::-1, :, ::-1], found, rtol=1e-4)


def test_two_voxels_give_each_other_the_same():
    one, other = (3, 7, 7), (9, 8, 5)
    there = voxel_s_value(source(point(place=one))).dose.values[other]
    back = voxel_s_value(source(point(place=other))).dose.values[one]
    assert there == pytest.approx(back, rel=1e-3)


def test_a_large_uniform_organ_gets_its_electrons_energy_per_mass():
    tia = np.full((21, 21, 21), 1e8)
    centre = voxel_s_value(source(tia)).dose.values[10, 10, 10]
    electrons = [k for k in {e.kind for e in LUTETIUM.emissions} if k.is_electron]
    least = 1e8 * 1e6 / 1000.0 * LUTETIUM.energy_per_decay_J(*electrons)
    most = 1e8 * 1e6 / 1000.0 * LUTETIUM.energy_per_decay_J()
    assert least < centre < most


def test_dense_tissue_takes_the_same_electrons_in_more_mass():
    light = voxel_s_value(source(point(), 500.0)).dose.values[7, 7, 7]
    heavy = voxel_s_value(source(point(), 1000.0)).dose.values[7, 7, 7]
    assert light == pytest.approx(2 * heavy, rel=0.01)  # photons, below 1% of the self dose, do not scale


def test_air_gets_no_dose():
    density = np.full((15, 15, 15), 1000.0)
    density[8:] = 1.2
    dose = voxel_s_value(source(point(), density)).dose.values
    assert dose[7, 7, 7] > 0
    assert not dose[8:].any()


def test_empty_air_around_the_body_changes_nothing():
    tia = np.random.default_rng(5).random((9, 10, 11)) * 1e8
    close = voxel_s_value(source(tia)).dose.values
    margins = [(3, 1), (0, 4), (2, 0)]
    wide = voxel_s_value(source(np.pad(tia, margins), np.pad(np.full(tia.shape, 1000.0), margins))).dose.values
    np.testing.assert_allclose(wide[3:12, 0:10, 2:13], close, rtol=1e-5)  # 32-bit transforms of other lengths
    assert wide.sum(dtype=float) == pytest.approx(close.sum(dtype=float), rel=1e-5)


def test_an_empty_image_gives_no_dose():
    assert not voxel_s_value(source(np.zeros((5, 6, 7)), 0.0)).dose.values.any()


@pytest.mark.parametrize("of", ["Lu-177", "I-131", "Tc-99m", "F-18"])
@pytest.mark.parametrize("spacing", [(16.0, 16.0, 26.0), (26.0, 16.0, 16.0), (16.0, 16.0, 16.0)])
def test_photons_leave_their_energy_in_a_large_box_of_water_within_one_percent(of, spacing):
    # beyond 0.8 m of water there is less than 0.4% of 0.5 MeV photons' energy
    sizes = tuple(2 * round(800 / side) + 1 for side in spacing)
    absorbed = energy_J(voxel_s_value(source(point(sizes, tuple(n // 2 for n in sizes)), 1000.0, spacing, nuclide(of))))
    emitter, decays = nuclide(of), 1e9 * float(np.prod(spacing)) * 1e-3
    photons = decays * emitter.energy_per_decay_J(*(k for k in EmissionKind if k.is_photon))
    everything = decays * emitter.energy_per_decay_J()
    assert absorbed == pytest.approx(everything, abs=0.01 * photons)


def test_memory_leaves_room_for_the_largest_images():
    tia = np.random.default_rng(6).random((96, 96, 96)).astype(np.float32)
    given = source(tia)
    tracemalloc.start()
    voxel_s_value(given)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # 256³ voxels in 2 GiB are 128 bytes for each, of which the program and its images take a third
    assert peak / tia.size < 80


def test_voxels_may_be_slabs():
    answer = voxel_s_value(source(point((21, 21, 11), (10, 10, 5)), spacing=(2.0, 2.0, 4.0)))
    electrons = [k for k in {e.kind for e in LUTETIUM.emissions} if k.is_electron]
    assert energy_J(answer) > 1e9 * 0.016 * LUTETIUM.energy_per_decay_J(*electrons)


def test_the_engine_is_found_by_name():
    assert engine("vsv") is voxel_s_value


@pytest.mark.parametrize(
    "parent", ["Lu-177", "I-131", "Ac-225", "Ra-223", "At-211", "Pb-212", "Zr-89", "I-124", "In-111"]
)
def test_every_member_of_a_chain_that_decays_in_place_has_a_tabulated_kernel(parent):
    missing = {member.name for member, _ in chain(nuclide(parent))} - set(point_kernels.nuclides())
    assert not missing


def test_activity_in_other_units_is_refused():
    given = source(point())
    wrong = Image(given.tia.values, given.tia.grid, Quantity.ACTIVITY_CONCENTRATION)
    with pytest.raises(WrongQuantity):
        voxel_s_value(Source(wrong, given.density, given.nuclides))


def test_a_sheared_grid_is_refused():
    affine = np.diag((4.0, 4.0, 4.0, 1.0))
    affine[0, 1] = 2.0
    grid = Grid((5, 5, 5), affine)
    values = np.ones((5, 5, 5))
    with pytest.raises(BadInput, match="right angles"):
        voxel_s_value(Source(Image(values, grid, TIA), Image(values, grid, Quantity.DENSITY), ((LUTETIUM, 1.0),)))


def test_reach_is_the_range_of_the_fastest_electron():
    # ESTAR: 2.28 MeV electrons go 1.13 g/cm² in water
    assert electron_reach_mm("Y-90") == pytest.approx(11.3, abs=0.1)


@pytest.mark.parametrize("name", point_kernels.nuclides())
def test_every_kernel_holds_the_energy_that_its_nuclide_emits(name):
    # a positron's annihilation is an emission of ICRP 107 and a product of the simulation
    emitted = nuclide(name).energy_per_decay_J()
    assert point_kernels.point_kernel(name).energy_J == pytest.approx(emitted, rel=0.01)
