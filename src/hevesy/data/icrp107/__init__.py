"""Nuclear decay data of ICRP Publication 107 (Endo and Eckerman, 2008), beside their notice and checksum.

For educational, research and not-for-profit purposes; see ``LICENSE.ICRP-07``. How the file was made from
the publication's data: ``README.md`` beside it.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import zipfile
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from hevesy.core import BetaSpectrum, Daughter, Emission, EmissionKind, Measured, Nuclide
from hevesy.errors import UnknownNuclide, UnreadableFile

SOURCE = "ICRP Publication 107 (Ann. ICRP 38 (3), 2008)"
NOTICE = (
    "Decay data: ICRP Publication 107, © 2008 A. Endo and K. F. Eckerman."
    " For educational, research and not-for-profit purposes."
)

#: a year is the mean tropical year, as in the chain data of this evaluation
SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "y": 365.2422 * 86400.0}
JOULE_PER_MEV = 1.602176634e-13

_FILE = Path(__file__).with_name("nuclides.zip")


def names() -> tuple[str, ...]:
    """Return the names of all radionuclides, such as ``"Lu-177"``, sorted."""
    return tuple(_index()["nuclides"])


def stable_names() -> tuple[str, ...]:
    """Return the names of the stable nuclides that chains end at, sorted."""
    return tuple(_index()["stable"])


@lru_cache(maxsize=256)
def load(name: str) -> Nuclide:
    """Return one radionuclide.

    The evaluation gives no uncertainty for half-lives: that of the `Nuclide` is 0. Beta transitions enter
    `emissions` with their mean energies and `beta_spectra` as distributions: use one or the other.

    Parameters
    ----------
    name : str
        The exact name; `hevesy.data.nuclides.nuclide` takes other spellings.

    Raises
    ------
    UnknownNuclide
        If the evaluation does not hold it.
    UnreadableFile
        If the data file does not match its checksum.
    """
    if name not in names():
        raise UnknownNuclide(f"ICRP Publication 107 holds no '{name}'.")
    record = _element(name.partition("-")[0])[name]
    value, unit = record["half_life"]
    lines = {EmissionKind(kind): columns for kind, columns in record["lines"].items()}
    return Nuclide(
        name=name,
        half_life=Measured(value * SECONDS[unit], unit="s", label="half-life"),
        emissions=tuple(
            Emission(kind, energy_MeV * JOULE_PER_MEV, per_decay)
            for kind, columns in lines.items()
            for energy_MeV, per_decay in zip(*columns, strict=True)
        ),
        beta_spectra={EmissionKind(kind): _spectrum(*columns) for kind, columns in record["spectra"].items()},
        daughters=tuple(Daughter(*daughter) for daughter in record["daughters"]),
        source=SOURCE,
    )


def _spectrum(energies_MeV: list[float], per_MeV: list[float]) -> BetaSpectrum:
    energy_J, density = np.array(energies_MeV) * JOULE_PER_MEV, np.array(per_MeV) / JOULE_PER_MEV
    energy_J.setflags(write=False)
    density.setflags(write=False)
    return BetaSpectrum(energy_J, density)


@lru_cache(maxsize=1)
def _index() -> dict[str, list[str]]:
    index: dict[str, list[str]] = _read("index")
    return index


@lru_cache(maxsize=16)
def _element(symbol: str) -> dict[str, Any]:
    element: dict[str, Any] = _read(symbol)
    return element


def _read(member: str) -> Any:
    with zipfile.ZipFile(BytesIO(_verified())) as archive:
        return json.loads(lzma.decompress(archive.read(f"{member}.json.xz")))


@lru_cache(maxsize=1)
def _verified() -> bytes:
    """Return the file's bytes; they are checked once a process, since every number depends on them."""
    content = _FILE.read_bytes()
    expected = _FILE.with_suffix(".zip.sha256").read_text(encoding="ascii").split()[0]
    if hashlib.sha256(content).hexdigest() != expected:
        raise UnreadableFile(f"{_FILE.name} does not match its checksum.", "Reinstall hevesy.")
    return content
