"""Radionuclides by any usual spelling, with half-lives from ICRP 107 or from a file of the user's."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hevesy.core import Measured, Nuclide
from hevesy.data import icrp107
from hevesy.data.element_names import SYMBOL
from hevesy.errors import BadConfiguration, MissingInformation, UnknownNuclide, UnreadableFile

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹ᵐⁿ", "0123456789mn")
_UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "y": icrp107.SECONDS["y"]}
_KEYS = ("half_life", "u", "source")

#: a half-life this many times longer or shorter than ICRP 107's is taken for a slip of unit or nuclide
IMPLAUSIBLE_RATIO = 1.5


@dataclass(frozen=True, slots=True)
class HalfLife:
    """A half-life (s) with its standard uncertainty, and where it comes from."""

    value: Measured
    source: str


def nuclide(name: str, overrides: Mapping[str, HalfLife] | None = None) -> Nuclide:
    """Return a radionuclide.

    Parameters
    ----------
    name : str
        Any usual spelling: ``Lu-177``, ``lu177``, ``177Lu``, ``¹⁷⁷Lu``, ``Lutetium-177`` or the meaning of a
        DICOM code such as ``^177^Lutetium``.
    overrides : mapping of str to HalfLife, optional
        Half-lives that replace those of ICRP 107, by canonical name (see `read_half_lives`).

    Raises
    ------
    UnknownNuclide
        If there is no such radionuclide; the nearest names are given.
    """
    found = icrp107.load(canonical(name))
    if overrides and found.name in overrides:
        override = overrides[found.name]
        source = f"{found.source}; half-life: {override.source}"
        return replace(found, half_life=override.value, source=source)
    return found


def canonical(name: str) -> str:
    """Return the canonical name of a radionuclide, such as ``"Tc-99m"``, from any usual spelling.

    Raises
    ------
    UnknownNuclide
        If there is no such radionuclide, or if it is stable; the nearest names are given.
    """
    plain = name.translate(_SUPERSCRIPTS).lower()
    parts = re.fullmatch(r"\W*(?:([a-z]+)\W*(\d+) ?([mn]?)|(\d+) ?([mn]?)[\W]+([a-z]+)|(\d+)([a-z]+))\W*", plain)
    candidates = _candidates(*parts.groups()) if parts else []
    for candidate in candidates:
        if candidate in icrp107.names():
            return candidate
    for candidate in candidates:
        if candidate in icrp107.stable_names():
            raise UnknownNuclide(f"{candidate} is stable: it is no radionuclide.", _nearest(candidate))
    raise UnknownNuclide(f"There is no radionuclide '{name}' in ICRP 107.", _nearest(*candidates, name))


def _candidates(*parts: str | None) -> list[str]:
    """Return the names that the parts of a spelling can mean, the likeliest first."""
    word, mass, state, mass_first, state_first, word_after, mass_joined, joined = parts
    if word and mass:
        spellings = [(word, mass, state or "")]
    elif mass_first and word_after:
        spellings = [(word_after, mass_first, state_first or "")]
    else:
        # 99mo is molybdenum and 99mtc a metastable technetium: try the whole word first
        text, number = joined or "", mass_joined or ""
        spellings = [(text, number, ""), (text[1:], number, text[0])]
    return [f"{SYMBOL[w]}-{m}{s}" for w, m, s in spellings if w in SYMBOL and s in ("", "m", "n")]


def _nearest(*spellings: str) -> str:
    known = icrp107.names()
    by_lower = {known_name.lower(): known_name for known_name in known}
    for spelling in spellings:
        close = difflib.get_close_matches(spelling.lower(), list(by_lower), n=4, cutoff=0.6)
        if close:
            return f"Nearest: {', '.join(by_lower[c] for c in close)}."
    return "Write element and mass number, such as Lu-177 or Tc-99m."


def read_half_lives(path: Path) -> dict[str, HalfLife]:
    """Read half-lives that replace those of ICRP 107 from a YAML file.

    Each nuclide is a mapping of ``half_life`` (a number and one of the units s, min, h, d, y), ``u`` (its
    standard uncertainty, written alike) and ``source`` (where both come from); all three are required.

    Raises
    ------
    UnreadableFile
        If the file cannot be read as YAML.
    BadConfiguration
        If an entry has a wrong key or value, or a half-life far from that of ICRP 107.
    MissingInformation
        If an entry lacks its half-life, uncertainty or source.
    UnknownNuclide
        If an entry names no radionuclide.
    """
    import yaml  # kept out of `import hevesy.data.nuclides`, which every command pays for

    if not path.is_file():
        raise UnreadableFile(f"There is no file of half-lives {path}.", "Check half_lives: or --half-lives.")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UnreadableFile(f"{path} cannot be read as YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict) or not content:
        raise BadConfiguration(f"{path} must map nuclides to half-lives.", "Such as: Lu-177: {half_life: 6.6443 d, …}")
    entries = [(canonical(str(name)), entry) for name, entry in content.items()]
    named = [name for name, _ in entries]
    if len(set(named)) < len(named):
        twice = next(name for name in named if named.count(name) > 1)
        raise BadConfiguration(f"{path} gives {twice} twice.", "Keep one entry.")
    return {name: _override(name, entry, path) for name, entry in entries}


def _override(name: str, entry: Any, path: Path) -> HalfLife:
    where = f"{path}, {name}"
    if not isinstance(entry, dict):
        raise BadConfiguration(f"{where}: expected half_life, u and source, not '{entry}'.")
    for key in entry:
        if key not in _KEYS:
            nearest = difflib.get_close_matches(str(key), _KEYS, n=1, cutoff=0.0)[0]
            raise BadConfiguration(f"{where}: there is no key '{key}'.", f"Did you mean '{nearest}'?")
    for key in _KEYS:
        if not str(entry.get(key) or "").strip():
            raise MissingInformation(f"{where}: '{key}' is missing.", "Give half_life, u and source.")
    value, u = _seconds(entry["half_life"], where), _seconds(entry["u"], where)
    if u > value / 2:
        raise BadConfiguration(f"{where}: u of {entry['u']} is no standard uncertainty of {entry['half_life']}.")
    standard = icrp107.load(name).half_life.value
    if not 1 / IMPLAUSIBLE_RATIO < value / standard < IMPLAUSIBLE_RATIO:
        raise BadConfiguration(
            f"{where}: half_life is {value:g} s; ICRP 107 has {standard:g} s.", "Check the nuclide and the unit."
        )
    return HalfLife(Measured(value, u, "s", "half-life"), str(entry["source"]).strip())


def _seconds(text: Any, where: str) -> float:
    parts = re.fullmatch(r"\s*(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)\s*([a-z]+)\s*", str(text))
    if not parts or parts[2] not in _UNITS or not float(parts[1]) > 0:
        units = ", ".join(_UNITS)
        raise BadConfiguration(f"{where}: '{text}' is no positive time.", f"Write a number and one of {units}.")
    return float(parts[1]) * _UNITS[parts[2]]
