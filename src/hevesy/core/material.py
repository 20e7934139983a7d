"""A medium that radiation passes through: what it is made of and how dense it is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from hevesy.errors import BadInput

#: published compositions are rounded to 0.1%, so that their sums miss 1 by a few of that
SUM_TOLERANCE = 0.011


@dataclass(frozen=True, slots=True)
class Material:
    """A medium by its elements.

    Parameters
    ----------
    name : str
        What a person calls it, such as ``"cortical bone"``.
    density_kg_m3 : float
        Nominal mass density; an image of density may vary it from voxel to voxel.
    mass_fractions : mapping of str to float
        Chemical symbol → fraction by mass; normalised to sum to 1.
    mean_excitation_energy_eV : float or None
        I-value where one was evaluated for this medium; None to have it follow from the elements by Bragg's rule.
    is_gas : bool
        Bragg's rule takes other I-values for gases.

    Raises
    ------
    BadInput
        If the density is not positive, a fraction is negative, or the fractions miss 1 by more than 0.011.
    """

    name: str
    density_kg_m3: float
    mass_fractions: Mapping[str, float]
    mean_excitation_energy_eV: float | None = None
    is_gas: bool = False

    def __post_init__(self) -> None:
        if not self.density_kg_m3 > 0:
            raise BadInput(f"The density of {self.name} must be positive, not {self.density_kg_m3} kg/m³.")
        fractions = {symbol: float(w) for symbol, w in self.mass_fractions.items() if w != 0}
        total = math.fsum(fractions.values())
        if min(fractions.values(), default=-1.0) < 0 or abs(total - 1) > SUM_TOLERANCE:
            raise BadInput(f"The mass fractions of {self.name} must be positive and sum to 1, not to {total:.4g}.")
        normalised = MappingProxyType({symbol: w / total for symbol, w in fractions.items()})
        object.__setattr__(self, "mass_fractions", normalised)

    def __hash__(self) -> int:
        return hash((self.name, self.density_kg_m3, *self.mass_fractions.items()))

    def with_density(self, density_kg_m3: float) -> Material:
        """Return the same medium at another density, kg/m³."""
        return replace(self, density_kg_m3=density_kg_m3)
