"""Build the photon and element tables of the package; run by hand when a source changes, never by a user.

    python tools/build_photons.py XCOM_FOLDER

XCOM_FOLDER holds the figures of NIST's XCOM as ``xcom_{photo,rayleigh,pair,triplet}.data``: for each element
from hydrogen on the number of points, then pairs of ln(E/MeV), ln(σ/barn per atom). Form factors, scattering functions,
shells and fluorescence come from the Python package ``xraylib`` (BSD licence).
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import xraylib
from scipy.interpolate import PchipInterpolator

DATA = Path(__file__).parents[1] / "src" / "hevesy" / "data"
HIGHEST_Z = 92
HIGHEST_MEV = 10.5
XCOM = {
    "photoelectric": "photo",
    "coherent": "rayleigh",
    "pair": "pair",
    "triplet": "triplet",
}
#: momentum transfer x = sin(θ/2)/λ, 1/Å; 10 MeV backscatter reaches 807
TRANSFER = np.concatenate([[0.0], np.geomspace(1e-3, 1e3, 120)])
#: photon energies at which incoherent cross-sections are integrated, MeV
INCOHERENT_MEV = np.geomspace(1e-3, HIGHEST_MEV, 160)
ELECTRON_MEV = 0.51099895
#: classical electron radius squared, barn
ELECTRON_RADIUS2_BARN = 0.07940787
HC_MEV_ANGSTROM = 12.398420e-3
#: energy over that of the edge, at which the share of a shell in photoabsorption is taken
ABOVE_EDGE = np.array([1.0001, 1.2, 1.5, 2.0, 4.0, 10.0, 40.0])
#: standard atomic weights, u (IUPAC 2021, abridged; the mass number of a long-lived isotope where there is none)
# fmt: off
ATOMIC_WEIGHTS = (
    1.008, 4.0026, 6.94, 9.0122, 10.81, 12.011, 14.007, 15.999, 18.998, 20.180, 22.990, 24.305, 26.982, 28.085,
    30.974, 32.06, 35.45, 39.95, 39.098, 40.078, 44.956, 47.867, 50.942, 51.996, 54.938, 55.845, 58.933, 58.693,
    63.546, 65.38, 69.723, 72.630, 74.922, 78.971, 79.904, 83.798, 85.468, 87.62, 88.906, 91.224, 92.906, 95.95,
    97, 101.07, 102.91, 106.42, 107.87, 112.41, 114.82, 118.71, 121.76, 127.60, 126.90, 131.29, 132.91, 137.33,
    138.91, 140.12, 140.91, 144.24, 145, 150.36, 151.96, 157.25, 158.93, 162.50, 164.93, 167.26, 168.93, 173.05,
    174.97, 178.49, 180.95, 183.84, 186.21, 190.23, 192.22, 195.08, 196.97, 200.59, 204.38, 207.2, 208.98, 209,
    210, 222, 223, 226, 227, 232.04, 231.04, 238.03,
)
# fmt: on
SHELLS = {"K": 0, "L1": 1, "L2": 2, "L3": 3}
LINES = {
    "K": ("KL3", "KL2", "KM3", "KM2", "KN3", "KN2"),
    "L1": ("L1M3", "L1M2", "L1N3", "L1N2"),
    "L2": ("L2M4", "L2M1", "L2N4", "L2O4"),
    "L3": ("L3M5", "L3M4", "L3M1", "L3N5"),
}
#: lines of less energy are deposited where they arise
LOWEST_LINE_KEV = 1.0


def cross_sections(folder: Path) -> dict[str, np.ndarray]:
    """Return, for each process, the points of every element one after the other and where each element starts."""
    table = {}
    for process, stem in XCOM.items():
        tokens = (folder / f"xcom_{stem}.data").read_text().split()
        points, starts, at = [], [0], 0
        for _ in range(HIGHEST_Z):
            count = int(tokens[at])
            pairs = np.array(tokens[at + 1 : at + 1 + 2 * count], float).reshape(-1, 2)
            at += 1 + 2 * count
            inside = np.searchsorted(pairs[:, 0], np.log(HIGHEST_MEV))
            points.append(pairs[: inside + 1])
            starts.append(starts[-1] + len(points[-1]))
        log_energy, log_barn = np.concatenate(points).T
        table[f"{process}_log_energy_MeV"] = log_energy.astype(np.float32)
        table[f"{process}_log_barn"] = log_barn.astype(np.float32)
        table[f"{process}_start"] = np.array(starts, np.int32)
    return table


def incoherent(scattering_function: np.ndarray) -> dict[str, np.ndarray]:
    """Return Klein–Nishina times S(x) integrated over angle, in the same layout as `cross_sections`.

    The figures of XCOM at hand lie 0.2–0.5% below the values that NIST prints; this integral, which is also what a
    simulation samples from, lies within 0.1% of them to 600 keV and within 0.3% to 10 MeV (no radiative correction).
    """
    nodes, weights = np.polynomial.legendre.leggauss(600)
    u = (nodes + 1) / 2  # 1 − cos θ = 2 u², so that nodes crowd forwards, where S cuts off
    rows = []
    for energy in INCOHERENT_MEV:
        ratio = 1 / (1 + energy / ELECTRON_MEV * 2 * u**2)
        klein_nishina = ratio**2 * (ratio + 1 / ratio - 4 * u**2 * (1 - u**2))
        bound = PchipInterpolator(TRANSFER, scattering_function, axis=1)(u * energy / HC_MEV_ANGSTROM)
        rows.append(np.pi * ELECTRON_RADIUS2_BARN * (bound * klein_nishina * 2 * u * weights).sum(1))
    count = len(INCOHERENT_MEV)
    return {
        "incoherent_log_energy_MeV": np.tile(np.log(INCOHERENT_MEV), HIGHEST_Z).astype(np.float32),
        "incoherent_log_barn": np.log(np.transpose(rows)).ravel().astype(np.float32),
        "incoherent_start": np.arange(0, (HIGHEST_Z + 1) * count, count, dtype=np.int32),
    }


def scattering() -> dict[str, np.ndarray]:
    """Return form factors F(x, Z) and incoherent scattering functions S(x, Z) on one grid of momentum transfer."""
    shape = (HIGHEST_Z, len(TRANSFER))
    form, function = np.zeros(shape), np.zeros(shape)
    for z in range(1, HIGHEST_Z + 1):
        form[z - 1] = [xraylib.FF_Rayl(z, x) for x in TRANSFER]
        function[z - 1, 1:] = [xraylib.SF_Compt(z, x) for x in TRANSFER[1:]]
    function = np.maximum.accumulate(function, axis=1)  # spline ringing of parts in 1e5
    return {
        "momentum_transfer_per_angstrom": TRANSFER,
        "form_factor": form.astype(np.float32),
        "scattering_function": np.minimum(function, np.arange(1, HIGHEST_Z + 1)[:, None]).astype(np.float32),
    }


def fluorescence(z: int) -> dict[str, dict[str, object]]:
    """Return, for each inner shell of an element, its edge, share of photoabsorption, yield and lines.

    The share is that of what deeper shells leave, which is smooth where they open.
    """
    shells: dict[str, dict[str, object]] = {}
    for name, shell in SHELLS.items():
        if known(xraylib.EdgeEnergy, z, shell) < LOWEST_LINE_KEV:
            continue
        lines = [(known(xraylib.LineEnergy, z, line), known(xraylib.RadRate, z, line)) for line in codes(name)]
        lines = [(energy, rate) for energy, rate in lines if energy > LOWEST_LINE_KEV and rate > 0]
        if not lines:
            continue
        edge = xraylib.EdgeEnergy(z, shell)
        energies = np.minimum(edge * ABOVE_EDGE, 199.0)
        share = [share_left(z, shell, e) for e in energies]
        total = sum(rate for _, rate in lines)
        shells[name] = {
            "edge_keV": round(edge, 5),
            "share": [round(s, 5) for s in share],
            "yield": round(known(xraylib.FluorYield, z, shell), 5),
            "line_keV": [round(energy, 5) for energy, _ in lines],
            "line_probability": [round(rate / total, 5) for _, rate in lines],
        }
    return shells


def share_left(z: int, shell: int, energy_keV: float) -> float:
    """Return a shell's part of the photoabsorption that is left by the deeper shells."""
    deeper = sum(known(xraylib.CS_Photo_Partial, z, s, energy_keV) for s in range(shell))
    return xraylib.CS_Photo_Partial(z, shell, energy_keV) / (xraylib.CS_Photo_Total(z, energy_keV) - deeper)


def known(function, *arguments) -> float:
    """Return a figure of xraylib, or 0 where it has none."""
    try:
        return function(*arguments)
    except ValueError:
        return 0.0


def codes(shell: str) -> list[int]:
    """Return xraylib's numbers for the lines that fill a shell."""
    return [getattr(xraylib, f"{line}_LINE") for line in LINES[shell]]


def elements() -> dict[str, dict[str, object]]:
    """Return, for each element, its number, atomic mass, electron shells (number, binding energy) and fluorescence."""
    result = {}
    for z in range(1, HIGHEST_Z + 1):
        shells = [(known(xraylib.ElectronConfig, z, s), known(xraylib.EdgeEnergy, z, s) * 1e3) for s in range(31)]
        result[xraylib.AtomicNumberToSymbol(z)] = {
            "atomic_number": z,
            "atomic_mass_u": ATOMIC_WEIGHTS[z - 1],
            "shells": [[electrons, round(eV, 2)] for electrons, eV in shells if electrons > 0],
            "fluorescence": fluorescence(z),
        }
    return result


def main() -> None:
    """Write the tables and print their checksums, which belong in the READMEs."""
    photons = DATA / "photons" / "photons.npz"
    factors = scattering()
    np.savez_compressed(
        photons, **cross_sections(Path(sys.argv[1])), **incoherent(factors["scattering_function"]), **factors
    )
    atoms = DATA / "elements" / "elements.json"
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in elements().items())
    atoms.write_text("{\n" + lines + "\n}\n", encoding="utf-8")
    for path in (photons, atoms):
        print(hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size, path.name)


if __name__ == "__main__":
    main()
