"""Photon attenuation and energy absorption in a medium, 1 keV to 10 MeV, from the cross-sections of its elements."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hevesy.core.material import Material
from hevesy.data.elements import ABOVE_EDGE, element
from hevesy.data.photons import (
    PROCESSES,
    cross_section_points,
    form_factor,
    momentum_transfer_per_angstrom,
    scattering_function,
)
from hevesy.errors import BadInput, UnknownName
from hevesy.physics.materials import CM2_PER_BARN, atoms_per_gram

#: energies that the tables cover
LOWEST_MEV, HIGHEST_MEV = 1e-3, 10.0
#: rest energy of the electron (CODATA 2018)
ELECTRON_MEV = 0.51099895
#: classical electron radius squared, cm²
ELECTRON_RADIUS2_CM2 = 7.940787e-26
#: h c, keV Å: x = sin(θ/2) E / 12.398
HC_KEV_ANGSTROM = 12.398420


def mass_attenuation_cm2_g(material: Material, energy_MeV: ArrayLike, *processes: str) -> NDArray[np.float64]:
    """Return the mass attenuation coefficient μ/ρ.

    Parameters
    ----------
    material : Material
        The medium.
    energy_MeV : array_like
        Photon energies, 1 keV to 10 MeV.
    *processes : str
        Of ``hevesy.data.photons.PROCESSES``; all (with coherent scattering) if none is given.

    Returns
    -------
    array
        cm²/g, shaped as the energies; log-log between the tabulated points, an edge belongs to the energy above it.

    Raises
    ------
    BadInput
        If an energy lies outside the tables.
    UnknownName
        If there is no such process.
    """
    energy = _within(energy_MeV)
    unknown = set(processes) - set(PROCESSES)
    if unknown:
        raise UnknownName(f"There is no photon process {sorted(unknown)}.", f"Known are: {', '.join(PROCESSES)}.")
    total = np.zeros(energy.shape)
    for symbol, atoms in atoms_per_gram(material).items():
        for process in processes or PROCESSES:
            total += atoms * CM2_PER_BARN * atomic_cross_section_barn(symbol, energy, process)
    return total


def atomic_cross_section_barn(symbol: str, energy_MeV: ArrayLike, process: str) -> NDArray[np.float64]:
    """Return the cross-section of one process, barn per atom, at photon energies (MeV); 0 below a threshold."""
    log_energy, log_barn = cross_section_points(element(symbol).atomic_number, process)
    # an edge's energy was rounded to 32 bits in the table, so that the grid's first point may lie above 1 keV
    log_asked = np.log(np.asarray(energy_MeV, np.float64))
    barn = np.exp(np.interp(log_asked, log_energy, log_barn))
    return np.where(log_asked < log_energy[0] - 1e-5, 0.0, barn)


def linear_attenuation_per_mm(material: Material, energy_MeV: ArrayLike) -> NDArray[np.float64]:
    """Return the linear attenuation coefficient μ at the medium's own density, 1/mm."""
    density_g_mm3 = material.density_kg_m3 * 1e-6
    return mass_attenuation_cm2_g(material, energy_MeV) * 100.0 * density_g_mm3


def scattering_per_electron(material: Material) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return S(x) of a medium over its number of electrons, from 0 to 1, and its grid of x (1/Å)."""
    atoms = atoms_per_gram(material)
    numbers = {symbol: element(symbol).atomic_number for symbol in atoms}
    electrons = sum(n * numbers[symbol] for symbol, n in atoms.items())
    scattering = sum(n * scattering_function(numbers[symbol]) for symbol, n in atoms.items())
    return momentum_transfer_per_angstrom(), np.asarray(scattering / electrons)


def squared_form_factor_per_gram(material: Material) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sum of F²(x) over the atoms in a gram (without interference), and its grid of x (1/Å)."""
    total = sum(n * form_factor(element(symbol).atomic_number) ** 2 for symbol, n in atoms_per_gram(material).items())
    return momentum_transfer_per_angstrom(), np.asarray(total)


def mean_compton_electron_MeV(material: Material, energy_MeV: ArrayLike) -> NDArray[np.float64]:
    """Return the mean energy of the electron set free by a Compton scatter (Klein–Nishina times S), MeV."""
    energy = np.atleast_1d(_within(energy_MeV))
    nodes, weights = np.polynomial.legendre.leggauss(200)
    # nodes crowd forwards, where S cuts off: 1 − cos θ = 2 u² with u from 0 to 1
    u = (nodes + 1) / 2
    versine = 2 * u**2
    jacobian = weights * u
    k = energy[:, None] / ELECTRON_MEV
    ratio = 1 / (1 + k * versine)
    klein_nishina = ratio**2 * (ratio + 1 / ratio - versine * (2 - versine))
    x = np.sqrt(versine / 2) * energy[:, None] * 1e3 / HC_KEV_ANGSTROM
    bound = klein_nishina * np.interp(x, *scattering_per_electron(material)) * jacobian
    transferred = energy * (bound * (1 - ratio)).sum(1) / bound.sum(1)
    return np.asarray(transferred.reshape(np.shape(energy_MeV)))


def mass_energy_transfer_cm2_g(material: Material, energy_MeV: ArrayLike) -> NDArray[np.float64]:
    """Return the mass energy-transfer coefficient μ_tr/ρ, cm²/g.

    The share of the photon's energy that becomes kinetic energy of electrons: after photoabsorption all but the
    X rays of K and L shells, after a Compton scatter the mean of the recoil electron, after pair or triplet
    production all but 2mc² (ICRU Report 85, 4.2.2; J. H. Hubbell, Int. J. Appl. Radiat. Isot. 33 (1982) 1269, eq. 6).
    """
    energy = _within(energy_MeV)
    compton = mass_attenuation_cm2_g(material, energy, "incoherent")
    pair = mass_attenuation_cm2_g(material, energy, "pair", "triplet")
    total = compton * mean_compton_electron_MeV(material, energy) / energy
    total += pair * np.maximum(1 - 2 * ELECTRON_MEV / energy, 0.0)
    for symbol, atoms in atoms_per_gram(material).items():
        absorbed = atoms * CM2_PER_BARN * atomic_cross_section_barn(symbol, energy, "photoelectric")
        total += absorbed * (1 - fluorescence_MeV(symbol, energy) / energy)
    return total


def shell_probabilities(symbol: str, energy_MeV: ArrayLike) -> NDArray[np.float64]:
    """Return the probability that a photoabsorption empties each inner shell of an element, (shells, ...) array."""
    energy = np.asarray(energy_MeV, np.float64)
    left = np.ones(energy.shape)
    rows = []
    for shell in element(symbol).inner_shells:
        share = np.interp(np.log(energy / shell.edge_MeV), np.log(ABOVE_EDGE), shell.share)
        taken = left * np.where(energy >= shell.edge_MeV, share, 0.0)
        left = left - taken
        rows.append(taken)
    return np.array(rows).reshape(-1, *energy.shape)


def fluorescence_MeV(symbol: str, energy_MeV: ArrayLike) -> NDArray[np.float64]:
    """Return the mean energy of K and L X rays that follow a photoabsorption in an element, MeV."""
    energy = np.asarray(energy_MeV, np.float64)
    total = np.zeros(energy.shape)
    for shell, probability in zip(element(symbol).inner_shells, shell_probabilities(symbol, energy), strict=True):
        total += probability * shell.fluorescence_yield * float(shell.line_MeV @ shell.line_probability)
    return total


def _within(energy_MeV: ArrayLike) -> NDArray[np.float64]:
    energy = np.asarray(energy_MeV, np.float64)
    if energy.size and not (energy.min() >= LOWEST_MEV * (1 - 1e-9) and energy.max() <= HIGHEST_MEV * (1 + 1e-9)):
        raise BadInput(
            f"Photon energies must lie between 1 keV and 10 MeV, not {energy.min():g} to {energy.max():g} MeV."
        )
    return energy
