"""Compositions of tissues and instruments (ICRU Reports 37 and 44)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from hevesy.core.material import Material
from hevesy.errors import BadConfiguration, UnknownName

#: g/cm³ → kg/m³
KG_M3_PER_G_CM3 = 1e3


@cache
def materials() -> dict[str, Material]:
    """Return every tabulated medium, by name."""
    entries = json.loads((Path(__file__).parent / "materials.json").read_text(encoding="utf-8"))
    return {name: material_from_entry({"name": name, **entry}) for name, entry in entries.items()}


def material(name: str) -> Material:
    """Return a tabulated medium, such as ``"water"``, ``"lung"`` or ``"cortical bone"``.

    Raises
    ------
    UnknownName
        If no medium has this name; the refusal lists those that exist.
    """
    try:
        return materials()[name]
    except KeyError:
        raise UnknownName(f"There is no medium '{name}'.", f"Known are: {', '.join(materials())}.") from None


def material_from_entry(entry: Mapping[str, Any]) -> Material:
    """Return a medium from an entry of a material table.

    Parameters
    ----------
    entry : mapping
        ``name``, ``density_g_cm3``, ``mass_fractions`` by chemical symbol; optionally
        ``mean_excitation_energy_eV`` and ``is_gas``.

    Raises
    ------
    BadConfiguration
        If a key is missing or a value is not a number.
    """
    try:
        given = entry.get("mean_excitation_energy_eV")
        return Material(
            str(entry["name"]),
            float(entry["density_g_cm3"]) * KG_M3_PER_G_CM3,
            {str(symbol): float(fraction) for symbol, fraction in entry["mass_fractions"].items()},
            None if given is None else float(given),
            bool(entry.get("is_gas", False)),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadConfiguration(
            f"A material entry is not usable: {error!r}.",
            'It needs "name", "density_g_cm3" and "mass_fractions", such as {"H": 0.111894, "O": 0.888106}.',
        ) from error
