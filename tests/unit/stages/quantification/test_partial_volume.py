"""Recovery through the camera's own model: two spheres beside each other in a warm body."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from hevesy.errors import BadInput, GridMismatch
from hevesy.stages.quantification.partial_volume import counting_u, recover, scatter_u
from hevesy.stages.quantification.reconstruction import (
    Lattice,
    LinearResponse,
    Measurement,
    Orbit,
    Schedule,
    SystemModel,
    osem,
)
from hevesy.stages.quantification.reconstruction.response import Response, SharpenedResponse

SIDE, SLICES, PIXEL = 32, 24, 6.0
ACTIVITY = (400.0, 250.0, 10.0)


def _sphere(centre_mm: tuple[float, float, float], radius_mm: float) -> np.ndarray:
    place = [(np.arange(n) - (n - 1) / 2) * PIXEL for n in (SIDE, SIDE, SLICES)]
    x, y, z = np.meshgrid(*place, indexing="ij")
    away = np.sqrt((x - centre_mm[0]) ** 2 + (y - centre_mm[1]) ** 2 + (z - centre_mm[2]) ** 2)
    return np.clip((radius_mm - away) / PIXEL + 0.5, 0, 1)  # the share of a voxel on the edge


@pytest.fixture(scope="module")
def regions() -> np.ndarray:
    small, large = _sphere((-25, 0, 0), 15), _sphere((15, 0, 0), 24)
    large = np.minimum(large, 1 - small)
    body = _sphere((0, 0, 0), 60)
    return np.stack([small, large, np.maximum(body - small - large, 0)]).astype(np.float32)


def _system(regions: np.ndarray, response: Response) -> SystemModel:
    angles = np.arange(0, 360, 12.0)
    mu = 0.0135 * regions.sum(axis=0)
    return SystemModel(Lattice(SIDE, SLICES, PIXEL, PIXEL), Orbit(angles, np.full(30, 110.0)), response, mu)


@pytest.fixture(scope="module")
def system(regions: np.ndarray) -> SystemModel:
    return _system(regions, LinearResponse(0.03, 2.0))


@pytest.fixture(scope="module")
def camera(regions: np.ndarray) -> SystemModel:
    """What a camera sees, without the blur of the lattice on which it is modelled."""
    return _system(regions, SharpenedResponse(LinearResponse(0.03, 2.0), PIXEL))


def _image(measurement: Measurement) -> np.ndarray:
    return osem(measurement, Schedule(4, 5))


def test_corrected_sums_are_those_that_were_put_in(
    system: SystemModel, camera: SystemModel, regions: np.ndarray
) -> None:
    put_in = np.array(ACTIVITY) * regions.sum(axis=(1, 2, 3))
    mean = np.maximum(camera.forward(np.tensordot(ACTIVITY, regions, axes=1).astype(np.float32)), 0)
    found = recover(Measurement(system, mean), regions, _image)
    lost = np.abs(found.apparent / put_in - 1)[:2]
    assert lost.min() > 0.05  # there is something to correct
    assert found.true[:2] == pytest.approx(put_in[:2], rel=0.01)  # three rounds leave less than 1%


def test_activity_that_lies_unevenly_is_covered_by_the_stated_uncertainty(
    system: SystemModel, camera: SystemModel, regions: np.ndarray
) -> None:
    random = np.random.default_rng(2)
    field = gaussian_filter(random.standard_normal(regions.shape[1:]), 2.0)
    uneven = np.array(ACTIVITY)[:, None, None, None] * regions * np.clip(1 + 0.25 * field / field.std(), 0.2, 2)
    put_in = uneven.sum(axis=(1, 2, 3))
    mean = np.maximum(camera.forward(uneven.sum(axis=0).astype(np.float32)), 0)
    found = recover(Measurement(system, mean), regions, _image)
    error = found.true / put_in - 1
    assert np.abs(error[:2]).max() < 0.05
    assert (np.abs(error[:2]) < 2 * found.u_relative[:2] + 0.01).all()  # 0.01: rounds that are left out


def test_counting_uncertainty_falls_with_the_root_of_counts(system: SystemModel, regions: np.ndarray) -> None:
    mean = np.maximum(system.forward(np.tensordot(ACTIVITY, regions, axes=1).astype(np.float32)), 0)
    few, many = (
        counting_u(
            Measurement(system, np.random.default_rng(3).poisson(mean * scale)),
            regions,
            lambda one: osem(one, Schedule(1, 5)),
            np.random.default_rng(4),
            12,
        )
        for scale in (0.01, 1.0)
    )
    assert few[1] / many[1] == pytest.approx(10, rel=0.7)  # 12 replicates know each to 21%


def _with_scatter(system: SystemModel, regions: np.ndarray, blur_bins: float) -> Measurement:
    """Return counts with scatter that peaks over the spheres, and the estimate of it, which is less sharp."""
    primary = np.maximum(system.forward(np.tensordot(ACTIVITY, regions, axes=1).astype(np.float32)), 0)
    scatter = 0.4 * gaussian_filter(primary, (0, 1.5, 1.5))
    estimate = gaussian_filter(scatter, (0, blur_bins, blur_bins))
    return Measurement(system, primary + scatter, estimate.astype(np.float32))


def test_an_estimate_of_scatter_that_is_blurred_less_than_the_camera_sees_is_covered(
    system: SystemModel, regions: np.ndarray
) -> None:
    true = _sums_of(_image(_with_scatter(system, regions, 0.0)), regions)
    estimated = _with_scatter(system, regions, 0.7)  # the response at the radius is 5.3 mm, 0.9 bins
    apparent = _sums_of(_image(estimated), regions)
    error, u = apparent / true - 1, scatter_u(estimated, apparent, regions, _image, 0.0)
    assert error[0] > 0.01  # scatter is missing beneath the small sphere
    assert (np.abs(error) < 1.96 * u).all()
    assert (u < 3 * np.abs(error)).all()


def test_the_amount_of_scatter_is_doubted_as_it_is_stated(system: SystemModel, regions: np.ndarray) -> None:
    level = Measurement(system, np.full(system.projection_shape, 50.0), np.full(system.projection_shape, 20.0))
    apparent = _sums_of(_image(level), regions)
    few, many = (scatter_u(level, apparent, regions, _image, u) for u in (0.05, 0.10))
    # level scatter has no shape to blur; 5% of 20 counts is 3.3% of the 30 that are left
    assert few[2] == pytest.approx(0.05 * 20 / 30, rel=0.1)
    assert many == pytest.approx(2 * few, rel=0.1)
    assert (scatter_u(replace(level, additive=None), apparent, regions, _image, 0.05) == 0).all()


def _sums_of(image: np.ndarray, regions: np.ndarray) -> np.ndarray:
    return np.tensordot(regions.astype(np.float64), image, axes=3)


def test_regions_that_overlap_are_refused(system: SystemModel, regions: np.ndarray) -> None:
    measurement = Measurement(system, np.ones(system.projection_shape))
    with pytest.raises(BadInput, match="overlap"):
        recover(measurement, np.stack([regions[0], regions[0]]), _image)
    with pytest.raises(GridMismatch, match="do not fit"):
        recover(measurement, regions[:, :-1], _image)
