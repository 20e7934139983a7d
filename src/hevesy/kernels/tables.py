"""What the transport reads: arrays grouped by meaning, as numba takes them.

Energies are in units of the electron's rest energy (m_e c²), lengths in mm, densities in kg/mm³, mass
thicknesses in kg/mm², mass attenuation coefficients in mm²/kg. Medium index m + M is medium m for positrons.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: columns of `PhotonTables.coefficients`
TOTAL, TRANSFER, TO_INCOHERENT, TO_COHERENT, TO_PHOTOELECTRIC = range(5)

#: items of a particle: position, direction, energy, statistical weight, kind
X, Y, Z, U, V, W, ENERGY, WEIGHT, KIND = range(9)
ITEMS = 9
#: random numbers that place a source particle
DIMENSIONS = 7
PHOTON, ELECTRON, POSITRON, ALPHA = range(4)

#: items of the balance, all in m_e c²
EMITTED, DEPOSITED, ESCAPED, SCORED, HISTORIES = range(5)


class Lattice(NamedTuple):
    """The geometry: voxels with a medium and a density each, or shells about the origin in one medium.

    `medium` and `density` are flat in C order; `shells` holds the rising radii (mm) of shells about the
    middle of the grid, and is empty where voxels are scored.
    """

    shape: NDArray[np.int64]
    spacing: Array
    medium: NDArray[np.uint8]
    density: NDArray[np.float32]
    shells: Array


class ElectronTables(NamedTuple):
    """Electrons and positrons slow down through cells of energy, falling from `edges[0]`.

    Parameters
    ----------
    edges : (K + 1,) array
        Energies that bound the cells, falling.
    thickness : (2M, K) array
        Mass thickness in which soft collisions take a particle through a cell.
    straggling : (2M, K) array
        Width of the uniform spread of that thickness, relative.
    hard : (2M, K) array
        Mean number of hard collisions and photons emitted on the way through a cell.
    radiative, annihilating : (2M, K) array
        Share of the hard events that are photons emitted, and annihilations in flight.
    photons_left, annihilations_left : (2M, K + 1) array
        Mean number of hard photons, and of annihilations in flight, from the top of a cell until rest.
    residual : (2M, K + 1) array
        Mass thickness from an edge until rest.
    deflection : (2M, K, Q) array
        Quantiles of (1 − cos θ)/2 over a cell, at 1 − (1 − j/(Q − 1))².
    photon_share : (2M, K, P) array
        Quantiles of emitted photon energy over kinetic energy, evenly spaced.
    delta_threshold : float
        Smallest energy of a secondary electron that is simulated.
    """

    edges: Array
    thickness: Array
    straggling: Array
    hard: Array
    radiative: Array
    annihilating: Array
    photons_left: Array
    annihilations_left: Array
    residual: Array
    deflection: Array
    photon_share: Array
    delta_threshold: float


class PhotonTables(NamedTuple):
    """Photon interactions on an energy grid that is even in the logarithm.

    Parameters
    ----------
    log_first, log_step : float
        Logarithm of the first energy, and the step.
    coefficients : (M, N, 5) array
        Total attenuation, energy transfer (both mass coefficients), and the cumulative shares of incoherent,
        coherent and photoelectric interactions; the rest is pair production.
    majorant : (N,) array
        Greatest linear attenuation coefficient in the grid, 1/mm.
    log_momentum_first, log_momentum_step : float
        Logarithmic grid of the momentum transfer x = E sin(θ/2), m_e c².
    scattering : (M, S) array
        Incoherent scattering function over its limit, on that grid.
    coherent : (M, S) array
        ∫₀ˣ² F² dx² on that grid.
    shells : (M, S, N) array
        Cumulative chance that a photoelectric event empties one of the first inner shells.
    shell_yield : (M, S) array
        X rays per vacancy.
    line_energies, line_chances : (M, S, L) array
        Energies of a shell's X rays, and their cumulative chances.
    """

    log_first: float
    log_step: float
    coefficients: Array
    majorant: Array
    log_momentum_first: float
    log_momentum_step: float
    scattering: Array
    coherent: Array
    shells: Array
    shell_yield: Array
    line_energies: Array
    line_chances: Array


class AlphaTables(NamedTuple):
    """Ranges of alpha particles.

    Parameters
    ----------
    step : float
        Step of the energies, m_e c²; the first is 0.
    range : (M, N) array
        Range in each medium at each energy, kg/mm².
    """

    step: float
    range: Array


class Options(NamedTuple):
    """How the transport works.

    Parameters
    ----------
    electron_cutoff, photon_cutoff : float
        A particle below this energy is absorbed where it is.
    stop_inside : bool
        An electron or alpha that cannot leave its voxel is absorbed there.
    kerma : bool
        Photons score the energy that they transfer along their track, and their electrons are not followed.
    woodcock : bool
        Photons fly by the majorant; without, from face to face. Woodcock flight scores at collisions.
    splitting : int
        Photons made of each bremsstrahlung photon.
    """

    electron_cutoff: float
    photon_cutoff: float
    stop_inside: bool
    kerma: bool
    woodcock: bool
    splitting: int


class World(NamedTuple):
    """All that a particle meets."""

    lattice: Lattice
    electrons: ElectronTables
    photons: PhotonTables
    alphas: AlphaTables
    options: Options


class Source(NamedTuple):
    """Where particles start, of which kind, and with which energy.

    Parameters
    ----------
    voxel : (n,) array
        Flat indices of the voxels with activity.
    cumulative : (n,) array
        Cumulative probability of starting there.
    bins : (b, 5) array
        Energy low, energy high, kind, statistical weight and cumulative probability of each bin of the spectrum.
    at_centre : bool
        All start at the middle of the grid.
    voxel_guide, bin_guide : (k,) array
        First index whose cumulative probability reaches i/k: where a search begins.
    level : (n,) array
        Row of `booked` that each voxel has; empty where nothing is booked.
    booked : (levels, b) array
        Share of a particle's kinetic energy, by bin, that is booked in the voxel of its birth before any history.
    """

    voxel: NDArray[np.int32]
    cumulative: Array
    bins: Array
    at_centre: bool
    voxel_guide: NDArray[np.int32]
    bin_guide: NDArray[np.int32]
    level: NDArray[np.uint8]
    booked: Array


def source(voxel: NDArray[np.integer], cumulative: Array, bins: Array, at_centre: bool = False) -> Source:
    """Return a source with its guides, of which nothing is booked; see `Source`."""
    guides = _guide(cumulative), _guide(bins[:, 4])
    places = np.ascontiguousarray(voxel, np.int32)
    return Source(places, cumulative, bins, at_centre, *guides, np.zeros(0, np.uint8), np.zeros((0, len(bins))))


def _guide(cumulative: Array) -> NDArray[np.int32]:
    steps = min(cumulative.size, 2**22)
    return np.searchsorted(cumulative, np.arange(steps) / steps).astype(np.int32)


class Scratch(NamedTuple):
    """What one thread writes: its tally (m_e c²), its balance, its stack of particles and its random stream."""

    tally: Array
    balance: Array
    stack: Array
    depth: NDArray[np.int64]
    voxel: NDArray[np.int64]
    current: Array
    start: Array
    shift: Array
    stream: NDArray[np.uint64]


def scratch(size: int, depth: int = 256) -> Scratch:
    """Return empty storage for one thread and a tally of `size`."""
    return Scratch(
        tally=np.zeros(size),
        balance=np.zeros(5),
        stack=np.zeros((depth, ITEMS)),
        depth=np.zeros(1, np.int64),
        voxel=np.zeros(3, np.int64),
        current=np.zeros(ITEMS),
        start=np.zeros(DIMENSIONS),
        shift=np.zeros(DIMENSIONS),
        stream=np.zeros(1, np.uint64),
    )
