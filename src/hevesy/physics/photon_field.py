"""Photons of nuclides in groups of energy: how a medium takes them against water, as emitted and once scattered."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hevesy.core import Nuclide
from hevesy.core.material import Material
from hevesy.physics.attenuation import (
    ELECTRON_MEV,
    HIGHEST_MEV,
    mass_attenuation_cm2_g,
    mass_energy_transfer_cm2_g,
)
from hevesy.physics.stopping_power import radiation_yield

Array = NDArray[np.float64]
J_PER_MEV = 1.602176634e-13
#: softer photons stop where they are born
LOWEST_MEV = 0.015
N_GROUPS = 8
#: energies at which coefficients are tabulated, and angles of a scatter
N_ENERGIES, N_ANGLES = 90, 64
#: the chance that a photon which has scattered does so again before it is far from where its dose is asked for:
#: doses to bone and behind it are those of Monte Carlo with 0.6 to 0.75, for photons of 0.1 to 0.4 MeV
AGAIN = 0.7
#: at this energy of a beta particle media are compared by the bremsstrahlung that they make of it
BETA_MEV = 1.0
#: 1/mm at 1000 kg/m³ for 1 cm²/g
PER_MM = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class PhotonField:
    """How a medium takes photons against water, by the energy of their emission.

    Parameters
    ----------
    water : Material
        What the medium is compared with.
    energy_MeV : (n,) array
        Energies of emission, even in the logarithm.
    transfer, attenuation : (n,) array
        Water's energy transfer, and its attenuation without coherent scatter, 1/mm at 1000 kg/m³.
    excess, ratio : (n,) array
        The medium's attenuation less water's (1/mm), and its energy transfer over water's, as emitted.
    later_excess, later_ratio : (n,) array
        The medium's energy transfer less and over water's for the photons that scattering makes of these in water.
    radiates : float
        How much more bremsstrahlung a beta particle makes in the medium than in water, relative.
    """

    water: Material
    energy_MeV: Array
    transfer: Array = field(repr=False)
    attenuation: Array = field(repr=False)
    excess: Array = field(repr=False)
    ratio: Array = field(repr=False)
    later_excess: Array = field(repr=False)
    later_ratio: Array = field(repr=False)
    radiates: float

    @classmethod
    def of(cls, medium: Material, water: Material) -> PhotonField:
        """Tabulate it."""
        energy = np.geomspace(LOWEST_MEV, 0.99 * HIGHEST_MEV, N_ENERGIES)
        transfer, other = (PER_MM * mass_energy_transfer_cm2_g(m, energy) for m in (water, medium))
        attenuation, stopped = (
            PER_MM * mass_attenuation_cm2_g(m, energy, "incoherent", "photoelectric", "pair") for m in (water, medium)
        )
        scattering = PER_MM * mass_attenuation_cm2_g(water, energy, "incoherent") / attenuation
        taken = scattered_photons(energy, scattering) / attenuation * energy * transfer
        taken /= taken.sum(axis=1, keepdims=True)
        ratio = other / transfer
        later = taken @ (other - transfer), taken @ ratio
        radiates = float(radiation_yield(medium, BETA_MEV) / radiation_yield(water, BETA_MEV)) - 1
        return cls(water, energy, transfer, attenuation, stopped - attenuation, ratio, *later, radiates)

    def groups(self, nuclides: tuple[tuple[Nuclide, float], ...]) -> Array:
        """Return the photons of nuclides in groups of energy.

        Parameters
        ----------
        nuclides : tuple of (Nuclide, float)
            What emits, and its decays per decay of the parent.

        Returns
        -------
        (g, 8) array
            Of each group: the energy that water takes near the source, J per decay and mm; then the columns of this
            table, from `transfer` on, averaged with it as weight, and how much more the medium emits.
        """
        lines = _lines(nuclides)
        energy, carried = np.concatenate([_bremsstrahlung(nuclides, self.water), lines], axis=1)
        at = np.log(energy)
        rows = (self.transfer, self.attenuation, self.excess, self.ratio, self.later_excess, self.later_ratio)
        more = np.where(np.arange(len(energy)) < len(energy) - lines.shape[1], self.radiates, 0.0)
        columns = np.array([*(np.interp(at, np.log(self.energy_MeV), row) for row in rows), more])
        taken = carried * columns[0]
        edges = np.geomspace(energy.min() * 0.999, energy.max() * 1.001, N_GROUPS + 1)
        group = np.digitize(energy, edges) - 1
        members = [group == g for g in np.unique(group)]
        return np.array([[taken[m].sum(), *(columns[:, m] @ taken[m] / taken[m].sum())] for m in members])


def scattered_photons(energy_MeV: Array, survival: Array, again: float = AGAIN) -> Array:
    """Return how many photons of each energy scattering makes of one of each energy.

    Klein–Nishina scatters one after another until photoabsorption, or until the photon is too far away to matter.

    Parameters
    ----------
    energy_MeV : (n,) array
        Energies, even in the logarithm; what falls below the first is counted there.
    survival : (n,) array
        The chance that a photon's next interaction is a scatter.
    again : float
        The chance that a scattered photon still matters; 1 in an infinite medium.

    Returns
    -------
    (n, n) array
        Row: energy of emission; column: energy after one scatter or more.
    """
    count = len(energy_MeV)
    nodes, weights = np.polynomial.legendre.leggauss(N_ANGLES)
    versine = 1 - nodes
    kept = 1 / (1 + energy_MeV[:, None] / ELECTRON_MEV * versine)
    chance = weights * kept**2 * (kept + 1 / kept - versine * (2 - versine))
    chance /= chance.sum(axis=1, keepdims=True)
    step = np.log(energy_MeV[1] / energy_MeV[0])
    place = np.maximum(np.arange(count)[:, None] + np.log(kept) / step, 0.0)
    low = np.minimum(place.astype(int), count - 2)
    once = np.zeros((count, count))
    row = np.broadcast_to(np.arange(count)[:, None], low.shape)
    np.add.at(once, (row, low), chance * (low + 1 - place))
    np.add.at(once, (row, low + 1), chance * (place - low))
    once *= np.minimum(survival, 0.9999)[:, None]
    return np.asarray(np.linalg.solve(np.eye(count) - again * once, once))


def _lines(nuclides: tuple[tuple[Nuclide, float], ...]) -> Array:
    """Return energies (MeV) of gamma and X rays, and what they carry, J per decay, (2, n) array."""
    lines = [
        (e.energy_J / J_PER_MEV, e.energy_J * e.per_decay * share)
        for nuclide, share in nuclides
        for e in nuclide.emissions
        if e.kind.is_photon and LOWEST_MEV < e.energy_J / J_PER_MEV < HIGHEST_MEV
    ]
    return np.array(lines).reshape(-1, 2).T


def _bremsstrahlung(nuclides: tuple[tuple[Nuclide, float], ...], water: Material) -> Array:
    """Return energies (MeV) of bremsstrahlung, and what it carries, J per decay, (2, n) array.

    Kramers' law for a thick target: a beta particle of energy T leaves I(k) ∝ T − k.
    """
    photon = np.geomspace(1.01 * LOWEST_MEV, 3.0, 60)
    carried = np.full(len(photon), 1e-40)
    for nuclide, share in nuclides:
        for spectrum in nuclide.beta_spectra.values():
            energy = spectrum.energy_J / J_PER_MEV
            number = share * spectrum.density * np.gradient(spectrum.energy_J)
            left = np.maximum(energy[:, None] - photon, 0.0) / np.maximum(energy, 1e-6)[:, None] ** 2
            radiated = number * spectrum.energy_J * radiation_yield(water, energy)
            carried += radiated @ (2 * left) * np.gradient(photon)
    return np.array([photon, carried])
