"""Bremsstrahlung of electrons and positrons, from the cross-sections of Seltzer and Berger."""

from __future__ import annotations

from functools import cache, lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import PchipInterpolator

from hevesy.core.material import Material
from hevesy.data.bremsstrahlung import scaled_bremsstrahlung
from hevesy.data.elements import element
from hevesy.physics.attenuation import ELECTRON_MEV
from hevesy.physics.materials import atoms_per_gram

CM2_PER_MILLIBARN = 1e-27
#: points of reduced photon energy at which spectra are integrated
N_REDUCED = 400


def radiative_stopping_power_MeV_cm2_g(
    material: Material, energy_MeV: ArrayLike, cut_MeV: float | None = None, positron: bool = False
) -> NDArray[np.float64]:
    """Return the mass radiative stopping power, MeV cm²/g.

    Parameters
    ----------
    material : Material
        The medium.
    energy_MeV : array_like
        Kinetic energies, 1 keV to 15 MeV.
    cut_MeV : float, optional
        Only photons below this are counted; all if absent.
    positron : bool
        Reduced by the ratio of positrons to electrons.
    """
    energy = np.asarray(energy_MeV, np.float64)
    result = [_radiated(material, float(t), cut_MeV, positron) for t in energy.ravel()]
    return np.reshape(result, energy.shape)


def photon_emission_cm2_g(
    material: Material, energy_MeV: ArrayLike, cut_MeV: float, positron: bool = False
) -> NDArray[np.float64]:
    """Return the inverse mean free path of the emission of photons of more than `cut_MeV`, cm²/g."""
    energy = np.asarray(energy_MeV, np.float64)
    result: list[float] = []
    for t in energy.ravel():
        reduced, density = emission_spectrum(material, float(t), cut_MeV, positron)
        result.append(float(np.trapezoid(density, np.log(reduced))) if len(reduced) else 0.0)
    return np.reshape(result, energy.shape)


def photon_energy_quantiles(
    material: Material, energy_MeV: float, cut_MeV: float, probabilities: ArrayLike, positron: bool = False
) -> NDArray[np.float64]:
    """Return quantiles of the energy of photons above `cut_MeV`, over the electron's; 0 where none is sent."""
    wanted = np.asarray(probabilities, np.float64)
    reduced, density = emission_spectrum(material, energy_MeV, cut_MeV, positron)
    if not len(reduced):
        return np.zeros(wanted.shape)
    logs = np.log(reduced)
    cumulative = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(logs))])
    return np.asarray(np.exp(np.interp(wanted, cumulative / cumulative[-1], logs)))


def emission_spectrum(
    material: Material, energy_MeV: float, cut_MeV: float, positron: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return reduced photon energies κ from the cut to 1, and photons per unit of ln κ and of mass thickness (cm²/g).

    Both are empty where the electron has less energy than the cut.
    """
    lowest = cut_MeV / energy_MeV
    if lowest >= 1:
        return np.empty(0), np.empty(0)
    reduced = np.exp(np.linspace(np.log(lowest), 0.0, N_REDUCED))
    return reduced, _scaled_cm2_g(material, energy_MeV, reduced, positron)


def positron_ratio(atomic_number: int, energy_MeV: ArrayLike) -> NDArray[np.float64]:
    """Return radiation of positrons over that of electrons.

    A fit to the calculations of L. Kim et al., Phys. Rev. A 33 (1986) 3002, by F. Salvat (PENELOPE-2018, eq. 3.147).
    """
    t = np.log1p(1e6 / atomic_number**2 * np.asarray(energy_MeV, np.float64) / ELECTRON_MEV)
    powers = (-1.2359e-1, 6.1274e-2, -3.1516e-2, 7.7446e-3, -1.0595e-3, 7.0568e-5, -1.8080e-6)
    return np.asarray(-np.expm1(sum(c * t ** (i + 1) for i, c in enumerate(powers))))


def _radiated(material: Material, energy_MeV: float, cut_MeV: float | None, positron: bool) -> float:
    highest = 1.0 if cut_MeV is None else min(1.0, cut_MeV / energy_MeV)
    # photons crowd near none and all of the energy, where the table is finest
    grid = scaled_bremsstrahlung().reduced_photon_energy
    reduced = np.unique(np.concatenate([np.linspace(0, highest, N_REDUCED), grid[grid <= highest]]))
    return float(energy_MeV * np.trapezoid(_scaled_cm2_g(material, energy_MeV, reduced, positron), reduced))


def _scaled_cm2_g(
    material: Material, energy_MeV: float, reduced: NDArray[np.float64], positron: bool
) -> NDArray[np.float64]:
    """Return k dσ/dk times the number of atoms per gram."""
    table = scaled_bremsstrahlung()
    squared_speed = 1 - 1 / (1 + energy_MeV / ELECTRON_MEV) ** 2
    total = np.zeros(len(reduced))
    for symbol, atoms in atoms_per_gram(material).items():
        z = element(symbol).atomic_number
        ratio = float(positron_ratio(z, energy_MeV)) if positron else 1.0
        row = _at_energy(z, energy_MeV)
        total += atoms * ratio * z**2 * np.interp(reduced, table.reduced_photon_energy, row)
    return total * CM2_PER_MILLIBARN / squared_speed


@lru_cache(maxsize=65_536)  # media share elements, and tables of one medium share energies
def _at_energy(atomic_number: int, energy_MeV: float) -> NDArray[np.float64]:
    return np.asarray(_in_energy(atomic_number)(np.log(energy_MeV)))


@cache
def _in_energy(atomic_number: int) -> PchipInterpolator:
    table = scaled_bremsstrahlung()
    return PchipInterpolator(np.log(table.electron_energy_MeV), table.scaled_mb[atomic_number - 1])
