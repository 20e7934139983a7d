"""Photon interactions of several media as arrays for kernels."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hevesy.core.material import Material
from hevesy.data.elements import element
from hevesy.data.photons import PROCESSES
from hevesy.physics.attenuation import (
    HIGHEST_MEV,
    LOWEST_MEV,
    atomic_cross_section_barn,
    mass_attenuation_cm2_g,
    mass_energy_transfer_cm2_g,
    scattering_per_electron,
    shell_probabilities,
    squared_form_factor_per_gram,
)
from hevesy.physics.materials import CM2_PER_BARN, atoms_per_gram

#: points of the energy grid: 0.45% apart, which blurs an absorption edge by as much
N_ENERGIES = 2048
#: momentum transfer x, 1/Å, in logarithmic steps
N_TRANSFERS, LOWEST_TRANSFER, HIGHEST_TRANSFER = 512, 1e-3, 1e3
#: lines of a shell that are kept
N_LINES = 6


@dataclass(frozen=True, slots=True, eq=False)
class PhotonTables:
    """Photon interactions of m media on a grid of n energies, uniform in ln E; float64, C order.

    Parameters
    ----------
    log_energy_first, log_energy_step : float
        ln(E/MeV) of the first energy, and the step: 1 keV to 10 MeV. Interpolate linearly in ln E.
    photoelectric_cm2_g, incoherent_cm2_g, coherent_cm2_g, pair_cm2_g, triplet_cm2_g, total_cm2_g : (m, n) array
        Mass attenuation coefficients.
    energy_transfer_cm2_g : (m, n) array
        Mass energy-transfer coefficient, for track-length scoring.
    log_transfer_first, log_transfer_step : float
        ln(x·Å) of the first momentum transfer x = sin(θ/2)/λ = sin(θ/2) E/(12.39842 keV Å), and the step.
    scattering_per_electron : (m, k) array
        S(x) over the number of electrons: accepts a Klein–Nishina sample with this probability.
    coherent_cumulative : (m, k) array
        Integral of F² d(x²) from 0 to x, over that to the last x. To sample a coherent scatter: draw u uniform
        below the value at x₁ = E/12.39842 keV Å, invert for x, cos θ = 1 − 2 (x/x₁)², accept with (1 + cos²θ)/2.
    shell_cumulative : (m, s, n) array
        Probability, per photoabsorption, that it empties one of the first 1, 2, … inner shells that send out X rays;
        above the last value no X ray above 1 keV follows. Places without a shell repeat the last value.
    shell_edge_MeV, shell_yield : (m, s) array
        Binding energy, and X rays per vacancy, of each shell (0 where there is none).
    line_MeV, line_cumulative : (m, s, 6) array
        Energies of the lines of each shell, and the cumulative probability of each, given an X ray.
    """

    log_energy_first: float
    log_energy_step: float
    photoelectric_cm2_g: NDArray[np.float64] = field(repr=False)
    incoherent_cm2_g: NDArray[np.float64] = field(repr=False)
    coherent_cm2_g: NDArray[np.float64] = field(repr=False)
    pair_cm2_g: NDArray[np.float64] = field(repr=False)
    triplet_cm2_g: NDArray[np.float64] = field(repr=False)
    total_cm2_g: NDArray[np.float64] = field(repr=False)
    energy_transfer_cm2_g: NDArray[np.float64] = field(repr=False)
    log_transfer_first: float
    log_transfer_step: float
    scattering_per_electron: NDArray[np.float64] = field(repr=False)
    coherent_cumulative: NDArray[np.float64] = field(repr=False)
    shell_cumulative: NDArray[np.float64] = field(repr=False)
    shell_edge_MeV: NDArray[np.float64] = field(repr=False)
    shell_yield: NDArray[np.float64] = field(repr=False)
    line_MeV: NDArray[np.float64] = field(repr=False)
    line_cumulative: NDArray[np.float64] = field(repr=False)

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, np.ndarray):
                object.__setattr__(self, item.name, np.ascontiguousarray(value, np.float64))

    @property
    def energy_MeV(self) -> NDArray[np.float64]:
        """The n energies."""
        steps = np.arange(self.total_cm2_g.shape[1])
        return np.asarray(np.exp(self.log_energy_first + self.log_energy_step * steps))


@lru_cache(maxsize=16)
def photon_tables(materials: tuple[Material, ...], n_energies: int = N_ENERGIES) -> PhotonTables:
    """Return the photon interactions of media, in their order."""
    log_energy = np.linspace(np.log(LOWEST_MEV), np.log(HIGHEST_MEV), n_energies)
    energy = np.clip(np.exp(log_energy), LOWEST_MEV, HIGHEST_MEV)
    by_process = {
        f"{process}_cm2_g": np.array([mass_attenuation_cm2_g(m, energy, process) for m in materials])
        for process in PROCESSES
    }
    log_transfer = np.linspace(np.log(LOWEST_TRANSFER), np.log(HIGHEST_TRANSFER), N_TRANSFERS)
    transfer = np.exp(log_transfer)
    shells = _padded([_shells(material, energy) for material in materials], n_energies)
    return PhotonTables(
        log_energy_first=float(log_energy[0]),
        log_energy_step=float(log_energy[1] - log_energy[0]),
        total_cm2_g=np.sum(list(by_process.values()), axis=0),
        energy_transfer_cm2_g=np.array([mass_energy_transfer_cm2_g(m, energy) for m in materials]),
        log_transfer_first=float(log_transfer[0]),
        log_transfer_step=float(log_transfer[1] - log_transfer[0]),
        scattering_per_electron=np.array([np.interp(transfer, *scattering_per_electron(m)) for m in materials]),
        coherent_cumulative=np.array([_coherent_cumulative(m, transfer) for m in materials]),
        **by_process,
        **shells,
    )


def _coherent_cumulative(material: Material, transfer: NDArray[np.float64]) -> NDArray[np.float64]:
    """Integrate F² d(x²); below the first x the form factor is that of forward scattering."""
    grid, squared = squared_form_factor_per_gram(material)
    fine = np.geomspace(transfer[0], transfer[-1], 8 * (len(transfer) - 1) + 1)
    # F² falls as a power of x: log-log keeps it smooth between the tabulated points
    tail = np.exp(np.interp(np.log(fine), np.log(grid[1:]), np.log(np.maximum(squared[1:], 1e-300))))
    steps = np.diff(fine**2) * (tail[1:] + tail[:-1]) / 2
    cumulative = squared[0] * fine[0] ** 2 + np.concatenate([[0.0], np.cumsum(steps)])
    return np.asarray(cumulative[::8] / cumulative[-1])


def _shells(material: Material, energy_MeV: NDArray[np.float64]) -> list[tuple[NDArray[Any], ...]]:
    """Return probability, edge, yield and lines of every shell of every element that sends out X rays."""
    atoms = atoms_per_gram(material)
    total = mass_attenuation_cm2_g(material, energy_MeV, "photoelectric")
    rows: list[tuple[NDArray[Any], ...]] = []
    for symbol, n in atoms.items():
        share = n * CM2_PER_BARN * atomic_cross_section_barn(symbol, energy_MeV, "photoelectric") / total
        for shell, probability in zip(
            element(symbol).inner_shells, shell_probabilities(symbol, energy_MeV), strict=True
        ):
            lines = np.zeros(N_LINES)
            lines[: len(shell.line_MeV)] = shell.line_MeV
            chance = np.ones(N_LINES)
            chance[: len(shell.line_MeV)] = np.cumsum(shell.line_probability) / shell.line_probability.sum()
            scalars = np.array(shell.edge_MeV), np.array(shell.fluorescence_yield)
            rows.append((share * probability, *scalars, lines, chance))
    return rows


def _padded(shells: list[list[tuple[NDArray[Any], ...]]], n_energies: int) -> dict[str, NDArray[np.float64]]:
    m, s = len(shells), max([1, *map(len, shells)])
    arrays = [np.zeros((m, s, n_energies)), *(np.zeros((m, s)) for _ in range(2)), np.zeros((m, s, N_LINES))]
    arrays.append(np.ones((m, s, N_LINES)))
    for i, rows in enumerate(shells):
        for j, row in enumerate(rows):
            for array, values in zip(arrays, row, strict=True):
                array[i, j] = values
    arrays[0] = np.cumsum(arrays[0], axis=1)
    names = ("shell_cumulative", "shell_edge_MeV", "shell_yield", "line_MeV", "line_cumulative")
    return dict(zip(names, arrays, strict=True))
