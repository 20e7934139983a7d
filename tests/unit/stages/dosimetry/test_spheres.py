import numpy as np
import pytest

from factories.transport import line
from hevesy.core import EmissionKind
from hevesy.core.point_kernel import PointKernel
from hevesy.data.materials import material
from hevesy.errors import BadInput
from hevesy.physics.alpha_range import alpha_range_g_cm2
from hevesy.stages.dosimetry.point_source import heavy_energy_J, shell_bounds_mm
from hevesy.stages.dosimetry.spheres import share_inside, sphere_self_dose


def kernel(charged, photons, bounds=(0.0, 0.5, 1.0, 2.0, 50.0), density=1000.0):
    return PointKernel("Xx-1", "water", density, np.array(bounds), np.array(charged), np.array(photons))


def test_the_share_inside_is_that_of_random_pairs_of_points():
    generator = np.random.default_rng(3)
    centre = generator.normal(size=(200_000, 3))
    centre *= 2.0 * generator.random((200_000, 1)) ** (1 / 3) / np.linalg.norm(centre, axis=1, keepdims=True)
    bounds = np.array([0.0, 0.5, 1.5, 3.0, 4.0, 5.0])
    for low, high, expected in zip(bounds[:-1], bounds[1:], share_inside(bounds, 2.0), strict=True):
        direction = generator.normal(size=centre.shape)
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        other = centre + direction * generator.uniform(low, high, (len(centre), 1))
        inside = (np.linalg.norm(other, axis=1) < 2.0).mean()
        # 200,000 pairs: 0.0011 standard deviation at most
        assert expected == pytest.approx(inside, abs=0.005)


def test_a_large_sphere_keeps_everything_and_a_small_one_little():
    one = [(kernel([1.0, 1.0, 1.0, 0.0], [0.0, 0.0, 0.0, 4.0]), 1.0)]
    large, small = sphere_self_dose(one, 1e6), sphere_self_dose(one, 1e-6)
    assert large.charged_fraction == pytest.approx(1.0, abs=1e-3)
    assert large.photon_fraction == pytest.approx(1.0, abs=0.02)
    assert small.photon_fraction < 0.02 < small.charged_fraction < 0.5


def test_the_s_value_is_the_energy_kept_over_the_mass():
    found = sphere_self_dose([(kernel([1.0, 2.0, 0.5, 0.0], [0.0, 0.1, 0.2, 3.0]), 0.7)], 1e-3)
    kept = 0.7 * (3.5 * found.charged_fraction + 3.3 * found.photon_fraction)
    assert found.s_value == pytest.approx(kept / 1e-3, rel=1e-12)


def test_a_sphere_without_mass_or_of_two_media_is_refused():
    one = kernel([1.0] * 4, [0.0] * 4)
    with pytest.raises(BadInput, match="cannot have a mass"):
        sphere_self_dose([(one, 1.0)], 0.0)
    with pytest.raises(BadInput, match="one medium"):
        sphere_self_dose([(one, 1.0), (kernel([1.0] * 4, [0.0] * 4, density=260.0), 1.0)], 1e-3)
    assert sphere_self_dose([(one, 1.0)], 1e-3).photon_fraction == 0.0


@pytest.mark.parametrize("medium", ["lung", "soft tissue"])
@pytest.mark.parametrize("radius_mm", [0.1, 0.25, 0.5])
def test_small_spheres_lose_the_alphas_that_random_rays_lose(radius_mm, medium):
    substance, energy_MeV = material(medium), 5.83
    bounds = shell_bounds_mm(substance.density_kg_m3)
    heavy = heavy_energy_J(line(1e3 * energy_MeV, EmissionKind.ALPHA), substance, bounds)
    made = PointKernel("Xx-1", medium, substance.density_kg_m3, bounds, heavy, np.zeros(len(heavy)))
    mass_kg = substance.density_kg_m3 * 4 / 3 * np.pi * (radius_mm * 1e-3) ** 3
    found = sphere_self_dose([(made, 1.0)], mass_kg).charged_fraction
    generator = np.random.default_rng(5)
    # along any direction: a place in the sphere, and the way from there to its surface
    place, cosine = radius_mm * generator.random(400_000) ** (1 / 3), generator.uniform(-1, 1, 400_000)
    way = -place * cosine + np.sqrt(radius_mm**2 - place**2 * (1 - cosine**2))
    slower = np.linspace(0.0, energy_MeV, 2001)
    reach = alpha_range_g_cm2(substance, slower) * 1e4 / substance.density_kg_m3
    left = np.interp(reach[-1] - way, reach, slower, left=0.0)
    # 400,000 rays leave 0.1%; shells of 3% in radius 0.1%
    assert found == pytest.approx(1 - left.mean() / energy_MeV, abs=0.004)
