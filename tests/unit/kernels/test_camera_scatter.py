"""Forced detection against the projector, against Klein and Nishina, and against symmetry."""

import numpy as np
import pytest

from hevesy.core import EnergyWindow
from hevesy.errors import BadInput, MissingInformation
from hevesy.kernels.camera_scatter import Body, Camera, scatter
from hevesy.stages.quantification.reconstruction import Lattice, LinearResponse, Orbit, SystemModel
from hevesy.stages.quantification.reconstruction import simulated_scatter as made
from hevesy.stages.quantification.reconstruction.simulated_scatter import Detection, scattered

SIDE, SLICES, PIXEL = 24, 20, 8.0
PEAK = EnergyWindow(((126.45, 154.55),), "peak")
BELOW = EnergyWindow(((90.0, 120.0),), "below")
TECHNETIUM = Detection(140.5, ((140.5, 0.89),), (PEAK, BELOW), 0.1)


def _cylinder(radius_mm: float) -> np.ndarray:
    place = (np.arange(SIDE) - (SIDE - 1) / 2) * PIXEL
    inside = np.hypot(place[:, None], place[None, :]) <= radius_mm
    return np.repeat(inside[:, :, None], SLICES, axis=2).astype(np.float64)


def _system(angles: np.ndarray, mu: np.ndarray | None) -> SystemModel:
    return SystemModel(
        Lattice(SIDE, SLICES, PIXEL, PIXEL), Orbit(angles, np.full(angles.size, 120.0)), LinearResponse(0.02, 2.0), mu
    )


def test_unscattered_photons_agree_with_the_projector() -> None:
    mu = 0.0155 * _cylinder(85)
    activity = np.zeros(mu.shape)
    activity[9:12, 13:16, 8:12] = 1.0
    system = _system(np.array([0.0, 75.0, 200.0]), mu)
    photons = made._photons(activity, TECHNETIUM)._replace(line_seen=np.ones(1), incoherent=np.zeros(400))
    body = Body(np.asarray(mu, np.float32), PIXEL, PIXEL, float(mu.max()))
    frames = np.asarray(system.orbit.frames(PIXEL)[:, :4], np.float64)
    camera = Camera(frames, system.orbit.radii_mm, system.response.sigma_mm(np.arange(400.0)), SIDE, SLICES)
    # rays of the kernel leave out coherent scattering, the projector's μ has it
    same = photons._replace(attenuation=np.ones_like(photons.attenuation))
    seen = scatter(body, same, camera, 40_000, 3)[0] * activity.sum()
    expected = system.forward(activity.astype(np.float32))
    assert seen.sum(axis=(1, 2)) == pytest.approx(expected.sum(axis=(1, 2)), rel=0.02)  # half a voxel of attenuation
    for one, two in zip(seen, expected, strict=True):
        place = np.indices(one.shape).reshape(2, -1)
        np.testing.assert_allclose(place @ one.ravel() / one.sum(), place @ two.ravel() / two.sum(), atol=0.03)


def test_the_chance_to_turn_anywhere_is_one() -> None:
    photons = made._photons(np.ones((2, 2, 2)), TECHNETIUM)
    away = (np.arange(4000) + 0.5) / 2000
    for energy in (80.5, 140.5):
        ratio = 1 / (1 + energy / 510.99895 * away)
        bound = np.interp(energy / 12.39842 * np.sqrt(away / 2), made.TRANSFERS, photons.scattering)
        law = 0.5 * ratio**2 * (ratio + 1 / ratio - away * (2 - away)) * bound
        chance = law / photons.per_electron[int(energy)]
        assert 2 * np.pi * chance.mean() * 2 == pytest.approx(1.0, abs=2e-3)


def test_the_scattering_cross_section_is_that_of_the_tables() -> None:
    from hevesy.data.materials import material
    from hevesy.physics.attenuation import ELECTRON_RADIUS2_CM2, mass_attenuation_cm2_g
    from hevesy.physics.materials import electrons_per_gram

    photons = made._photons(np.ones((2, 2, 2)), TECHNETIUM)
    water = material("water")
    per_gram = photons.per_electron[140] * ELECTRON_RADIUS2_CM2 * electrons_per_gram(water)
    # two tables of the incoherent cross-section of water; they differ by the impulse approximation
    assert per_gram == pytest.approx(float(mass_attenuation_cm2_g(water, 0.1405, "incoherent")), rel=0.01)


def test_opposite_views_of_a_centred_source_scatter_alike() -> None:
    mu = 0.0155 * _cylinder(85)
    activity = _cylinder(12)
    found = scattered(_system(np.array([0.0, 90.0, 180.0, 270.0]), mu), activity, TECHNETIUM, 40_000, 1)
    assert found[0].sum(axis=(1, 2)) == pytest.approx(np.full(4, found[0].mean(axis=0).sum()), rel=0.03)
    assert found[1].sum() > 0


def test_a_larger_body_scatters_more_for_each_unscattered_photon() -> None:
    angles = np.array([0.0, 120.0])
    activity = _cylinder(12)
    shares = []
    for radius in (40.0, 85.0):
        system = _system(angles, 0.0155 * _cylinder(radius))
        shares.append(scattered(system, activity, TECHNETIUM, 10_000, 1)[0].sum() / system.forward(activity).sum())
    assert 0.03 < shares[0] < shares[1] < 0.6


def test_another_line_is_counted_where_the_window_holds_it() -> None:
    system = _system(np.array([0.0]), np.full((SIDE, SIDE, SLICES), 1e-6))
    windows = (EnergyWindow(((187.0, 229.0),)), EnergyWindow(((240.0, 260.0),)))
    lutetium = Detection(208.4, ((208.4, 0.104), (249.7, 0.002)), windows, 0.06)
    activity = np.zeros((SIDE, SIDE, SLICES))
    activity[12, 12, 10] = 1.0
    found = scattered(system, activity, lutetium, 20_000, 1).sum(axis=(1, 2, 3))
    stops = lutetium.accepted(np.array([208.4, 249.7]))
    assert found[1] == pytest.approx(0.002 / 0.104 * stops[1, 1] / stops[0, 0], rel=0.15)  # 380 photons: 5%


def test_scatter_without_a_body_or_a_window_is_refused() -> None:
    with pytest.raises(MissingInformation, match="μ-map"):
        scattered(_system(np.array([0.0]), None), np.ones((SIDE, SIDE, SLICES)), TECHNETIUM, 10, 1)
    with pytest.raises(BadInput, match="does not hold"):
        Detection(140.5, ((140.5, 0.89),), (BELOW,), 0.1)
    with pytest.raises(BadInput, match="line"):
        Detection(140.5, ((159.0, 0.89),), (PEAK,), 0.1)
