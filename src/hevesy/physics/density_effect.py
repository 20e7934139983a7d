"""Density-effect correction to the stopping power, by Sternheimer's method for any medium."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from hevesy.core.material import Material
from hevesy.data.elements import element
from hevesy.physics.attenuation import ELECTRON_MEV
from hevesy.physics.materials import atoms_per_gram, electrons_per_gram, mean_excitation_energy_eV

#: plasma energy of one electron per Å³, eV: ħω = 37.13 √(n Å³)
PLASMA_EV = 37.1294
#: no electron of condensed matter is bound by less; with this, δ of tissues is ICRU's within 0.03
VALENCE_EV = 12.3
#: electrons of a free atom that are bound by less than this conduct in the metal
CONDUCTION_EV = 1.0
METALS = frozenset(["Al", "Cu", "Fe", "W", "Pb", "Ti", "Au", "Ag", "Sn", "Zn", "Cd", "Mg"])


def density_effect(material: Material, energy_MeV: ArrayLike) -> NDArray[np.float64]:
    """Return δ of an electron or positron of a kinetic energy, at the medium's own density.

    Every shell is an oscillator; their energies are stretched by one factor so that they reproduce the I-value
    (R. M. Sternheimer, M. J. Berger and S. M. Seltzer, At. Data Nucl. Data Tables 30 (1984) 261, eqs. 3 to 8).

    Parameters
    ----------
    material : Material
        The medium.
    energy_MeV : array_like
        Kinetic energies.

    Returns
    -------
    array
        δ, not negative, shaped as the energies.
    """
    strength, level, width = _oscillators(material)
    energy = np.asarray(energy_MeV, np.float64)
    gamma2 = (1 + energy / ELECTRON_MEV) ** 2
    flat = [_delta(strength, level, width, float(g)) for g in gamma2.ravel()]
    return np.reshape(flat, energy.shape)


def _delta(strength: NDArray[np.float64], level: NDArray[np.float64], width: NDArray[np.float64], g2: float) -> float:
    wanted = 1 / (g2 - 1)  # 1/β² − 1

    def excess(square: float) -> float:
        return float((strength / (level**2 + square)).sum()) - wanted

    lowest = 0.0 if (level > 0).all() else 1e-12
    if excess(lowest) <= 0:
        return 0.0
    square = brentq(excess, lowest, 10 / wanted, xtol=1e-14, rtol=1e-12)
    return max(0.0, float((strength * np.log1p(square / width**2)).sum()) - square / g2)


@lru_cache(maxsize=256)
def _oscillators_of(
    composition: tuple[tuple[str, float], ...], plasma_eV: float, excitation_eV: float, conducts: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    shells = [
        (share * n, eV)
        for symbol, share in composition
        for n, eV in zip(element(symbol).shell_electrons, element(symbol).shell_binding_eV, strict=True)
    ]
    strength, binding = np.array(shells, np.float64).T
    strength /= strength.sum()
    free = (binding < CONDUCTION_EV) if conducts else np.zeros(len(binding), bool)
    binding = np.where(free, 0.0, np.maximum(binding, VALENCE_EV))

    def widths(stretch: float) -> NDArray[np.float64]:
        bound = np.sqrt((stretch * binding / plasma_eV) ** 2 + 2 / 3 * strength)
        return np.where(free, math.sqrt(max(strength[free].sum(), 1e-12)), bound)

    def mismatch(stretch: float) -> float:
        return float((strength * np.log(plasma_eV * widths(stretch))).sum()) - math.log(excitation_eV)

    stretch = brentq(mismatch, 1e-6, 100.0)
    return strength, stretch * binding / plasma_eV, widths(stretch)


def _oscillators(material: Material) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return oscillator strengths, energies and damped energies, the last two in plasma energies."""
    per_A3 = electrons_per_gram(material) * material.density_kg_m3 * 1e-3 * 1e-24
    conducts = set(material.mass_fractions) <= METALS
    composition = tuple(atoms_per_gram(material).items())
    return _oscillators_of(composition, PLASMA_EV * math.sqrt(per_A3), mean_excitation_energy_eV(material), conducts)
