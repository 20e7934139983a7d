"""Make the transport's tables from the physics of each medium."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hevesy.core.material import Material
from hevesy.kernels.tables import AlphaTables, ElectronTables, PhotonTables
from hevesy.physics import photon_tables as photon_physics
from hevesy.physics.alpha_range import alpha_range_g_cm2
from hevesy.physics.bremsstrahlung import (
    photon_emission_cm2_g,
    photon_energy_quantiles,
    radiative_stopping_power_MeV_cm2_g,
)
from hevesy.physics.electron_scattering import (
    REST_ENERGY_MeV,
    deflection_quantiles,
    soft_moment,
    transport_coefficients,
)
from hevesy.physics.materials import electrons_per_gram
from hevesy.physics.positron_annihilation import annihilation_cm2_g
from hevesy.physics.stopping_power import collision_stopping_power_MeV_cm2_g, knock_on_cm2_g

Array = NDArray[np.float64]

#: share of the residual range that one cell of energy takes
CELL = 0.2
#: hard photons are those above this energy
HARD_PHOTON_MeV = 0.010
#: cm²/g → mm²/kg
MM2_KG = 1e5
#: keV Å: momentum transfers are tabulated as sin(θ/2)/λ, the transport has them as sin(θ/2) E
HC_MeV_ANGSTROM = 12.39842e-3
_PHOTON_QUANTILES = 65
#: g/cm² → kg/mm²
KG_MM2 = 1e-5
_ALPHA_ENERGIES = 1001
#: a thickness cannot be negative, however wide its spread
MOST_STRAGGLING = 1.9


def energy_cells(highest: float, lowest: float, share: float = CELL) -> Array:
    """Return energies (m_e c²) falling from `highest` to `lowest` that part the range into equal ratios.

    The range is that of Katz and Penfold, Rev. Mod. Phys. 24 (1952) 28, whatever the medium.
    """

    def log_range(log_tau: Array) -> Array:
        log_mev = log_tau + np.log(REST_ENERGY_MeV)
        fast = np.log(np.maximum(530 * np.exp(log_mev) - 106, 1.0) / 412)
        return np.asarray(np.where(log_mev < np.log(2.5), (1.265 - 0.0954 * log_mev) * log_mev, fast))

    logs = np.linspace(np.log(lowest), np.log(highest), 4000)
    ranges = np.maximum.accumulate(log_range(logs)) + 1e-9 * np.arange(logs.size)
    steps = max(2, int(np.ceil((ranges[-1] - ranges[0]) / -np.log(1 - share))))
    edges = np.exp(np.interp(np.linspace(ranges[-1], ranges[0], steps + 1), ranges, logs))
    edges[0], edges[-1] = highest, lowest
    return np.asarray(edges)


def electron_tables(
    media: Sequence[Material], edges: Array, delta_threshold: float, positrons: bool = True
) -> ElectronTables:
    """Tabulate the slowing down and the turning of electrons and positrons in each medium.

    Parameters
    ----------
    media : sequence of Material
        In the order of their indices in the lattice.
    edges : (K + 1,) array
        Energies that bound the cells, falling, m_e c².
    delta_threshold : float
        Smallest energy of a secondary electron that is made, m_e c².
    positrons : bool
        Whether there can be any; without, their rows are those of electrons.
    """
    bounds = tuple(edges.tolist())
    rows = [_electron_medium(medium, False, bounds, delta_threshold) for medium in media]
    rows += [_electron_medium(medium, True, bounds, delta_threshold) for medium in media] if positrons else rows
    columns = {name: np.ascontiguousarray(np.stack([row[name] for row in rows])) for name in rows[0]}
    return ElectronTables(edges=edges, delta_threshold=delta_threshold, **columns)


@lru_cache(maxsize=64)  # cycles and repetitions of a simulation have the same media and energies
def _electron_medium(medium: Material, positron: bool, bounds: tuple[float, ...], delta: float) -> dict[str, Array]:
    """Return every row of `ElectronTables` of one medium and sign."""
    edges = np.array(bounds)
    nodes, weights = np.polynomial.legendre.leggauss(3)
    half = 0.5 * (edges[:-1] - edges[1:])
    tau = 0.5 * (edges[:-1] + edges[1:])[:, None] + half[:, None] * nodes
    energy, cut = tau * REST_ENERGY_MeV, delta * REST_ENERGY_MeV
    path = weights * half[:, None] / _soft_stopping(medium, energy, cut, positron)
    thickness = path.sum(axis=1)
    electrons = 1e3 * electrons_per_gram(medium)
    variance = electrons * np.array([soft_moment(float(t), delta, 2, positron) for t in tau.ravel()])
    straggling = np.sqrt(12 * (path * variance.reshape(tau.shape)).sum(axis=1)) / (2 * half)
    turning = np.array([transport_coefficients(medium, float(t), delta, positron) for t in tau.ravel()]) * MM2_KG
    turning = (path[..., None] * turning.reshape(*tau.shape, -1)).sum(axis=1)
    even = np.linspace(0, 1, _PHOTON_QUANTILES)
    middle = 0.5 * (edges[:-1] + edges[1:]) * REST_ENERGY_MeV
    share = np.array([photon_energy_quantiles(medium, float(t), HARD_PHOTON_MeV, even, positron) for t in middle])
    # the last stretch to rest, over which stopping power falls roughly as the energy to the power −0.8
    last = 0.6 * edges[-1] / float(_soft_stopping(medium, edges[-1:] * REST_ENERGY_MeV, cut, positron)[0])
    return {
        "thickness": thickness,
        "straggling": np.minimum(MOST_STRAGGLING, straggling),
        **_hard_events(medium, energy, cut, path, positron),
        "residual": _from_the_end(thickness) + last,
        "deflection": deflection_quantiles(turning),
        "photon_share": share,
    }


def _hard_events(medium: Material, energy: Array, cut: float, path: Array, positron: bool) -> dict[str, Array]:
    """Return the rows of what happens one by one, from energies (MeV) and weighted paths at the nodes of the cells."""
    knocks = path * knock_on_cm2_g(medium, energy, cut, positron) * MM2_KG
    photons = path * photon_emission_cm2_g(medium, energy, HARD_PHOTON_MeV, positron) * MM2_KG
    annihilations = path * annihilation_cm2_g(medium, energy) * MM2_KG * positron
    hard = (knocks + photons + annihilations).sum(axis=1)
    radiative, annihilating = (
        np.divide(events.sum(axis=1), hard, out=np.zeros(hard.size), where=hard > 0)
        for events in (photons, annihilations)
    )
    # what a particle that is stopped would still do, it would do on a way that hard collisions shorten
    shorter = _soft_stopping(medium, energy, cut, positron) / _stopping(medium, energy, None, None, positron)
    return {
        "hard": hard,
        "radiative": radiative,
        "annihilating": annihilating,
        "photons_left": _from_the_end((photons * shorter).sum(axis=1)),
        "annihilations_left": _from_the_end((annihilations * shorter).sum(axis=1)),
    }


def _from_the_end(values: Array) -> Array:
    return np.append(np.cumsum(values[::-1])[::-1], 0.0)


def _soft_stopping(medium: Material, energy_MeV: Array, cut_MeV: float, positron: bool) -> Array:
    """Return the stopping power of what is not simulated one by one, m_e c² mm²/kg."""
    return _stopping(medium, energy_MeV, cut_MeV, HARD_PHOTON_MeV, positron)


def _stopping(
    medium: Material, energy_MeV: Array, cut_MeV: float | None, photon_cut_MeV: float | None, positron: bool
) -> Array:
    """Return the stopping power of losses below two cuts, all where they are None, m_e c² mm²/kg."""
    collisions = collision_stopping_power_MeV_cm2_g(medium, energy_MeV, cut_MeV, positron)
    radiation = radiative_stopping_power_MeV_cm2_g(medium, energy_MeV, photon_cut_MeV, positron)
    return np.asarray((collisions + radiation) / REST_ENERGY_MeV * MM2_KG)


def photon_tables(media: Sequence[Material], heaviest: Array) -> PhotonTables:
    """Tabulate photon interactions in each medium, 1 keV to 10 MeV.

    Parameters
    ----------
    media : sequence of Material
        In the order of their indices in the lattice.
    heaviest : (M,) array
        Greatest density of each medium in the lattice, kg/mm³.
    """
    physics = photon_physics.photon_tables(tuple(media))
    total = physics.total_cm2_g
    shares = np.cumsum([physics.incoherent_cm2_g, physics.coherent_cm2_g, physics.photoelectric_cm2_g], axis=0) / total
    coefficients = np.stack([total * MM2_KG, physics.energy_transfer_cm2_g * MM2_KG, *shares], axis=-1)
    majorant = np.max(coefficients[:, :, 0] * np.asarray(heaviest)[:, None], axis=0)
    log_rest = float(np.log(REST_ENERGY_MeV))
    return PhotonTables(
        physics.log_energy_first - log_rest,
        physics.log_energy_step,
        np.ascontiguousarray(coefficients),
        majorant,
        physics.log_transfer_first + float(np.log(HC_MeV_ANGSTROM)) - log_rest,
        physics.log_transfer_step,
        physics.scattering_per_electron,
        physics.coherent_cumulative,
        physics.shell_cumulative,
        physics.shell_yield,
        physics.line_MeV / REST_ENERGY_MeV,
        physics.line_cumulative,
    )


def alpha_tables(media: Sequence[Material], highest: float) -> AlphaTables:
    """Tabulate the ranges of alphas in each medium, from rest to an energy, m_e c²."""
    energies = np.linspace(0.0, highest, _ALPHA_ENERGIES)
    ranges = [alpha_range_g_cm2(medium, energies * REST_ENERGY_MeV) * KG_MM2 for medium in media]
    return AlphaTables(float(energies[1]), np.ascontiguousarray(np.stack(ranges)))
