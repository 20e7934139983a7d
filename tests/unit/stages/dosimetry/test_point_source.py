"""Point kernels made on demand, and when a table serves instead."""

import numpy as np
import pytest

from hevesy.core import EmissionKind
from hevesy.core.point_kernel import PointKernel
from hevesy.data import point_kernels
from hevesy.data.materials import material
from hevesy.data.nuclides import nuclide
from hevesy.errors import BadInput
from hevesy.physics.alpha_range import alpha_range_g_cm2
from hevesy.stages.dosimetry.point_source import Effort, heavy_energy_J, make_point_kernel, shell_bounds_mm, tabulated

YTTRIUM = nuclide("Y-90")


@pytest.fixture(scope="module")
def made():
    return make_point_kernel(YTTRIUM, material("water"), Effort(20_000, seed=3))


def test_a_small_simulation_agrees_with_the_table(made):
    table = point_kernels.point_kernel("Y-90")
    radii = [0.5, 1.0, 2.0, 4.0, 6.0, 8.0]
    within = [np.interp(radii, k.radius_mm[1:], np.cumsum(k.charged_J)) for k in (made, table)]
    # 20,000 histories leave 0.5% of noise in each
    np.testing.assert_allclose(within[0], within[1], rtol=0.02)


def test_a_kernel_holds_what_the_nuclide_emits(made):
    assert made.energy_J == pytest.approx(YTTRIUM.energy_per_decay_J(), rel=5e-3)


def test_the_same_seed_gives_the_same_kernel(made):
    again = make_point_kernel(YTTRIUM, material("water"), Effort(20_000, seed=3, threads=1))
    np.testing.assert_array_equal(again.charged_J, made.charged_J)


def test_shells_lie_at_the_same_mass_thickness_in_any_medium():
    np.testing.assert_allclose(shell_bounds_mm(260.0) * 0.26, shell_bounds_mm(1000.0), rtol=1e-12)


def test_water_serves_soft_tissue_and_lung_but_not_bone():
    lung = tabulated("Lu-177", material("lung"))
    assert lung is not None
    assert (lung.medium, lung.density_kg_m3) == ("lung", 260.0)
    assert tabulated("Lu-177", material("muscle")) is not None
    assert tabulated("Lu-177", material("cortical bone")) is None
    assert tabulated("Cf-252", material("water")) is None


def test_kernels_add_by_their_shares(made):
    both = PointKernel.together([(made, 1.0), (made, 0.5)])
    assert both.energy_J == pytest.approx(1.5 * made.energy_J)
    with pytest.raises(BadInput, match="other shells"):
        PointKernel.together([(made, 1.0), (made.at_density(500.0), 1.0)])
    with pytest.raises(BadInput):
        PointKernel.together([])


@pytest.mark.parametrize("medium", ["water", "lung", "cortical bone"])
def test_alphas_leave_their_energy_within_their_range(medium):
    po, substance = nuclide("Po-212"), material(medium)
    radius = np.linspace(0.0, 1.2, 2401)
    energy = heavy_energy_J(po, substance, radius)
    alphas = [e for e in po.emissions if e.kind is EmissionKind.ALPHA and e.per_decay > 0.9]
    end_mm = float(alpha_range_g_cm2(substance, alphas[0].energy_J / 1.602176634e-13)) * 1e4 / substance.density_kg_m3
    recoil = po.energy_per_decay_J(EmissionKind.ALPHA_RECOIL)
    assert energy.sum() == pytest.approx(recoil + po.energy_per_decay_J(EmissionKind.ALPHA), rel=1e-9)
    assert radius[1:][energy > 0].max() == pytest.approx(end_mm, abs=0.001)
    # Bragg's peak: the most per path is in the last quarter, about 2.5 times that of the start
    beyond = energy[1:].argmax() + 1
    assert radius[beyond] > 0.75 * end_mm
    assert 2.0 < energy[beyond] / energy[2] < 4.0
