"""Single particles against laws that can be written down."""

import numpy as np
import pytest

from factories.transport import block, fire
from hevesy.data.materials import material
from hevesy.kernels import random as rng
from hevesy.kernels.tables import (
    ELECTRON,
    PHOTON,
    TO_COHERENT,
    TO_INCOHERENT,
    TOTAL,
)
from hevesy.physics.attenuation import linear_attenuation_per_mm, mass_attenuation_cm2_g
from hevesy.physics.stopping_power import csda_range_g_cm2


@pytest.mark.parametrize(("medium", "energy_MeV"), [("water", 0.1), ("cortical bone", 0.06), ("lung", 0.2)])
def test_photons_reach_their_first_interaction_by_the_attenuation_of_the_table(medium, energy_MeV):
    substance = material(medium)
    coherent = mass_attenuation_cm2_g(substance, energy_MeV, "coherent")
    share = float(1 - coherent / mass_attenuation_cm2_g(substance, energy_MeV))
    attenuation = float(linear_attenuation_per_mm(substance, energy_MeV)) * share
    path = 1 / attenuation
    world = block(substance, 60 * path, [0.0, 0.5 * path, path, 2 * path])
    # without coherent scattering, and absorbed at once after anything else
    coefficients = world.photons.coefficients.copy()
    coefficients[..., TOTAL] *= share
    coefficients[..., TO_INCOHERENT] = coefficients[..., TO_COHERENT] = 0.0
    world = world._replace(photons=world.photons._replace(coefficients=coefficients))
    world = world._replace(options=world.options._replace(electron_cutoff=1.0))
    scored = fire(world, energy_MeV, PHOTON, 40000)
    expected = 1 - np.exp(-np.array([0.5, 1.0, 2.0]))
    # 40,000 photons: 0.25 percentage points; X rays of bone's calcium carry a little further
    assert np.cumsum(scored)[:3] == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(("medium", "energy_MeV"), [("water", 1.0), ("water", 0.15), ("cortical bone", 0.6)])
def test_electrons_give_up_their_energy_within_their_range(medium, energy_MeV):
    substance = material(medium)
    reach = float(csda_range_g_cm2(substance, energy_MeV)) * 1e4 / substance.density_kg_m3
    world = block(substance, 10 * reach, np.array([0.0, 0.9, 1.1]) * reach)
    scored = fire(world, energy_MeV, ELECTRON, 5000)
    # detours keep most of the energy well inside; straggling carries little beyond the mean range
    assert 0.94 < scored[0] < 0.99
    assert scored[2] < 0.004


def test_energy_near_the_origin_grows_with_the_atomic_number():
    # more turning keeps more of the energy within a fifth of the range
    shares = []
    for medium in ("water", "aluminium", "copper"):
        substance = material(medium)
        reach = float(csda_range_g_cm2(substance, 0.5)) * 1e4 / substance.density_kg_m3
        shares.append(fire(block(substance, 10 * reach, [0.0, 0.2 * reach, reach]), 0.5, ELECTRON, 4000)[0])
    assert 1.05 * shares[0] < shares[1] < 0.9 * shares[2]


def test_random_numbers_are_uniform_and_belong_to_their_history():
    stream = np.zeros(1, np.uint64)
    rng.start_stream(stream, 1, 2, 3)
    numbers = np.array([rng.uniform(stream) for _ in range(20000)])
    rng.start_stream(stream, 1, 2, 3)
    assert numbers[0] == rng.uniform(stream)
    counts, _ = np.histogram(numbers, 100, (0, 1))
    # chi-squared of 99 degrees of freedom: 99 ± 14
    assert np.sum((counts - 200.0) ** 2 / 200.0) == pytest.approx(99, abs=5 * 14)
    assert abs(np.corrcoef(numbers[1:], numbers[:-1])[0, 1]) < 5 / np.sqrt(20000)


def test_neighbouring_histories_are_not_alike():
    stream = np.zeros(1, np.uint64)
    firsts = []
    for history in range(20000):
        rng.start_stream(stream, 1, 0, history)
        firsts.append(rng.uniform(stream))
    assert np.mean(firsts) == pytest.approx(0.5, abs=5 * 0.2887 / np.sqrt(20000))
    assert abs(np.corrcoef(firsts[1:], firsts[:-1])[0, 1]) < 5 / np.sqrt(20000)


def test_turning_keeps_the_angle_that_was_asked_for():
    generator = np.random.default_rng(1)
    for cosine in (-0.9, 0.0, 0.3, 0.9999):
        direction = generator.normal(size=3)
        particle = np.zeros(9)
        particle[3:6] = direction / np.linalg.norm(direction)
        before = particle[3:6].copy()
        rng.rotate(particle, cosine, 1.3)
        assert particle[3:6] @ before == pytest.approx(cosine, abs=1e-12)
        assert np.linalg.norm(particle[3:6]) == pytest.approx(1.0, abs=1e-12)
