"""What follows from a medium's composition: electrons per gram, mean atomic number, mean excitation energy."""

from __future__ import annotations

import math

from hevesy.core.material import Material
from hevesy.data.elements import element

#: Avogadro's number, 1/mol (CODATA 2018, exact)
AVOGADRO = 6.02214076e23
#: cm² per barn
CM2_PER_BARN = 1e-24
#: I-values of atoms in compounds, eV (ICRU Report 37, table 5.1); any other element of a solid or liquid takes
#: 1.13 times its own, of a gas its own
IN_CONDENSED_eV = {"H": 19.2, "C": 81.0, "N": 82.0, "O": 106.0, "F": 112.0, "Cl": 180.0}
IN_GAS_eV = {"H": 19.2, "C": 70.0, "N": 82.0, "O": 97.0}
IN_CONDENSED_FACTOR = 1.13


def atoms_per_gram(material: Material) -> dict[str, float]:
    """Return the number of atoms of each element, by symbol, in a gram of a medium."""
    return {symbol: w * AVOGADRO / element(symbol).atomic_mass_u for symbol, w in material.mass_fractions.items()}


def electrons_per_gram(material: Material) -> float:
    """Return the number of electrons in a gram of a medium."""
    return math.fsum(n * element(symbol).atomic_number for symbol, n in atoms_per_gram(material).items())


def mean_excitation_energy_eV(material: Material) -> float:
    """Return the I-value of a medium: the evaluated one, or Bragg's rule (ICRU Report 37, table 5.1), eV."""
    if material.mean_excitation_energy_eV is not None:
        return material.mean_excitation_energy_eV
    logarithm = math.fsum(
        n * element(symbol).atomic_number * math.log(_bound_excitation_eV(symbol, material))
        for symbol, n in atoms_per_gram(material).items()
    )
    return math.exp(logarithm / electrons_per_gram(material))


def _bound_excitation_eV(symbol: str, material: Material) -> float:
    alone = element(symbol).mean_excitation_energy_eV
    if len(material.mass_fractions) == 1:
        return alone
    if material.is_gas:
        return IN_GAS_eV.get(symbol, alone)
    return IN_CONDENSED_eV.get(symbol, IN_CONDENSED_FACTOR * alone)
