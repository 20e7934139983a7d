"""Photons of nuclides in groups of energy: how media take them, against water."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hevesy.core import Nuclide
from hevesy.core.material import Material
from hevesy.physics.attenuation import (
    HIGHEST_MEV,
    mass_attenuation_cm2_g,
    mass_energy_transfer_cm2_g,
    mean_compton_electron_MeV,
)

Array = NDArray[np.float64]
J_PER_MEV = 1.602176634e-13
#: softer photons stop where they are born
LOWEST_MEV = 0.015
N_GROUPS = 8
#: bremsstrahlung stands for photons where there are no others, MeV
BREMSSTRAHLUNG_MEV = 0.1
#: a photon that arrives scattered was scattered this often
SCATTERS = 2


def photon_groups(nuclides: tuple[tuple[Nuclide, float], ...], medium: Material, water: Material) -> Array:
    """Return the photons of nuclides in groups of energy.

    Parameters
    ----------
    nuclides : tuple of (Nuclide, float)
        What emits, and its decays per decay of the parent.
    medium, water : Material
        The media to compare.

    Returns
    -------
    (g, 5) array
        Of each group: the energy that water takes near the source, J per decay and mm; water's energy transfer and
        attenuation coefficients at 1000 kg/m³, 1/mm; the energy transfer of the medium per mass over water's, as
        emitted and after `SCATTERS` Compton scatters.
    """
    emitted = [
        (e.energy_J / J_PER_MEV, e.energy_J * e.per_decay * share)
        for nuclide, share in nuclides
        for e in nuclide.emissions
        if e.kind.is_photon and LOWEST_MEV < e.energy_J / J_PER_MEV < HIGHEST_MEV
    ] or [(BREMSSTRAHLUNG_MEV, 1e-30)]
    energy, carried = np.array(emitted).T
    edges = np.geomspace(energy.min() * 0.999, energy.max() * 1.001, N_GROUPS + 1)
    group = np.digitize(energy, edges) - 1
    rows = []
    for g in np.unique(group):
        mine, weight = energy[group == g], carried[group == g]
        of_water = float(weight @ mass_energy_transfer_cm2_g(water, mine))
        of_medium = float(weight @ mass_energy_transfer_cm2_g(medium, mine))
        attenuation = float(weight @ mass_attenuation_cm2_g(water, mine, "incoherent", "photoelectric", "pair"))
        per_mm = 0.1 / weight.sum()
        after = _scattered(mine, water)
        softer = float(weight @ mass_energy_transfer_cm2_g(medium, after))
        softer /= float(weight @ mass_energy_transfer_cm2_g(water, after))
        rows.append((0.1 * of_water, per_mm * of_water, per_mm * attenuation, of_medium / of_water, softer))
    return np.array(rows)


def _scattered(energy_MeV: Array, water: Material) -> Array:
    """Return the mean energy that photons keep after `SCATTERS` Compton scatters."""
    for _ in range(SCATTERS):
        energy_MeV = energy_MeV - mean_compton_electron_MeV(water, energy_MeV)
    return energy_MeV
