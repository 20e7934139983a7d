"""An effective scatter source against photons that are followed one by one, in a patient and in a cylinder."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from hevesy.core import EnergyWindow, Grid, Image, Quantity
from hevesy.errors import MissingInformation
from hevesy.physics.attenuation_map import attenuation_from_hounsfield
from hevesy.stages.quantification.reconstruction import Lattice, LinearResponse, Orbit, SystemModel
from hevesy.stages.quantification.reconstruction.effective_scatter import effective_scatter, scatter_kernel
from hevesy.stages.quantification.reconstruction.simulated_scatter import Detection, scattered

EXAMPLE = Path(__file__).parents[5] / "examples" / "lu177-simulated" / "patient.py"
LUTETIUM = Detection(208.366, ((208.366, 0.1036), (249.674, 0.002)), (EnergyWindow(((187.2, 228.8),)),), 0.082)
#: four voxels of the phantom across, and along, in one of the camera
BLOCK = 2


def _coarse(values: np.ndarray) -> np.ndarray:
    n = [size // BLOCK for size in values.shape]
    return values.reshape(n[0], BLOCK, n[1], BLOCK, n[2], BLOCK).mean(axis=(1, 3, 5))


@pytest.fixture(scope="module")
def patient() -> tuple[SystemModel, np.ndarray]:
    """Return the simulated patient of the examples as a system, and its activity at 24 h."""
    spec = importlib.util.spec_from_file_location("simulated_patient_of_a_test", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    phantom = module.phantom()
    pixel, along = module.PIXEL_MM, module.SLICE_MM
    grid = Grid(phantom.hu.shape, np.diag([pixel, pixel, -along, 1.0]))
    mu = attenuation_from_hounsfield(Image(phantom.hu, grid, Quantity.HOUNSFIELD), 208.366).values
    lattice = Lattice(phantom.hu.shape[0] // BLOCK, phantom.hu.shape[2] // BLOCK, BLOCK * pixel, BLOCK * along)
    angles = np.arange(4) * 90.0 + 20
    orbit = Orbit(angles, np.full(4, 250.0))
    return SystemModel(lattice, orbit, LinearResponse(0.03, 2.0), _coarse(mu)), _coarse(phantom.activity(24.0))


def test_scatter_of_a_patient_is_that_of_photons_followed_one_by_one(patient: tuple[SystemModel, np.ndarray]) -> None:
    system, activity = patient
    kernel = scatter_kernel(LUTETIUM, system.lattice.pixel_mm)
    effective = effective_scatter(system, activity, kernel)
    followed = scattered(system, activity, LUTETIUM, 200_000, 3)[0]
    assert effective.sum() / followed.sum() == pytest.approx(1, abs=0.05)
    # summed along the axis, where 200,000 photons leave 2% of noise
    one, two = effective.sum(axis=2), gaussian_filter(followed.sum(axis=2), (0, 0.5))
    off = np.abs(one - two).max(axis=1) / two.max(axis=1)
    assert off == pytest.approx(np.zeros(4), abs=0.10)


def test_more_photons_scatter_before_the_camera_than_behind_their_origin() -> None:
    table = scatter_kernel(LUTETIUM, 8.0, 50_000).table
    behind, before = np.split(table.sum(axis=1), 2)
    assert before.sum() > 5 * behind.sum()  # behind, they must turn round, and lose too much energy for the window
    assert 0.2 < table.sum() < 0.6


def test_scatter_is_linear_in_activity_and_of_any_direction_alike() -> None:
    side, pixel = 24, 8.0
    place = (np.arange(side) - (side - 1) / 2) * pixel
    inside = np.hypot(place[:, None], place[None, :]) <= 85
    mu = 0.0135 * np.repeat(inside[:, :, None], 20, axis=2)
    orbit = Orbit(np.array([0.0, 50.0, 90.0, 180.0]), np.full(4, 120.0))
    system = SystemModel(Lattice(side, 20, pixel, pixel), orbit, LinearResponse(0.02, 2.0), mu)
    kernel = scatter_kernel(LUTETIUM, pixel, 50_000)
    source = np.zeros(mu.shape)
    source[11:13, 11:13, 9:11] = 1.0
    found = effective_scatter(system, source, kernel)
    sums = found.sum(axis=(1, 2))
    assert sums == pytest.approx(np.full(4, sums.mean()), rel=0.02)
    assert effective_scatter(system, 3 * source, kernel) == pytest.approx(3 * found, rel=1e-3, abs=1e-5)


def test_without_a_map_of_attenuation_nothing_is_known_to_scatter() -> None:
    system = SystemModel(Lattice(8, 8, 8.0, 8.0), Orbit(np.array([0.0]), np.array([100.0])))
    with pytest.raises(MissingInformation, match="μ-map"):
        effective_scatter(system, np.ones((8, 8, 8)), scatter_kernel(LUTETIUM, 8.0, 1000))
