"""Point kernels by our own transport: a point of a nuclide in the middle of a sphere of one medium."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hevesy.core import EmissionKind, Grid, Nuclide
from hevesy.core.material import Material
from hevesy.core.point_kernel import PointKernel
from hevesy.data import point_kernels
from hevesy.kernels.tables import ESCAPED, source
from hevesy.physics.alpha_range import alpha_range_g_cm2
from hevesy.physics.electron_scattering import REST_ENERGY_J, REST_ENERGY_MeV
from hevesy.stages.dosimetry.monte_carlo import MM_KG_M3, Phantom, Physics, world_of
from hevesy.stages.dosimetry.simulation import Emission, Plan, Stop, Tally, run
from hevesy.stages.dosimetry.source_spectrum import LOCAL, PHOTONS, electron_bins, emitted_energy, photon_bins, weighted

Array = NDArray[np.float64]

#: bounds of the shells in water, mm: from where a slow beta has lost little to where 1e-4 of a photon's energy is left
FIRST_MM, LAST_MM, SHELLS = 0.005, 1200.0, 430
#: energies at which an alpha's residual range is known
ALPHA_STEPS = 401
#: within this distance in water, mm, the electrons that photons set free are followed; beyond, they stop at once
FOLLOWED_MM = 20.0
#: a medium made of these takes electrons and photons per mass as water does, within 2%
LIKE_WATER, LEAST_LIKE_WATER = frozenset(["H", "C", "N", "O"]), 0.985
HISTORIES = 1_000_000
BATCHES = 20


@dataclass(frozen=True, slots=True)
class Effort:
    """How much to simulate: histories, the seed of the random numbers, and threads (all processors if None)."""

    histories: int = HISTORIES
    seed: int = 1
    threads: int | None = None


def make_point_kernel(nuclide: Nuclide, medium: Material, effort: Effort | None = None) -> PointKernel:
    """Simulate a point of a nuclide, without its daughters, in an infinite medium.

    Photons are simulated twice: near the source with the electrons that they set free, beyond with the energy that they
    transfer scored along their tracks, which is less noisy and there the same.

    Parameters
    ----------
    nuclide : Nuclide
        What decays.
    medium : Material
        What surrounds it, at its own density.
    effort : Effort, optional
        How much to simulate.
    """
    effort = effort or Effort()
    radius = shell_bounds_mm(medium.density_kg_m3)
    shares = ((nuclide, 1.0),)
    charged, lost_charged, u = _simulate(electron_bins(shares), medium, radius, effort)
    photons, lost_photons, _ = _simulate(photon_bins(shares), medium, radius, effort)
    near, _, _ = _simulate(photon_bins(shares), medium, radius, effort, kerma=False)
    photons = np.where(radius[1:] <= FOLLOWED_MM * 1000.0 / medium.density_kg_m3, near, photons)
    emitted = nuclide.energy_per_decay_J(*PHOTONS)
    return PointKernel(
        nuclide.name,
        medium.name,
        medium.density_kg_m3,
        radius,
        charged + heavy_energy_J(nuclide, medium, radius),
        photons,
        lost_charged + max(0.0, emitted - float(photons.sum())) * bool(lost_photons),
        u,
        f"Monte Carlo, {effort.histories} histories each of electrons and photons; {nuclide.source}",
    )


def heavy_energy_J(nuclide: Nuclide, medium: Material, radius_mm: Array) -> Array:
    """Return the energy of alphas, recoils and fission fragments in each shell, J per decay.

    Alphas fly straight and slow down evenly; the others stay in the innermost shell.

    Parameters
    ----------
    nuclide : Nuclide
        What decays.
    medium : Material
        What surrounds it.
    radius_mm : (n + 1,) array
        Radii that bound the shells, rising from 0, mm.
    """
    energy = np.zeros(len(radius_mm) - 1)
    energy[0] = nuclide.energy_per_decay_J(*(kind for kind in LOCAL if kind is not EmissionKind.ALPHA))
    for emission in (e for e in nuclide.emissions if e.kind is EmissionKind.ALPHA):
        slower = np.linspace(0.0, emission.energy_J, ALPHA_STEPS)
        reach = alpha_range_g_cm2(medium, slower / REST_ENERGY_J * REST_ENERGY_MeV) * MM_KG_M3 / medium.density_kg_m3
        left = np.interp(reach[-1] - radius_mm, reach, slower, left=0.0)
        energy -= emission.per_decay * np.diff(left)
    return energy


def tabulated(name: str, medium: Material) -> PointKernel | None:
    """Return the tabulated kernel of a nuclide in a medium, or water's at its density if it is like water.

    Soft tissues and lung are: no element in them is heavier than potassium by more than a trace. None for any other.
    """
    if name in point_kernels.nuclides(medium.name):
        return point_kernels.point_kernel(name, medium.name)
    light = sum(w for symbol, w in medium.mass_fractions.items() if symbol in LIKE_WATER)
    if light < LEAST_LIKE_WATER or name not in point_kernels.nuclides():
        return None
    return replace(point_kernels.point_kernel(name).at_density(medium.density_kg_m3), medium=medium.name)


def shell_bounds_mm(density_kg_m3: float) -> Array:
    """Return the radii that bound the shells: 0, then even in the logarithm; at one mass thickness in any medium."""
    return np.concatenate([[0.0], np.geomspace(FIRST_MM, LAST_MM, SHELLS)]) * (1000.0 / density_kg_m3)


def _simulate(
    bins: Array, medium: Material, radius: Array, effort: Effort, kerma: bool = True
) -> tuple[Array, float, float]:
    """Return the energy in each shell and beyond, J per decay, and the relative uncertainty of a typical shell."""
    if not len(bins):
        return np.zeros(len(radius) - 1), 0.0, 0.0
    physics = Physics(stop_inside=False, kerma=kerma)
    side = 2.2 * float(radius[-1])
    phantom = Phantom.uniform(Grid.regular((1, 1, 1), (side, side, side)), medium)
    world = world_of(phantom, float(bins[:, 1].max()), physics)
    world = world._replace(lattice=world.lattice._replace(shells=radius))
    particles = source(np.zeros(1, np.int32), np.ones(1), weighted(bins, emitted_energy(bins)), True)
    plan = Plan(
        world, (Emission(particles, 1.0, max(1, effort.histories // BATCHES)),), effort.seed, physics.stratified
    )
    tally = run(plan, Stop(histories=effort.histories), threads=effort.threads)
    energy = tally.energy_J
    escaped = float(tally.balance[ESCAPED]) * REST_ENERGY_J / tally.batches
    # the last place of the tally holds what lies beyond the last bound
    return energy[:-1], float(energy[-1]) + escaped, _typical_uncertainty(tally)


def _typical_uncertainty(tally: Tally) -> float:
    """Return the energy-weighted relative standard uncertainty of a shell's energy."""
    energy = tally.energy_J
    return float((tally.relative_uncertainty() * energy).sum() / energy.sum()) if energy.any() else 0.0
