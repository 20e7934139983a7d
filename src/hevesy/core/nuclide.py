"""A radionuclide: how it decays and what it emits."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from hevesy.core.measured import Measured
from hevesy.errors import BadInput


class EmissionKind(Enum):
    """A kind of emitted radiation."""

    ALPHA = "alpha"
    ALPHA_RECOIL = "alpha recoil"
    BETA_MINUS = "beta-"
    BETA_PLUS = "beta+"
    CONVERSION_ELECTRON = "conversion electron"
    AUGER_ELECTRON = "Auger electron"
    GAMMA = "gamma"
    X_RAY = "X ray"
    ANNIHILATION = "annihilation photon"
    FISSION_FRAGMENT = "fission fragment"
    NEUTRON = "neutron"

    @property
    def is_photon(self) -> bool:
        """Whether this is electromagnetic radiation."""
        return self in (EmissionKind.GAMMA, EmissionKind.X_RAY, EmissionKind.ANNIHILATION)

    @property
    def is_electron(self) -> bool:
        """Whether this is an electron or a positron."""
        return self in (
            EmissionKind.BETA_MINUS,
            EmissionKind.BETA_PLUS,
            EmissionKind.CONVERSION_ELECTRON,
            EmissionKind.AUGER_ELECTRON,
        )


@dataclass(frozen=True, slots=True)
class Emission:
    """One radiation: its kind, energy (J; the mean for a beta transition) and number per decay."""

    kind: EmissionKind
    energy_J: float
    per_decay: float


@dataclass(frozen=True, slots=True, eq=False)
class BetaSpectrum:
    """The energy distribution of all betas of one sign that a nuclide emits.

    Parameters
    ----------
    energy_J : (n,) array
        Kinetic energies, J, rising from 0.
    density : (n,) array
        Betas per decay and per joule.
    """

    energy_J: NDArray[np.float64]
    density: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Daughter:
    """A decay product: its name, the fraction of decays that lead to it, and by which mode."""

    name: str
    branching: float
    mode: str


@dataclass(frozen=True, slots=True, eq=False)
class Nuclide:
    """A radionuclide.

    Parameters
    ----------
    name : str
        Element and mass number, such as ``"Lu-177"`` or ``"Tc-99m"``.
    half_life : Measured
        Physical half-life, s.
    emissions : tuple of Emission
        Every radiation.
    beta_spectra : dict
        `BetaSpectrum` for ``EmissionKind.BETA_MINUS`` and ``EmissionKind.BETA_PLUS``, where emitted.
    daughters : tuple of Daughter
        Direct decay products, stable ones included.
    source : str
        The evaluation that the data come from.

    Raises
    ------
    BadInput
        If the half-life is not positive or not in seconds.
    """

    name: str
    half_life: Measured
    emissions: tuple[Emission, ...] = field(default=(), repr=False)
    beta_spectra: dict[EmissionKind, BetaSpectrum] = field(default_factory=dict, repr=False)
    daughters: tuple[Daughter, ...] = ()
    source: str = ""

    def __post_init__(self) -> None:
        if self.half_life.unit != "s" or not self.half_life.value > 0:
            raise BadInput(f"{self.name} needs a positive half-life in s, not {self.half_life}.")

    @property
    def decay_constant(self) -> Measured:
        """Physical decay constant λ = ln 2 / T½, 1/s."""
        return math.log(2) / self.half_life

    def energy_per_decay_J(self, *kinds: EmissionKind) -> float:
        """Sum energy × yield over the given kinds of emission (all, if none is given), J per decay."""
        chosen = kinds or tuple(EmissionKind)
        return math.fsum(e.energy_J * e.per_decay for e in self.emissions if e.kind in chosen)
