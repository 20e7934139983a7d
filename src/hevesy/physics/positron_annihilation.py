"""Annihilation of positrons in flight with free electrons at rest, in two photons."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hevesy.core.material import Material
from hevesy.physics.attenuation import ELECTRON_MEV, ELECTRON_RADIUS2_CM2
from hevesy.physics.materials import electrons_per_gram


def annihilation_cm2_g(material: Material, energy_MeV: ArrayLike) -> NDArray[np.float64]:
    """Return the inverse mean free path of a positron to its annihilation in flight.

    Parameters
    ----------
    material : Material
        The medium.
    energy_MeV : array_like
        Kinetic energies, above 0.

    Returns
    -------
    array
        cm²/g, shaped as the energies.

    References
    ----------
    W. Heitler, The Quantum Theory of Radiation, 3rd ed. (Oxford 1954), section 27, eq. 6.
    """
    gamma = 1 + np.asarray(energy_MeV, np.float64) / ELECTRON_MEV
    momentum = np.sqrt(gamma**2 - 1)
    bracket = (gamma**2 + 4 * gamma + 1) * np.log(gamma + momentum) - (3 + gamma) * momentum
    each = np.pi * ELECTRON_RADIUS2_CM2 / ((gamma + 1) * momentum**2) * bracket
    return np.asarray(electrons_per_gram(material) * each)
