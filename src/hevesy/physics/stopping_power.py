"""Stopping power and range of electrons and positrons (ICRU Report 37) from 1 keV up."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hevesy.core.material import Material
from hevesy.physics.attenuation import ELECTRON_MEV, ELECTRON_RADIUS2_CM2
from hevesy.physics.bremsstrahlung import radiative_stopping_power_MeV_cm2_g
from hevesy.physics.density_effect import density_effect
from hevesy.physics.materials import electrons_per_gram, mean_excitation_energy_eV

#: Bethe's formula is not used below this; ranges start here
LOWEST_MEV = 1e-3
#: steps of the range integral in each e-fold of energy
STEPS_PER_FOLD = 60


def collision_stopping_power_MeV_cm2_g(
    material: Material, energy_MeV: ArrayLike, cut_MeV: float | None = None, positron: bool = False
) -> NDArray[np.float64]:
    """Return the mass collision stopping power.

    Parameters
    ----------
    material : Material
        The medium, at its own density (which enters by the density effect).
    energy_MeV : array_like
        Kinetic energies, from 1 keV.
    cut_MeV : float, optional
        Only losses below this are counted (restricted stopping power); all if absent.
    positron : bool
        Bhabha scattering in place of Møller's.

    Returns
    -------
    array
        MeV cm²/g, shaped as the energies.

    References
    ----------
    ICRU Report 37 (1984), eqs. 2.10 to 2.14, and for restricted losses F. Rohrlich and B. C. Carlson,
    Phys. Rev. 93 (1954) 38.
    """
    energy = np.asarray(energy_MeV, np.float64)
    tau = energy / ELECTRON_MEV
    excitation = mean_excitation_energy_eV(material) * 1e-6 / ELECTRON_MEV
    losses = _positron_losses if positron else _electron_losses
    largest = tau if positron else tau / 2
    cut = largest if cut_MeV is None else np.minimum(largest, cut_MeV / ELECTRON_MEV)
    number = np.log(2 * (tau + 2) / excitation**2) + losses(tau, cut) - density_effect(material, energy)
    return np.asarray(_prefactor(material) / beta2(energy) * number)


def beta2(energy_MeV: ArrayLike) -> NDArray[np.float64]:
    """Return the squared speed, in units of c², of an electron of a kinetic energy."""
    tau = np.asarray(energy_MeV, np.float64) / ELECTRON_MEV
    return np.asarray(tau * (tau + 2) / (tau + 1) ** 2)


def stopping_power_MeV_cm2_g(material: Material, energy_MeV: ArrayLike, positron: bool = False) -> NDArray[np.float64]:
    """Return the total mass stopping power, collisions and bremsstrahlung, MeV cm²/g."""
    collisions = collision_stopping_power_MeV_cm2_g(material, energy_MeV, positron=positron)
    return collisions + radiative_stopping_power_MeV_cm2_g(material, energy_MeV, positron=positron)


def csda_range_g_cm2(material: Material, energy_MeV: ArrayLike, positron: bool = False) -> NDArray[np.float64]:
    """Return the range in the continuous-slowing-down approximation, g/cm².

    Below 1 keV the stopping power is taken to go on rising as 1/E, so that the range goes with E², as ranges of slow
    electrons nearly do.
    """
    wanted = np.asarray(energy_MeV, np.float64)
    logs, ranges = _ranges(material, max(float(wanted.max(initial=LOWEST_MEV)), 2 * LOWEST_MEV), positron)
    below = ranges[0] * np.minimum(wanted / LOWEST_MEV, 1.0) ** 2
    inside = np.exp(np.interp(np.log(np.maximum(wanted, LOWEST_MEV)), logs, np.log(ranges)))
    return np.asarray(np.where(wanted < LOWEST_MEV, below, inside))


@lru_cache(maxsize=256)
def _ranges(material: Material, top_MeV: float, positron: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return logarithms of energies (MeV) up to the highest, and the ranges there, g/cm²."""
    folds = np.log(top_MeV / LOWEST_MEV)
    logs = np.linspace(np.log(LOWEST_MEV), np.log(top_MeV), int(folds * STEPS_PER_FOLD) + 3)
    energy = np.exp(logs)
    slowness = energy / stopping_power_MeV_cm2_g(material, energy, positron)
    steps = (slowness[1:] + slowness[:-1]) / 2 * np.diff(logs)
    return logs, slowness[0] / 2 + np.concatenate([[0.0], np.cumsum(steps)])


def radiation_yield(material: Material, energy_MeV: ArrayLike) -> NDArray[np.float64]:
    """Return the share of an electron's energy that becomes bremsstrahlung as it stops."""
    wanted = np.asarray(energy_MeV, np.float64)
    energy = np.geomspace(LOWEST_MEV, max(float(wanted.max()), 2 * LOWEST_MEV), 400)
    share = radiative_stopping_power_MeV_cm2_g(material, energy) / stopping_power_MeV_cm2_g(material, energy)
    radiated = np.concatenate([[0.0], np.cumsum((share[1:] + share[:-1]) / 2 * np.diff(energy))])
    return np.asarray(np.interp(wanted, energy, radiated / energy))


def knock_on_cm2_g(
    material: Material, energy_MeV: ArrayLike, cut_MeV: float, positron: bool = False
) -> NDArray[np.float64]:
    """Return the inverse mean free path of collisions that knock on an electron of more than `cut_MeV`, cm²/g.

    Free electrons at rest: Møller's cross-section to half the energy, Bhabha's to all of it.
    """
    tau = np.asarray(energy_MeV, np.float64) / ELECTRON_MEV
    cut = cut_MeV / ELECTRON_MEV
    number = _bhabha_number(tau, cut) if positron else _moller_number(tau, cut)
    largest = tau if positron else tau / 2
    rate = _prefactor(material) / ELECTRON_MEV / beta2(np.asarray(energy_MeV)) * number
    return np.asarray(np.where(largest > cut, rate, 0.0))


def _prefactor(material: Material) -> float:
    """2π r² mc² n, MeV cm²/g."""
    return float(2 * np.pi * ELECTRON_RADIUS2_CM2 * ELECTRON_MEV * electrons_per_gram(material))


def _electron_losses(tau: NDArray[np.float64], cut: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(
        -1
        - tau * (tau + 2) / (tau + 1) ** 2
        + np.log((tau - cut) * cut)
        + tau / (tau - cut)
        + (cut**2 / 2 + (2 * tau + 1) * np.log1p(-cut / tau)) / (tau + 1) ** 2
    )


def _positron_losses(tau: NDArray[np.float64], cut: NDArray[np.float64]) -> NDArray[np.float64]:
    y = 1 / (tau + 2)
    series = tau + 2 * cut - 1.5 * cut**2 * y - (cut - cut**3 / 3) * y**2
    series = series - (cut**2 / 2 - tau * cut**3 / 3 + cut**4 / 4) * y**3
    return np.asarray(np.log(tau * cut) - (tau + 2) / (tau + 1) ** 2 * series)


def _moller_number(tau: NDArray[np.float64], cut: float) -> NDArray[np.float64]:
    """Integrate Møller's cross-section over losses (in mc²) from the cut to half the energy."""
    share = np.minimum(cut / tau, 0.5)
    constant = (2 * tau + 1) / (tau + 1) ** 2
    number = 1 / share - 1 / (1 - share) + (tau / (tau + 1)) ** 2 * (0.5 - share)
    return np.asarray((number + constant * np.log(share / (1 - share))) / tau)


def _bhabha_number(tau: NDArray[np.float64], cut: float) -> NDArray[np.float64]:
    """Integrate Bhabha's cross-section over losses (in mc²) from the cut to the whole energy."""
    share = np.minimum(cut / tau, 1.0)
    b1, b2, b3, b4 = _bhabha_coefficients(tau)
    squared_speed = tau * (tau + 2) / (tau + 1) ** 2
    number = (1 / share - 1) + squared_speed * (
        b1 * np.log(share) + b2 * (1 - share) - b3 * (1 - share**2) / 2 + b4 * (1 - share**3) / 3
    )
    return np.asarray(number / tau)


def _bhabha_coefficients(tau: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """B1 to B4 of Bhabha's cross-section (1/ε² − B1 β²/ε + …), ε the loss over the energy."""
    y = 1 / (tau + 2)
    turn = 1 - 2 * y
    b4 = turn**3
    return 2 - y**2, turn * (3 + y**2), turn**2 + b4, b4
