import numpy as np
import pytest

from hevesy.core import EmissionKind, Grid, Image, Quantity, Region
from hevesy.data.materials import material
from hevesy.data.nuclides import nuclide
from hevesy.errors import OutsideValidity
from hevesy.physics.attenuation import mass_energy_transfer_cm2_g
from hevesy.stages.dosimetry.engines import Source
from hevesy.stages.dosimetry.local import CHARGED, PHOTONS, local_deposition
from hevesy.stages.dosimetry.photons_left_out import photon_absorbed_fraction

GRID = Grid.regular((12, 12, 12), (10.0, 10.0, 10.0))
BOX = (slice(3, 6), slice(3, 6), slice(3, 6))


def region(box=BOX):
    mask = np.zeros(GRID.shape)
    mask[box] = 1
    return Region.from_mask("lesion", GRID, mask)


def answer(name, inside, outside, density=1000.0):
    tia = np.full(GRID.shape, outside)
    tia[BOX] = inside
    quantity = Quantity.TIME_INTEGRATED_ACTIVITY_CONCENTRATION
    mass = Image(np.full(GRID.shape, density), GRID, Quantity.DENSITY)
    return local_deposition(Source(Image(tia, GRID, quantity), mass, ((nuclide(name), 1.0),)))


@pytest.mark.parametrize("energy_MeV", [0.03, 0.208, 0.364, 1.0])
@pytest.mark.parametrize("mass_kg", [1e-4, 0.1, 10.0])
def test_the_absorbed_fraction_is_that_of_chords_drawn_at_random(energy_MeV, mass_kg):
    """Brute force: a point in a unit sphere, a direction, the way out, and what is absorbed on it."""
    rng = np.random.default_rng(7)
    out, cosine = rng.random(400_000) ** (1 / 3), rng.uniform(-1, 1, 400_000)
    way = -out * cosine + np.sqrt(1 - out**2 * (1 - cosine**2))
    radius_cm = (3 * mass_kg * 1e3 / (4 * np.pi)) ** (1 / 3)
    free_paths = radius_cm * float(mass_energy_transfer_cm2_g(material("water"), energy_MeV))
    drawn = float(np.mean(-np.expm1(-free_paths * way)))
    # 400,000 draws know the mean to 0.1%
    assert photon_absorbed_fraction(energy_MeV, mass_kg) == pytest.approx(drawn, rel=4e-3)


def test_the_series_of_a_thin_sphere_meets_the_closed_form():
    masses = np.geomspace(1e-8, 1e-4, 60)
    fractions = np.array([float(photon_absorbed_fraction(0.2, mass)) for mass in masses])
    # it goes as the radius: third root of the mass
    assert np.diff(np.log(fractions)) == pytest.approx(np.diff(np.log(masses)) / 3, rel=0.02)


def test_iodine_leaves_out_many_times_what_lutetium_does():
    lu, iodine = (answer(name, 1e9, 0.0).left_out(region()) for name in ("Lu-177", "I-131"))
    # 27 g: photons carry 35 keV of Lu-177 beside 147, 383 of I-131 beside 192 (ICRP 107)
    assert 0.005 < lu < 0.02
    assert 6 < iodine / lu < 12


def test_activity_elsewhere_adds_to_what_is_left_out_as_much_as_there_is_of_it():
    alone, little, much = (answer("Lu-177", 1e9, outside).left_out(region()) for outside in (0.0, 1e7, 2e7))
    assert little - alone > 0
    assert (much - alone) / (little - alone) == pytest.approx(2.0, rel=1e-4)


def test_no_more_is_left_out_than_photons_carry():
    found = answer("I-131", 1e9, 1e9)
    whole = region((slice(0, 12),) * 3)
    carried = nuclide("I-131").energy_per_decay_J(*PHOTONS) / nuclide("I-131").energy_per_decay_J(*CHARGED)
    assert 0 < found.left_out(whole) < found.left_out(region()) < carried


def test_a_nuclide_of_photons_alone_is_refused():
    bare = nuclide("Lu-177")
    photons = tuple(e for e in bare.emissions if e.kind is EmissionKind.GAMMA)
    tia = Image(np.ones(GRID.shape), GRID, Quantity.TIME_INTEGRATED_ACTIVITY_CONCENTRATION)
    mass = Image(np.ones(GRID.shape), GRID, Quantity.DENSITY)
    gamma = type(bare)(**{**{f: getattr(bare, f) for f in bare.__dataclass_fields__}, "emissions": photons})
    with pytest.raises(OutsideValidity, match="photons alone"):
        local_deposition(Source(tia, mass, ((gamma, 1.0),)))
