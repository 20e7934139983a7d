"""Build the bremsstrahlung table of the package; run by hand when a source changes, never by a user.

    python tools/build_bremsstrahlung.py FILE

FILE holds the cross-sections of Seltzer and Berger: a title, the numbers of electron energies and of reduced photon
energies, both grids, a title, then for each element from hydrogen on and each reduced photon energy the scaled
cross-section (β²/Z²) k dσ/dk in mb at every electron energy.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import numpy as np

TARGET = Path(__file__).parents[1] / "src" / "hevesy" / "data" / "bremsstrahlung" / "bremsstrahlung.npz"
HIGHEST_Z = 92
HIGHEST_MEV = 15.0


def main() -> None:
    """Write the table and print its checksum, which belongs in the README."""
    lines = Path(sys.argv[1]).read_text().splitlines()
    n_energies, n_photons = map(int, lines[1].split())
    second = next(i for i, line in enumerate(lines[1:], 1) if line[:1].isalpha())
    grids = np.array(" ".join(lines[2:second]).split(), float)
    energy, reduced = grids[:n_energies], grids[n_energies:]
    scaled = np.array(" ".join(lines[second + 1 :]).split(), float).reshape(-1, n_photons, n_energies)
    kept = energy <= HIGHEST_MEV
    np.savez_compressed(
        TARGET,
        electron_energy_MeV=energy[kept],
        reduced_photon_energy=reduced,
        scaled_mb=scaled[:HIGHEST_Z, :, kept].transpose(0, 2, 1).astype(np.float32),
    )
    print(hashlib.sha256(TARGET.read_bytes()).hexdigest(), TARGET.stat().st_size, TARGET.name)


if __name__ == "__main__":
    main()
