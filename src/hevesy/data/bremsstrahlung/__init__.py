"""Scaled bremsstrahlung cross-sections of Seltzer and Berger (1986)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class ScaledBremsstrahlung:
    """The table for the elements from hydrogen to uranium.

    Parameters
    ----------
    electron_energy_MeV : (n,) array
        Kinetic energies, 1 keV to 15 MeV.
    reduced_photon_energy : (m,) array
        Photon energy over electron energy, 0 to 1.
    scaled_mb : (92, n, m) array
        (β²/Z²) k dσ/dk, mb, electron–nucleus and electron–electron together.
    """

    electron_energy_MeV: NDArray[np.float64] = field(repr=False)
    reduced_photon_energy: NDArray[np.float64] = field(repr=False)
    scaled_mb: NDArray[np.float64] = field(repr=False)


@cache
def scaled_bremsstrahlung() -> ScaledBremsstrahlung:
    """Return the table."""
    with np.load(Path(__file__).parent / "bremsstrahlung.npz") as file:
        return ScaledBremsstrahlung(*(file[name].astype(np.float64) for name in ScaledBremsstrahlung.__slots__))
