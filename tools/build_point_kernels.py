"""Build the dose-point kernels of the package with its own transport; a minute per nuclide, by hand.

    python tools/build_point_kernels.py [--medium water] [--histories 1000000] [--seed 1] [NUCLIDE ...]

Nuclides named replace or join those in the table; without any, all of `NUCLIDES` are made.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from pathlib import Path

import numpy as np

from hevesy import __version__
from hevesy.core.point_kernel import PointKernel
from hevesy.data import point_kernels
from hevesy.data.materials import material
from hevesy.data.nuclides import nuclide
from hevesy.stages.dosimetry.point_source import Effort, make_point_kernel

FOLDER = Path(point_kernels.__file__).parent
# parents, then the daughters of their chains
NUCLIDES = """
Lu-177 Y-90 I-131 Tb-161 Re-188 Ho-166 Cu-67 Sm-153 F-18 Ga-68 Cu-64 Zr-89 Tc-99m In-111 I-123 I-124 At-211 Pb-212
Ac-225 Ra-223 Re-186 Sr-89 P-32 Er-169
Y-89m Xe-131m Fr-221 At-217 Bi-213 Po-213 Tl-209 Pb-209 Rn-219 Po-215 Pb-211 Bi-211 Tl-207 Po-211 Bi-212 Po-212 Tl-208
"""


def save(path: Path, kernels: dict[str, PointKernel], effort: Effort) -> None:
    """Write all kernels of one medium as 32-bit numbers."""
    first = next(iter(kernels.values()))
    np.savez_compressed(
        path,
        nuclide=np.array(list(kernels)),
        density_kg_m3=first.density_kg_m3,
        radius_mm=first.radius_mm,
        charged_J=np.array([k.charged_J for k in kernels.values()], np.float32),
        photons_J=np.array([k.photons_J for k in kernels.values()], np.float32),
        beyond_J=np.array([k.beyond_J for k in kernels.values()]),
        u_relative=np.array([k.u_relative for k in kernels.values()]),
        source=f"hevesy {__version__} transport, {effort.histories} histories each of electrons and photons; ICRP 107",
    )


def main() -> None:
    """Make the kernels, saving after each, and print the checksum, which belongs in the README."""
    parser = argparse.ArgumentParser()
    parser.add_argument("nuclides", nargs="*")
    parser.add_argument("--medium", default="water")
    parser.add_argument("--histories", type=int, default=Effort().histories)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    effort = Effort(given.histories, given.seed)
    path = FOLDER / f"{given.medium.replace(' ', '_')}.npz"
    kept = point_kernels.nuclides(given.medium)
    kernels = {name: point_kernels.point_kernel(name, given.medium) for name in kept}
    for name in given.nuclides or NUCLIDES.split():
        began = time.perf_counter()
        kernels[name] = make_point_kernel(nuclide(name), material(given.medium), effort)
        save(path, kernels, effort)
        emitted = kernels[name].energy_J / nuclide(name).energy_per_decay_J() - 1
        print(f"{name:8} {time.perf_counter() - began:6.1f} s, energy {emitted:+.2e}, u {kernels[name].u_relative:.2e}")
    print(hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size, path.name)


if __name__ == "__main__":
    main()
