"""Tails through septa: each plane convolved with its own kernel, forwards and transposed."""

import numpy as np
import pytest
from scipy.signal import convolve2d

from factories.spect import water_cylinder
from hevesy.errors import BadInput
from hevesy.stages.quantification.partial_volume import recover
from hevesy.stages.quantification.reconstruction import (
    Lattice,
    LinearResponse,
    Measurement,
    Orbit,
    Schedule,
    SystemModel,
    TailedResponse,
    mlem,
    osem,
)
from hevesy.stages.quantification.reconstruction.response import ScaledResponse, SharpenedResponse
from hevesy.stages.quantification.reconstruction.septal import with_core

RESPONSE = TailedResponse(LinearResponse(0.03, 2.0), 0.25, 0.1, 12.0)
LATTICE = Lattice(21, 15, 6.0, 7.0)
OFFSETS = np.arange(-20, 21) * 6.0, np.arange(-14, 15) * 7.0


def small(response, focal=None, views=6):
    angles = 11.0 + np.arange(views) * 360.0 / views
    radii = 110.0 + 15.0 * np.cos(np.deg2rad(2 * angles))
    mu = 0.012 * water_cylinder(21, 15, 6.0, 50.0)
    return SystemModel(LATTICE, Orbit(angles, radii, np.linspace(-4, 4, views), focal), response, mu)


def test_a_point_is_seen_as_its_kernel():
    system = SystemModel(LATTICE, Orbit(np.array([90.0]), np.array([100.0])), RESPONSE)
    volume = np.zeros(LATTICE.shape)
    volume[14, 9, 6] = 1.0
    kernel = RESPONSE.kernel(100.0 - 4 * 6.0, *OFFSETS)
    # at 90° bins rise with j; the kernel's middle is (20, 14)
    expected = kernel[20 - 9 : 41 - 9, 14 - 6 : 29 - 6]
    np.testing.assert_allclose(system.forward(volume)[0], expected, atol=1e-6 * expected.max() + 1e-7)


def test_planes_are_convolved_as_directly():
    system = SystemModel(LATTICE, Orbit(np.array([90.0]), np.array([100.0])), RESPONSE)
    volume = np.random.default_rng(1).random(LATTICE.shape)
    direct = sum(
        convolve2d(plane, RESPONSE.kernel(100.0 - (i - 10) * 6.0, *OFFSETS), mode="full")[20:41, 14:29]
        for i, plane in enumerate(volume)
    )
    # single precision in the Fourier transform
    np.testing.assert_allclose(system.forward(volume)[0], direct, rtol=1e-5)


@pytest.mark.parametrize("focal", [None, 260.0])
@pytest.mark.parametrize("kept", [True, False])
def test_the_transpose_is_exact(monkeypatch, focal, kept):
    if not kept:
        monkeypatch.setattr("hevesy.stages.quantification.reconstruction.system.CACHE_BYTES", 0)
    system, random, views = small(RESPONSE, focal), np.random.default_rng(7), np.array([4, 1, 2])
    volume, counts = random.random(LATTICE.shape), random.random((3, 21, 15))
    forward = np.vdot(system.forward(volume, views).astype(float), counts)
    backward = np.vdot(volume, system.backward(counts, views).astype(float))
    assert abs(forward - backward) <= 1e-6 * forward  # issue: 1e-6


def test_survival_that_is_not_kept_gives_the_same_projections(monkeypatch):
    volume, views = np.random.default_rng(5).random(LATTICE.shape), np.array([3, 1])
    kept = small(RESPONSE).forward(volume, views)
    monkeypatch.setattr("hevesy.stages.quantification.reconstruction.system.CACHE_BYTES", 0)
    np.testing.assert_array_equal(small(RESPONSE).forward(volume, views), kept)


def test_a_kernel_counts_every_photon_once():
    for distance in (0.0, 80.0, 300.0):
        assert RESPONSE.kernel(distance, *OFFSETS).sum() == pytest.approx(1.0, abs=1e-12)


def test_without_a_tail_both_ways_to_blur_agree():
    core = LinearResponse(0.04, 6.0)
    volume = np.zeros(LATTICE.shape)
    volume[6:15, 8:13, 4:11] = np.random.default_rng(3).random((9, 5, 7)) + 1
    walked, convolved = (small(r).forward(volume) for r in (core, TailedResponse(core, 0.0, 0.0, 1.0)))
    # five-tap filters match four moments of a Gaussian; the edges of a small detector cut them otherwise
    assert np.linalg.norm(walked - convolved) < 5e-3 * np.linalg.norm(convolved)


def test_tails_that_are_modelled_do_not_raise_the_background():
    truth = np.zeros(LATTICE.shape)
    truth[9:13, 9:13, 6:10] = 1.0
    body = water_cylinder(21, 15, 6.0, 50.0)
    counts = small(RESPONSE, views=30).forward(truth)
    away = body & (truth == 0)
    away[6:16, 6:16, 3:13] = False
    modelled, ignored = (
        osem(Measurement(small(r, views=30), counts), Schedule(4, 5))[away].mean() for r in (RESPONSE, RESPONSE.core)
    )
    assert modelled < 0.3 * ignored


def test_the_likelihood_never_falls():
    system = small(RESPONSE)
    counts = np.random.default_rng(8).poisson(5 * system.forward(water_cylinder(21, 15, 6.0, 40.0)))
    measurement, seen = Measurement(system, counts), []
    mlem(measurement, 5, progress=lambda _, image: seen.append(measurement.log_likelihood(image)))
    assert np.all(np.diff(seen) > -1e-6 * abs(seen[-1]))


@pytest.mark.parametrize("tail", [(-0.1, 0.1, 10.0), (1.1, 0.1, 10.0), (0.2, -0.1, 10.0), (0.2, 0.1, 0.0)])
def test_an_impossible_tail_is_refused(tail):
    with pytest.raises(BadInput, match="tail"):
        TailedResponse(LinearResponse(0.03, 2.0), *tail)


def test_a_core_made_wider_keeps_the_tails_that_go_with_it():
    def widened(core):
        return ScaledResponse(core, 1.1)

    wider = with_core(RESPONSE, widened)
    assert (wider.tail_fraction, wider.tail_slope) == (RESPONSE.tail_fraction, RESPONSE.tail_slope)
    assert wider.sigma_mm(100.0) == pytest.approx(1.1 * RESPONSE.sigma_mm(100.0))
    # far from the point a tail is all there is, and it has not changed
    far = slice(0, 8)
    assert wider.kernel(50.0, *OFFSETS)[far] == pytest.approx(RESPONSE.kernel(50.0, *OFFSETS)[far], rel=1e-3)
    assert with_core(RESPONSE.core, widened).sigma_mm(100.0) == pytest.approx(1.1 * RESPONSE.core.sigma_mm(100.0))


def test_recovery_of_a_region_counts_what_came_through_septa():
    regions = np.stack([water_cylinder(21, 15, 6.0, 18.0), water_cylinder(21, 15, 6.0, 50.0)]).astype(np.float32)
    regions[1] -= regions[0]
    volume = 200 * regions[0] + 20 * regions[1]
    system = small(RESPONSE, views=24)
    seen = np.maximum(
        small(with_core(RESPONSE, lambda core: SharpenedResponse(core, 6.0)), views=24).forward(volume), 0
    )
    found = recover(Measurement(system, seen), regions, lambda one: osem(one, Schedule(2, 4)))
    assert found.coefficient[0] < 0.95  # there is something to correct
    assert found.true[0] == pytest.approx(200 * regions[0].sum(), rel=0.02)
