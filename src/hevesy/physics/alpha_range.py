"""Stopping power and range of alpha particles in the continuous-slowing-down approximation."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hevesy.core.material import Material
from hevesy.data.elements import element, helium_stopping
from hevesy.physics.attenuation import ELECTRON_MEV, ELECTRON_RADIUS2_CM2
from hevesy.physics.elastic import FINE_STRUCTURE
from hevesy.physics.materials import atoms_per_gram, electrons_per_gram, mean_excitation_energy_eV

Array = NDArray[np.float64]

#: rest energy of the alpha particle, MeV (CODATA 2018)
ALPHA_MEV = 3727.3794066
#: its mass, u
ALPHA_U = 4.00150618
CHARGE = 2
#: Bethe's formula takes over where the greatest energy given to an electron exceeds the I-value so many times
BETHE_FROM = 16.0
#: the coefficients of slow ions hold to this energy, MeV
FIT_MEV = 8.0
#: ranges start here, MeV; below, the stopping power goes with the speed
LOWEST_MEV = 1e-3
STEPS_PER_FOLD = 200
#: terms of Bloch's sum
_TERMS = np.arange(1, 200)[:, None]


def alpha_stopping_power_MeV_cm2_g(material: Material, energy_MeV: ArrayLike) -> Array:
    """Return the mass stopping power of alpha particles, by electrons and by nuclei.

    Fast ones: Bethe's formula with Bloch's correction and the medium's own I-value. Slow ones: the elements' fitted
    cross-sections added by mass (Bragg's rule), scaled to join it.

    Parameters
    ----------
    material : Material
        The medium.
    energy_MeV : array_like
        Kinetic energies, 1 keV to 20 MeV.

    Returns
    -------
    array
        MeV cm²/g, shaped as the energies.

    References
    ----------
    ICRU Report 49 (1993), chapters 2 to 4; F. Bloch, Ann. Phys. 408 (1933) 285; J. F. Ziegler, Helium: Stopping Powers
    and Ranges in All Elemental Matter (Pergamon 1977).
    """
    energy = np.asarray(energy_MeV, np.float64)
    return _by_electrons_MeV_cm2_g(material, energy) + _by_nuclei_MeV_cm2_g(material, energy)


def alpha_range_g_cm2(material: Material, energy_MeV: ArrayLike) -> Array:
    """Return the range of alpha particles, the integral of the reciprocal stopping power, g/cm².

    Parameters
    ----------
    material : Material
        The medium.
    energy_MeV : array_like
        Kinetic energies, 0 to 20 MeV.
    """
    wanted = np.asarray(energy_MeV, np.float64)
    top = max(float(wanted.max(initial=LOWEST_MEV)), 2 * LOWEST_MEV)
    logs = np.linspace(np.log(LOWEST_MEV), np.log(top), int(np.log(top / LOWEST_MEV) * STEPS_PER_FOLD) + 3)
    energy = np.exp(logs)
    slowness = energy / alpha_stopping_power_MeV_cm2_g(material, energy)
    steps = (slowness[1:] + slowness[:-1]) / 2 * np.diff(logs)
    ranges = 2 * slowness[0] + np.concatenate([[0.0], np.cumsum(steps)])
    inside = np.exp(np.interp(np.log(np.maximum(wanted, LOWEST_MEV)), logs, np.log(ranges)))
    return np.asarray(np.where(wanted < LOWEST_MEV, ranges[0] * np.sqrt(wanted / LOWEST_MEV), inside))


def _squared_speed(energy_MeV: Array) -> Array:
    return np.asarray(1 - 1 / (1 + energy_MeV / ALPHA_MEV) ** 2)


def _joining_MeV(material: Material) -> float:
    """Return the energy at which 2mc²β²γ² is `BETHE_FROM` times the I-value."""
    momentum2 = BETHE_FROM * mean_excitation_energy_eV(material) * 1e-6 / (2 * ELECTRON_MEV)
    return float(ALPHA_MEV * (np.sqrt(1 + momentum2) - 1))


def _by_electrons_MeV_cm2_g(material: Material, energy: Array) -> Array:
    join = _joining_MeV(material)
    if join > FIT_MEV:
        return _slow_MeV_cm2_g(material, energy)
    scale = float(_fast_MeV_cm2_g(material, np.array(join)) / _slow_MeV_cm2_g(material, np.array(join)))
    fast = _fast_MeV_cm2_g(material, np.maximum(energy, join))
    return np.asarray(np.where(energy > join, fast, scale * _slow_MeV_cm2_g(material, energy)))


def _by_nuclei_MeV_cm2_g(material: Material, energy_MeV: Array) -> Array:
    """Sum the universal function of the reduced energy ε over the elements (Ziegler 1977)."""
    total = np.zeros(energy_MeV.shape)
    for symbol, atoms in atoms_per_gram(material).items():
        target = element(symbol)
        screening = np.sqrt(CHARGE ** (2 / 3) + target.atomic_number ** (2 / 3))
        size = (ALPHA_U + target.atomic_mass_u) * screening
        reduced = 32.53 * target.atomic_mass_u * 1e3 * energy_MeV / (CHARGE * target.atomic_number * size)
        middle = 1.7 * np.sqrt(reduced) * np.log(reduced + np.e) / (1 + 6.8 * reduced + 3.4 * reduced**1.5)
        shape = np.where(reduced < 10, middle, np.log(0.47 * np.maximum(reduced, 10)) / (2 * reduced))
        shape = np.where(reduced < 0.01, 1.593 * np.sqrt(reduced), shape)
        # 10⁻¹⁵ eV cm² → MeV cm²
        total += atoms * 1e-21 * 8.462 * CHARGE * target.atomic_number * ALPHA_U / size * shape
    return total


def _slow_MeV_cm2_g(material: Material, energy_MeV: Array) -> Array:
    total = np.zeros(energy_MeV.shape)
    for symbol, atoms in atoms_per_gram(material).items():
        a1, a2, a3, a4, a5 = helium_stopping()[symbol]
        low = a1 * (1e3 * energy_MeV) ** a2
        high = a3 / energy_MeV * np.log(1 + a4 / energy_MeV + a5 * energy_MeV)
        # 10⁻¹⁵ eV cm² → MeV cm²
        total += atoms * 1e-21 * low * high / (low + high)
    return total


def _fast_MeV_cm2_g(material: Material, energy_MeV: Array) -> Array:
    speed2 = _squared_speed(energy_MeV)
    excitation = mean_excitation_energy_eV(material) * 1e-6
    strength2 = (CHARGE * FINE_STRUCTURE) ** 2 / speed2
    bloch = -strength2 * (1 / (_TERMS * (_TERMS**2 + np.ravel(strength2)))).sum(axis=0).reshape(speed2.shape)
    number = np.log(2 * ELECTRON_MEV * speed2 / (1 - speed2) / excitation) - speed2 + bloch
    prefactor = 4 * np.pi * ELECTRON_RADIUS2_CM2 * ELECTRON_MEV * electrons_per_gram(material) * CHARGE**2
    return np.asarray(prefactor / speed2 * number)
