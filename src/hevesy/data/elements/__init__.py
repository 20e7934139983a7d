"""The chemical elements: masses, electron shells, I-values, fluorescence, stopping of helium ions."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hevesy.errors import UnknownName

#: energy over that of the edge, at which `InnerShell.share` is given
ABOVE_EDGE = np.array([1.0001, 1.2, 1.5, 2.0, 4.0, 10.0, 40.0])


@dataclass(frozen=True, slots=True, eq=False)
class InnerShell:
    """A shell whose vacancies send out X rays.

    Parameters
    ----------
    name : str
        ``"K"``, ``"L1"``, ``"L2"`` or ``"L3"``.
    edge_MeV : float
        Absorption edge.
    share : (7,) array
        At `ABOVE_EDGE` times the edge: its part of the photoabsorption that deeper shells leave.
    fluorescence_yield : float
        X rays per vacancy.
    line_MeV, line_probability : (n,) array
        Energies of the lines, and the probability of each, given an X ray.
    """

    name: str
    edge_MeV: float
    share: NDArray[np.float64] = field(repr=False)
    fluorescence_yield: float
    line_MeV: NDArray[np.float64] = field(repr=False)
    line_probability: NDArray[np.float64] = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Element:
    """A chemical element.

    Parameters
    ----------
    symbol, atomic_number, atomic_mass_u
        Which one, and the mass of an atom in u (g/mol).
    mean_excitation_energy_eV : float
        I-value of the pure element, ICRU Report 37.
    shell_electrons, shell_binding_eV : (n,) array
        Electrons and binding energy of every shell, inside out; 0 eV where unbound in the solid.
    inner_shells : tuple of InnerShell
        K and L shells with X rays above 1 keV.
    """

    symbol: str
    atomic_number: int
    atomic_mass_u: float
    mean_excitation_energy_eV: float
    shell_electrons: NDArray[np.float64] = field(repr=False)
    shell_binding_eV: NDArray[np.float64] = field(repr=False)
    inner_shells: tuple[InnerShell, ...] = field(repr=False)


@cache
def elements() -> dict[str, Element]:
    """Return the elements from hydrogen to uranium, by symbol."""
    folder = Path(__file__).parent
    entries = json.loads((folder / "elements.json").read_text(encoding="utf-8"))
    with (folder / "mean_excitation_energies.csv").open(encoding="utf-8") as file:
        excitation = {row["symbol"]: float(row["mean_excitation_energy_eV"]) for row in csv.DictReader(file)}
    return {symbol: _element(symbol, entry, excitation[symbol]) for symbol, entry in entries.items()}


def element(symbol: str) -> Element:
    """Return an element by its symbol.

    Raises
    ------
    UnknownName
        If there is none of this symbol from hydrogen to uranium.
    """
    try:
        return elements()[symbol]
    except KeyError:
        raise UnknownName(f"There is no element '{symbol}' from H to U.", "Give a symbol such as 'Ca'.") from None


@cache
def helium_stopping() -> dict[str, tuple[float, ...]]:
    """Return the five coefficients of each element's stopping cross-section for helium ions (see the README)."""
    with (Path(__file__).parent / "helium_stopping.csv").open(encoding="utf-8") as file:
        return {row["symbol"]: tuple(float(row[f"a{i}"]) for i in range(1, 6)) for row in csv.DictReader(file)}


def _element(symbol: str, entry: dict, excitation_eV: float) -> Element:  # type: ignore[type-arg]
    electrons, binding = np.array(entry["shells"], np.float64).T
    inner = tuple(
        InnerShell(
            name,
            shell["edge_keV"] * 1e-3,
            np.array(shell["share"]),
            shell["yield"],
            np.array(shell["line_keV"]) * 1e-3,
            np.array(shell["line_probability"]),
        )
        for name, shell in entry["fluorescence"].items()
    )
    number, mass = entry["atomic_number"], entry["atomic_mass_u"]
    return Element(symbol, number, mass, excitation_eV, electrons, binding, inner)
