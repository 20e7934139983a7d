"""What a geometry file may say of the collimator."""

import json

import numpy as np
import pytest

from hevesy.errors import BadConfiguration, BadInput, MissingInformation, WrongQuantity
from hevesy.stages.quantification.reconstruction import LinearResponse, MeasuredResponse, QuadratureResponse
from hevesy.workflows.projection_file import Allowances, read_system

ARRAYS = {"angles_deg": np.arange(0.0, 360, 30)}
WITHOUT_MU = Allowances(no_attenuation=True)


def system_of(tmp_path, psf, **camera):
    path = tmp_path / "geometry.json"
    path.write_text(
        json.dumps({"voxel_cm": 0.5, "camera": {"radius_cm": 12.0, **camera}, "psf": psf}), encoding="utf-8"
    )
    return read_system(ARRAYS, path, (8, 4), WITHOUT_MU)


def test_a_line_and_a_line_in_quadrature(tmp_path):
    assert system_of(tmp_path, {"a": 0.03, "b_cm": 0.1}).response == LinearResponse(0.03, 1.0)
    wide = system_of(tmp_path, {"a": 0.03, "b_cm": 0.1, "intrinsic_cm": 0.16}).response
    assert wide == QuadratureResponse(1.6, 0.03, 1.0)


def test_widths_as_measured(tmp_path):
    response = system_of(tmp_path, {"distances_cm": [0, 10, 20], "fwhm_cm": [0.4, 0.75, 1.2]}).response
    assert isinstance(response, MeasuredResponse)
    assert response.sigma_mm(100.0) * 2.3548 == pytest.approx(7.5, rel=1e-4)


def test_a_tail_on_any_core(tmp_path):
    tail = {"fraction": 0.3, "a": 0.1, "b_cm": 2.0}
    for core in ({"a": 0.03, "b_cm": 0.1}, {"distances_cm": [0, 10], "fwhm_cm": [0.4, 0.75]}):
        response = system_of(tmp_path, core | {"tail": tail}).response
        assert (response.tail_fraction, response.tail_slope, response.tail_intercept_mm) == (0.3, 0.1, 20.0)


def test_a_fan_beam(tmp_path):
    assert system_of(tmp_path, {"a": 0.03, "b_cm": 0.1}, focal_cm=40).orbit.focal_mm == 400.0
    assert system_of(tmp_path, {"a": 0.03, "b_cm": 0.1}).orbit.focal_mm is None


@pytest.mark.parametrize(
    ("psf", "fault"),
    [
        ({"distances_cm": [0, 10]}, BadConfiguration),
        ({"distances_cm": [0, 10], "fwhm_cm": [0.4, "wide"]}, BadConfiguration),
        ({"distances_cm": [0, 10], "fwhm_cm": [0.4, 0.3]}, BadInput),
        ({"a": 0.03, "b_cm": 0.1, "tail": {"fraction": 0.3}}, BadConfiguration),
        ({"a": 0.03, "b_cm": 0.1, "tail": {"fraction": 1.3, "a": 0.1, "b_cm": 2.0}}, BadInput),
    ],
)
def test_what_cannot_be_a_response_is_refused(tmp_path, psf, fault):
    with pytest.raises(fault):
        system_of(tmp_path, psf)


def test_activity_is_held_within_a_distance_of_tissue(tmp_path):
    path = tmp_path / "geometry.json"
    psf = {"a": 0.03, "b_cm": 0.1}
    path.write_text(json.dumps({"voxel_cm": 0.5, "camera": {"radius_cm": 12.0}, "psf": psf}), encoding="utf-8")
    mu = np.zeros((16, 16, 6))
    mu[8, 8, 2] = 0.1  # 1/cm
    support = read_system(ARRAYS | {"mu": mu}, path, (16, 6), Allowances(within_mm=10.0)).support
    assert support[8, 8, 4]
    assert support[10, 8, 2]
    assert not support[10, 9, 2]  # 11.2 mm away
    assert read_system(ARRAYS | {"mu": mu}, path, (16, 6), Allowances()).support is None
    with pytest.raises(MissingInformation, match="without a μ-map"):
        read_system(ARRAYS, path, (16, 6), Allowances(no_attenuation=True, within_mm=10.0))
    with pytest.raises(BadInput, match="within -1 mm"):
        read_system(ARRAYS | {"mu": mu}, path, (16, 6), Allowances(within_mm=-1.0))
    with pytest.raises(WrongQuantity, match="no tissue"):
        read_system(ARRAYS | {"mu": 0 * mu}, path, (16, 6), Allowances(within_mm=10.0))


def test_a_focus_before_the_axis_is_refused(tmp_path):
    with pytest.raises(BadInput, match="focal line"):
        system_of(tmp_path, {"a": 0.03, "b_cm": 0.1}, focal_cm=11)
