"""What a geometry file may say of the collimator."""

import json

import numpy as np
import pytest

from hevesy.data.collimators import collimator
from hevesy.errors import BadConfiguration, BadInput, MissingInformation, WrongQuantity
from hevesy.physics.collimation import geometric_fwhm_mm
from hevesy.stages.quantification.reconstruction import LinearResponse, MeasuredResponse, QuadratureResponse
from hevesy.workflows.projection_file import Allowances, read_system

ARRAYS = {"angles_deg": np.arange(0.0, 360, 30)}
WITHOUT_MU = Allowances(no_attenuation=True)


def system_of(tmp_path, psf, photon_keV=None, **camera):
    path = tmp_path / "geometry.json"
    facts = {"voxel_cm": 0.5, "camera": {"radius_cm": 12.0, **camera}, "psf": psf}
    path.write_text(json.dumps(facts if photon_keV is None else facts | {"photon_keV": photon_keV}), encoding="utf-8")
    return read_system(ARRAYS, path, (8, 4), WITHOUT_MU)


def test_a_line_and_a_line_in_quadrature(tmp_path):
    assert system_of(tmp_path, {"a": 0.03, "b_cm": 0.1}).response == LinearResponse(0.03, 1.0)
    wide = system_of(tmp_path, {"a": 0.03, "b_cm": 0.1, "intrinsic_cm": 0.16}).response
    assert wide == QuadratureResponse(1.6, 0.03, 1.0)


def test_widths_as_measured(tmp_path):
    response = system_of(tmp_path, {"distances_cm": [0, 10, 20], "fwhm_cm": [0.4, 0.75, 1.2]}).response
    assert isinstance(response, MeasuredResponse)
    assert response.sigma_mm(100.0) * 2.3548 == pytest.approx(7.5, rel=1e-4)


def test_a_collimator_by_name(tmp_path):
    psf = {"collimator": "Siemens Symbia ME", "intrinsic_fwhm_cm": 0.4}
    response = system_of(tmp_path, psf, photon_keV=208).response
    away = geometric_fwhm_mm(collimator("Siemens Symbia ME"), 208.0, 100.0)
    # in quadrature with the crystal's 4 mm
    assert response.sigma_mm(100.0) * 2.354820045 == pytest.approx(np.hypot(away, 4.0), rel=1e-6)
    with pytest.raises(MissingInformation, match="photon_keV"):
        system_of(tmp_path, psf)
    with pytest.raises(BadConfiguration, match="fan beam"):
        system_of(tmp_path, psf, photon_keV=208, focal_cm=50)


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
