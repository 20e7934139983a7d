import sys

import numpy as np
import pytest

from factories.spect import small_system
from hevesy.errors import BadConfiguration, BadInput, GridMismatch, IncompleteSeries, MissingInformation, WrongQuantity
from hevesy.stages.quantification.reconstruction import (
    Lattice,
    LinearResponse,
    MeasuredResponse,
    Orbit,
    QuadratureResponse,
    SystemModel,
)
from hevesy.stages.quantification.reconstruction.torch_system import TorchSystem

LATTICE = Lattice(8, 3, 4.0, 4.0)
ORBIT = Orbit(np.arange(0.0, 360, 30), np.full(12, 100.0))


@pytest.mark.parametrize("radius", [np.nan, 0.0, -3.0])
def test_a_view_without_a_radius_is_refused_with_what_to_give(radius):
    with pytest.raises(MissingInformation, match=r"1 of 2 views.*Give the radius"):
        Orbit(np.array([0.0, 3.0]), np.array([200.0, radius]))


@pytest.mark.parametrize("angles", [np.arange(0, 120, 3.0), np.r_[0:90:3.0, 270:320:3.0], np.array([0.0, 90.0])])
def test_views_that_leave_part_of_a_half_circle_unseen_are_refused(angles):
    with pytest.raises(IncompleteSeries, match="do not cover 180°"):
        Orbit(angles, np.full(angles.size, 200.0)).require_coverage()


@pytest.mark.parametrize(
    "angles", [np.arange(0, 360, 3.0), np.arange(45, 225, 6.0), np.r_[0:90:3.0, 270:360:3.0], -np.arange(0, 180, 5.625)]
)
def test_half_and_full_circles_are_accepted(angles):
    Orbit(angles, np.full(angles.size, 200.0)).require_coverage()


@pytest.mark.parametrize("value", [-0.01, 0.135, np.nan])
def test_a_mu_map_in_another_unit_is_refused(value):
    with pytest.raises(WrongQuantity, match="1/mm"):
        SystemModel(LATTICE, ORBIT, None, np.full(LATTICE.shape, value))


def test_a_mu_map_of_another_shape_is_refused():
    with pytest.raises(GridMismatch, match="does not fit"):
        SystemModel(LATTICE, ORBIT, None, np.zeros((8, 8, 4)))


def test_a_support_of_another_shape_is_refused():
    with pytest.raises(GridMismatch, match="support"):
        SystemModel(LATTICE, ORBIT, None, None, np.ones((8, 8, 4), bool))


def test_a_response_that_narrows_with_distance_is_refused():
    class Narrowing:
        def sigma_mm(self, distance_mm):
            return 500.0 / (1 + np.asarray(distance_mm))

    with pytest.raises(BadInput, match="narrows with distance"):
        SystemModel(LATTICE, ORBIT, Narrowing())


def test_responses_refuse_impossible_widths():
    with pytest.raises(BadInput):
        LinearResponse(-0.1, 1.0)
    with pytest.raises(BadInput):
        QuadratureResponse(float("nan"), 0.1)
    with pytest.raises(BadInput):
        MeasuredResponse((0.0, 100.0), (6.0, 5.0))


def test_a_measured_response_passes_through_its_points():
    response = MeasuredResponse((0.0, 100.0, 200.0), (4.0, 7.0, 11.0))
    assert response.sigma_mm([100.0, 150.0]) * 2.354820045 == pytest.approx([7.0, 9.0])


def test_arrays_that_do_not_fit_the_system_are_refused():
    system = small_system()
    with pytest.raises(GridMismatch):
        system.forward(np.zeros((3, 3, 3)))
    with pytest.raises(GridMismatch):
        system.backward(np.zeros((3, 3, 3)))


def test_the_pytorch_backend_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(BadConfiguration, match=r"pip install 'hevesy\[torch\]'"):
        TorchSystem(small_system(views=2))
