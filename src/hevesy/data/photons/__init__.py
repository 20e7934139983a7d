"""Photon cross-sections of the elements (XCOM), form factors and scattering functions (Hubbell et al.)."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

#: processes with a cross-section of their own
PROCESSES = ("photoelectric", "incoherent", "coherent", "pair", "triplet")


@cache
def _tables() -> dict[str, NDArray[np.float64]]:
    with np.load(Path(__file__).parent / "photons.npz") as file:
        return {
            name: file[name].astype(np.int64 if name.endswith("_start") else np.float64, copy=False)
            for name in file.files
        }


def cross_section_points(atomic_number: int, process: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the tabulated points of one process: ln(E/MeV), rising, and ln(σ/barn per atom).

    An energy that occurs twice is an absorption edge: first the value below, then that above.
    Pair and triplet production begin at their thresholds.
    """
    tables = _tables()
    start = tables[f"{process}_start"]
    part = slice(int(start[atomic_number - 1]), int(start[atomic_number]))
    return tables[f"{process}_log_energy_MeV"][part], tables[f"{process}_log_barn"][part]


def momentum_transfer_per_angstrom() -> NDArray[np.float64]:
    """Return the grid of x = sin(θ/2)/λ, 1/Å, from 0, of `form_factor` and `scattering_function`."""
    return _tables()["momentum_transfer_per_angstrom"]


def form_factor(atomic_number: int) -> NDArray[np.float64]:
    """Return the atomic form factor F(x), from Z at x = 0, on `momentum_transfer_per_angstrom`."""
    return np.asarray(_tables()["form_factor"][atomic_number - 1])


def scattering_function(atomic_number: int) -> NDArray[np.float64]:
    """Return the incoherent scattering function S(x), from 0 to Z, on `momentum_transfer_per_angstrom`."""
    return np.asarray(_tables()["scattering_function"][atomic_number - 1])
