import numpy as np
import pytest

from hevesy.kernels.depth_blur import blur_taps
from hevesy.stages.quantification.reconstruction import Lattice, LinearResponse, Orbit, QuadratureResponse, SystemModel


def point_at(lattice, i, j, k):
    volume = np.zeros(lattice.shape)
    volume[i, j, k] = 1.0
    return volume


def moments(line):
    place = np.arange(line.size)
    mean = (line * place).sum() / line.sum()
    return mean, (line * (place - mean) ** 2).sum() / line.sum()


@pytest.mark.parametrize("variance", [0.01, 0.1, 0.33, 0.6, 1.7])
def test_a_blur_has_the_moments_and_sum_of_a_gaussian(variance):
    passes, taps = blur_taps(np.full((1, 1, 2), variance))
    centre, first, second = taps[0, 0, :3].astype(float)
    one = np.array([second, first, centre, first, second])
    line = np.array([1.0])
    for _ in range(passes[0, 0]):
        line = np.convolve(line, one)
    place = np.arange(line.size) - line.size // 2
    # single-precision taps
    assert line.sum() == pytest.approx(1, abs=1e-6)
    assert (line * place**2).sum() == pytest.approx(variance, abs=1e-5)
    assert (line * place**4).sum() == pytest.approx(3 * variance**2, abs=1e-4)


def test_nothing_to_blur_takes_no_pass():
    passes, _ = blur_taps(np.zeros((2, 3, 2)))
    assert not passes.any()


@pytest.mark.parametrize(("radius", "i"), [(200.0, 10), (200.0, 30), (320.0, 20)])
def test_a_point_is_seen_with_the_width_of_its_distance(radius, i):
    lattice = Lattice(41, 41, 4.0, 4.0)
    response = QuadratureResponse(1.6, 0.02, 0.8)
    system = SystemModel(lattice, Orbit(np.array([90.0]), np.array([radius])), response)
    seen = system.forward(point_at(lattice, i, 20, 20))[0]
    sigma = float(response.sigma_mm(radius - (i - 20) * 4.0))  # at 90° the detector is on the patient's left, +x
    for axis in (0, 1):
        _, variance = moments(seen.sum(axis=1 - axis).astype(float))
        # the tails that leave a 41-pixel detector
        assert np.sqrt(variance) * 4.0 == pytest.approx(sigma, rel=1e-3)
    peak = 4.0**2 / (2 * np.pi * sigma**2)
    # a Gaussian at the pixel's centre: the filters match its first four moments; higher ones raise a narrow peak
    assert seen[20, 20] == pytest.approx(peak, rel=0.05)


@pytest.mark.parametrize(
    ("angle", "voxel", "u"),
    [(180.0, (25, 14, 3), 25), (0.0, (25, 14, 3), 40 - 25), (90.0, (25, 14, 3), 14), (270.0, (25, 14, 3), 40 - 14)],
)
def test_a_point_falls_on_the_bin_that_the_detector_faces(angle, voxel, u):
    lattice = Lattice(41, 7, 4.0, 4.0)
    system = SystemModel(lattice, Orbit(np.array([angle]), np.array([200.0])))
    seen = system.forward(point_at(lattice, *voxel))[0]
    assert np.unravel_index(seen.argmax(), seen.shape) == (u, 3)
    # the interpolation weights of sine and cosine in single precision
    assert seen[u, 3] == pytest.approx(1.0, abs=1e-4)


def test_a_shift_of_the_axis_moves_the_image_along_the_bins():
    lattice = Lattice(41, 3, 4.0, 4.0)
    system = SystemModel(lattice, Orbit(np.array([180.0]), np.array([200.0]), np.array([8.0])))
    assert system.forward(point_at(lattice, 20, 20, 1))[0, :, 1].argmax() == 22


@pytest.mark.parametrize("depth", [0, 7, 30])
def test_water_attenuates_by_the_path_to_the_detector(depth):
    lattice, mu = Lattice(41, 3, 4.0, 4.0), 0.0135
    water = np.zeros(lattice.shape)
    water[5:36] = mu
    system = SystemModel(lattice, Orbit(np.array([90.0]), np.array([200.0])), None, water)
    seen = system.forward(point_at(lattice, 35 - depth, 20, 1))[0, 20, 1]
    # survival is kept to 1 part in 65535
    assert seen == pytest.approx(np.exp(-mu * 4.0 * (depth + 0.5)), abs=1e-4)


def test_every_view_counts_all_that_is_not_attenuated():
    lattice = Lattice(41, 31, 4.0, 4.0)
    place = np.arange(41) - 20
    disc = (place[:, None] ** 2 + place[None, :] ** 2 <= 15.2**2).astype(float)
    system = SystemModel(lattice, Orbit(np.arange(0.0, 360, 24), np.full(15, 200.0)), LinearResponse(0.02, 1.0))
    volume = np.zeros(lattice.shape)
    volume[..., 14:17] = disc[..., None]
    # rotation by interpolation counts a voxel more or less than once; the blur loses nothing this far from an edge
    np.testing.assert_allclose(system.forward(volume).sum(axis=(1, 2)), volume.sum(), rtol=3e-3)
