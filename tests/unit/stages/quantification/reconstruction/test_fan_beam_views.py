"""A fan beam magnifies, counts more of what is near its focus, and takes longer ways through the body at its edges."""

import numpy as np
import pytest

from hevesy.errors import BadInput, OutsideValidity
from hevesy.stages.quantification.reconstruction import Lattice, LinearResponse, Measurement, Orbit, SystemModel, mlem
from hevesy.stages.quantification.reconstruction.analytic import filtered_backprojection

LATTICE = Lattice(81, 3, 4.0, 4.0)
RADIUS, FOCAL = 150.0, 400.0


def view_of(voxel, response=None, mu=None):
    """What one view at 90° (detector on the patient's left, +x) sees of a point, summed over slices."""
    volume = np.zeros(LATTICE.shape)
    volume[voxel] = 1.0
    system = SystemModel(LATTICE, Orbit(np.array([90.0]), np.array([RADIUS]), focal_mm=FOCAL), response, mu)
    return system.forward(volume)[0].sum(axis=1).astype(float)


@pytest.mark.parametrize(("i", "j"), [(40, 50), (60, 30), (25, 45)])
def test_a_point_is_seen_magnified_about_the_axis_of_the_fan(i, j):
    distance = RADIUS - (i - 40) * 4.0
    seen = view_of((i, j, 1))
    place = (seen * (np.arange(81) - 40)).sum() / seen.sum()
    # the bins sample an interpolated point: to a tenth of a bin
    assert place == pytest.approx((j - 40) * FOCAL / (FOCAL - distance), abs=0.1)


@pytest.mark.parametrize("i", [20, 40, 65])
def test_counts_grow_as_focal_length_over_distance_to_the_focus(i):
    distance = RADIUS - (i - 40) * 4.0
    volume = np.zeros(LATTICE.shape)
    volume[i, 35:46, 1] = 1.0  # a short bar across, so that sampling of one voxel by few bins averages out
    system = SystemModel(LATTICE, Orbit(np.array([90.0]), np.array([RADIUS]), focal_mm=FOCAL))
    seen = float(system.forward(volume).sum())
    # physics.fan_beam: f / (f − z); the bar's ends are counted cos³γ, γ up to 20 mm / 134 mm there
    assert seen / 11 == pytest.approx(FOCAL / (FOCAL - distance), rel=0.03)


def test_a_ray_at_the_edge_of_the_fan_is_attenuated_along_its_way():
    mu = np.zeros(LATTICE.shape)
    mu[50:70] = 0.01
    with_, without = view_of((45, 62, 1), mu=mu), view_of((45, 62, 1))
    bins = np.arange(81) - 40
    u = float((without * bins).sum() / without.sum()) * 4.0
    path = 20 * 4.0 * np.hypot(1.0, u / FOCAL)
    # interpolation of the slab's faces
    assert with_.sum() / without.sum() == pytest.approx(np.exp(-0.01 * path), rel=5e-3)


def test_the_response_is_magnified_across_the_fan_and_not_along_the_axis():
    lattice = Lattice(61, 61, 4.0, 4.0)
    volume = np.zeros(lattice.shape)
    volume[30, 30, 30] = 1.0
    orbit = Orbit(np.array([90.0]), np.array([RADIUS]), focal_mm=FOCAL)
    seen = SystemModel(lattice, orbit, LinearResponse(0.03, 3.5)).forward(volume)[0].astype(float)
    place = (np.arange(61) - 30) * 4.0
    sigma, magnification = 0.03 * RADIUS + 3.5, FOCAL / (FOCAL - RADIUS)
    along = (seen.sum(axis=0) * place**2).sum() / seen.sum()
    across = (seen.sum(axis=1) * place**2).sum() / seen.sum()
    assert np.sqrt(along) == pytest.approx(sigma, rel=0.01)
    # a voxel's own width, a triangle of 4 mm whose variance is 4²/6, is magnified too
    assert np.sqrt(across) == pytest.approx(magnification * np.hypot(sigma, 4.0 / np.sqrt(6)), rel=0.02)


def test_a_focus_far_away_gives_parallel_holes():
    random = np.random.default_rng(2)
    volume, mu = random.random((2, *LATTICE.shape)) * np.array([1.0, 0.01])[:, None, None, None]
    angles, radii = np.array([17.0, 203.0]), np.array([160.0, 180.0])
    near, far = (
        SystemModel(LATTICE, Orbit(angles, radii, focal_mm=f), LinearResponse(0.03, 1.0), mu) for f in (None, 1e8)
    )
    np.testing.assert_allclose(far.forward(volume), near.forward(volume), rtol=2e-3)


def test_a_disc_is_reconstructed_from_fan_beam_views():
    lattice, angles = Lattice(41, 2, 6.0, 6.0), np.arange(0.0, 360.0, 6.0)
    place = (np.arange(41) - 20) * 6.0
    disc = np.repeat((place[:, None] ** 2 + (place[None, :] - 12) ** 2 <= 60**2)[..., None], 2, axis=2).astype(float)
    system = SystemModel(lattice, Orbit(angles, np.full(60, 130.0), focal_mm=350.0), None, 0.012 * disc)
    image = mlem(Measurement(system, system.forward(disc)), 40)
    inside = np.repeat((place[:, None] ** 2 + (place[None, :] - 12) ** 2 <= 48**2)[..., None], 2, axis=2)
    assert image[inside].mean() == pytest.approx(1.0, abs=0.01)
    assert image[place[:, None] ** 2 + (place[None, :] - 12) ** 2 > 72**2].mean() < 0.01


@pytest.mark.parametrize("focal", [100.0, 150.0, np.inf])
def test_a_focal_line_that_is_not_behind_the_axis_is_refused(focal):
    with pytest.raises(BadInput, match="focal line"):
        Orbit(np.array([0.0]), np.array([150.0]), focal_mm=focal)


def test_a_body_that_reaches_the_focal_line_is_refused():
    with pytest.raises(OutsideValidity, match="reaches the focal line"):
        SystemModel(
            LATTICE, Orbit(np.array([90.0]), np.array([150.0]), focal_mm=200.0), None, np.full(LATTICE.shape, 0.01)
        )


def test_filtered_backprojection_of_a_fan_beam_is_refused():
    orbit = Orbit(np.arange(0.0, 360, 30), np.full(12, 100.0), focal_mm=300.0)
    with pytest.raises(BadInput, match="fan beam"):
        filtered_backprojection(SystemModel(LATTICE, orbit), np.ones((12, 81, 3)))
