import numpy as np
import pytest

from hevesy.core import Collimator
from hevesy.data.collimators import collimator, collimators
from hevesy.errors import BadInput, UnknownName
from hevesy.physics.collimation import effective_length_mm, geometric_fwhm_mm, septal_penetration
from hevesy.stages.quantification.reconstruction.response import collimator_response


@pytest.mark.parametrize("distance", [20.0, 100.0, 250.0])
def test_rays_through_walls_that_stop_everything_have_the_geometric_width(distance):
    bars = Collimator("bars", 2.0, 0.2, 30.0)
    random = np.random.default_rng(11)
    source = random.uniform(0, 2.2, 400_000)  # the camera's response is the mean over the point's place above the holes
    tangent = random.uniform(-0.2, 0.2, source.size)
    at_face, at_back = source + distance * tangent, source + (distance + 30.0) * tangent
    same = np.floor(at_face / 2.2) == np.floor(at_back / 2.2)
    passed = same & (at_face % 2.2 < 2.0) & (at_back % 2.2 < 2.0)
    spread = (at_back - source)[passed]
    # a triangle of base 2 w has the variance w²/6 and half its height over a width w
    width = np.sqrt(6 * spread.var())
    formula = 2.0 * (30.0 + distance) / 30.0
    assert width == pytest.approx(formula, rel=0.01)  # 400,000 rays
    penetrated = float(geometric_fwhm_mm(bars, 20.0, distance))  # at 20 keV lead stops all: 2/μ is 0.02 mm
    assert penetrated == pytest.approx(formula, rel=2e-3)


def test_photons_that_penetrate_shorten_the_holes():
    medium = collimator("siemens symbia me")
    assert effective_length_mm(medium, 364.5) < effective_length_mm(medium, 140.5) < medium.length_mm


def test_a_low_energy_collimator_is_transparent_to_iodine_131():
    assert septal_penetration(collimator("Siemens Symbia LEHR"), 364.5) > 0.5
    assert septal_penetration(collimator("Siemens Symbia HE"), 364.5) < 0.05


def test_walls_that_stop_nothing_are_refused():
    with pytest.raises(BadInput, match="do not stop"):
        effective_length_mm(Collimator("foil", 1.0, 0.1, 5.0), 511.0)


def test_an_unknown_collimator_is_refused_with_those_known():
    with pytest.raises(UnknownName, match="Siemens Symbia LEHR"):
        collimator("pinhole")


@pytest.mark.parametrize("name", sorted(collimators()))
def test_the_response_joins_collimator_and_crystal_in_quadrature(name):
    response = collimator_response(collimator(name), 140.5, 3.8, 9.0)
    expected = np.hypot(3.8, geometric_fwhm_mm(collimator(name), 140.5, [0.0, 57.0, 300.0], 9.0))
    assert response.sigma_mm([0.0, 57.0, 300.0]) * 2.354820045 == pytest.approx(expected, rel=1e-9)
