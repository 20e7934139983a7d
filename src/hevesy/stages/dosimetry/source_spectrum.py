"""A nuclide's radiations as bins that the transport draws from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from hevesy.core import BetaSpectrum, EmissionKind, Nuclide
from hevesy.kernels.tables import ALPHA, ELECTRON, PHOTON, POSITRON
from hevesy.physics.electron_scattering import REST_ENERGY_J
from hevesy.physics.spectra import interpolate

Array = NDArray[np.float64]

#: bins of a beta spectrum
BETA_BINS = 600
#: what is booked where it is born; of these, alphas may then be followed
LOCAL = (EmissionKind.ALPHA, EmissionKind.ALPHA_RECOIL, EmissionKind.FISSION_FRAGMENT)
#: photons of emission; those of annihilation are made where positrons stop
PHOTONS = (EmissionKind.GAMMA, EmissionKind.X_RAY)
LINES = (EmissionKind.CONVERSION_ELECTRON, EmissionKind.AUGER_ELECTRON)
BETAS = ((EmissionKind.BETA_MINUS, ELECTRON), (EmissionKind.BETA_PLUS, POSITRON))

Shares = Sequence[tuple[Nuclide, float]]


def local_energy_J(nuclides: Shares) -> float:
    """Return the energy of alphas, recoils and fission fragments per decay of the parent, J."""
    return sum(share * nuclide.energy_per_decay_J(*LOCAL) for nuclide, share in nuclides)


def photon_bins(nuclides: Shares) -> Array:
    """Return (n, 4): low and high energy (m_e c²), kind, and number per decay of the parent."""
    return _rows(_lines(nuclides, PHOTONS, PHOTON))


def electron_bins(nuclides: Shares) -> Array:
    """Return (n, 4): low and high energy (m_e c²), kind, and number per decay of the parent."""
    rows = list(_lines(nuclides, LINES, ELECTRON))
    for nuclide, share in nuclides:
        for emission, kind in BETAS:
            if emission in nuclide.beta_spectra:
                betas = sum(e.per_decay for e in nuclide.emissions if e.kind is emission)
                rows.extend(_beta(nuclide.beta_spectra[emission], kind, share * betas))
    return _rows(rows)


def alpha_bins(nuclides: Shares) -> Array:
    """Return (n, 4): energy (m_e c²) twice, kind, and number per decay of the parent."""
    return _rows(_lines(nuclides, (EmissionKind.ALPHA,), ALPHA))


def _lines(nuclides: Shares, kinds: Sequence[EmissionKind], kind: int) -> Iterable[tuple[float, float, int, float]]:
    for nuclide, share in nuclides:
        for emission in nuclide.emissions:
            if emission.kind in kinds and emission.per_decay * share > 0 and emission.energy_J > 0:
                energy = emission.energy_J / REST_ENERGY_J
                yield energy, energy, kind, emission.per_decay * share


def _beta(spectrum: BetaSpectrum, kind: int, number: float) -> Iterable[tuple[float, float, int, float]]:
    edges = np.linspace(spectrum.energy_J[0], spectrum.energy_J[-1], BETA_BINS + 1)
    within = np.maximum(np.diff(interpolate(spectrum).antiderivative()(edges)), 0.0)
    within *= number / within.sum()
    for low, high, part in zip(edges[:-1] / REST_ENERGY_J, edges[1:] / REST_ENERGY_J, within, strict=True):
        if part > 0:
            yield low, high, kind, part


def _rows(rows: Iterable[tuple[float, float, int, float]]) -> Array:
    return np.array(list(rows), np.float64).reshape(-1, 4)


def weighted(bins: Array, importance: Array) -> Array:
    """Return (n, 5) bins with statistical weights and cumulative probabilities, as `Source` holds them.

    Parameters
    ----------
    bins : (b, 4) array
        As from `photon_bins` or `electron_bins`.
    importance : (b,) array
        How much more often than others particles of a bin are drawn than they occur; their weight is one over that.
    """
    number = bins[:, 3]
    chance = number * importance
    chance /= chance.sum()
    cumulative = np.cumsum(chance)
    cumulative[-1] = 1.0
    return np.column_stack([bins[:, :3], number / chance, cumulative])


def emitted_energy(bins: Array) -> Array:
    """Return the mean energy of one particle of each bin, m_e c²; a positron's annihilation included."""
    return np.asarray(0.5 * (bins[:, 0] + bins[:, 1]) + 2.0 * (bins[:, 2] == POSITRON))
