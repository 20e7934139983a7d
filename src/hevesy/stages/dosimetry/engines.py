"""The engines that turn time-integrated activity into absorbed dose, by name."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

from hevesy.core import Image, Nuclide, Region
from hevesy.errors import UnknownEngine


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """What decays where.

    Parameters
    ----------
    tia : Image
        Time-integrated activity concentration of the parent, Bq·s/mL.
    density : Image
        Mass density on the same grid, kg/m³; zero outside the body.
    nuclides : tuple of (Nuclide, float)
        The parent and every daughter that decays in place, each with its decays per decay of the parent.
    """

    tia: Image
    density: Image
    nuclides: tuple[tuple[Nuclide, float], ...]

    def part(self, box: tuple[slice, slice, slice]) -> Source:
        """Return what decays within a box of voxels."""
        grid = self.tia.grid.part(box)
        tia, density = (replace(image, values=image.values[box], grid=grid) for image in (self.tia, self.density))
        return replace(self, tia=tia, density=density)


@dataclass(frozen=True, slots=True, eq=False)
class DoseMap:
    """An engine's answer.

    Parameters
    ----------
    dose : Image
        Absorbed dose, Gy.
    method : str
        What was done, in one sentence.
    limits : tuple of str
        What the method leaves out, each in one sentence with a figure.
    u_relative : float
        Standard uncertainty of the method itself, relative, for a region's mean.
    noise : Image or None
        Relative standard uncertainty of each voxel's dose by chance, where the engine draws random numbers.
    statistics : tuple of float
        The same of the mean of each region that the engine was given, in their order; empty for none.
    left_out : callable or None
        Returns what the engine leaves out of a region's mean dose, over that dose; None where that is in `u_relative`.
    """

    dose: Image
    method: str
    limits: tuple[str, ...] = ()
    u_relative: float = 0.0
    noise: Image | None = None
    statistics: tuple[float, ...] = ()
    left_out: Callable[[Region], float] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Sampling:
    """How far an engine that draws random numbers goes.

    Parameters
    ----------
    histories : int or None
        It runs so many, or at most so many where `relative_uncertainty` is given; None takes the engine's own number.
    relative_uncertainty : float or None
        It stops once the mean of every one of `regions` is known this well.
    seed : int
        Of the random numbers.
    regions : tuple of Region
        On the grid of the source.
    progress : callable
        Told now and then the share of the histories that is done, 0 to 1.
    """

    histories: int | None = None
    relative_uncertainty: float | None = None
    seed: int = 1
    regions: tuple[Region, ...] = ()
    progress: Callable[[float], None] = lambda share: None


Engine = Callable[[Source], DoseMap]

#: engine name → (module, function); a module is imported only when its engine is asked for
ENGINES = {
    "mc": ("hevesy.stages.dosimetry.transport_engine", "monte_carlo"),
    "local": ("hevesy.stages.dosimetry.local", "local_deposition"),
    "vsv": ("hevesy.stages.dosimetry.voxel", "voxel_s_value"),
    "mvsv": ("hevesy.stages.dosimetry.multi_voxel", "multi_voxel_s_value"),
}


#: histories that Monte Carlo runs without any other word; a tumour's mean is then known within 0.3%
HISTORIES = 4_000_000
#: engines that draw random numbers
SAMPLED = ("mc",)


def engine(name: str, sampling: Sampling | None = None) -> Engine:
    """Return the engine of this name; one that draws random numbers goes as far as `sampling` says.

    Raises
    ------
    UnknownEngine
        If there is none.
    """
    require_engine(name)
    module, function = ENGINES[name]
    found: Any = getattr(importlib.import_module(module), function)
    return functools.partial(found, sampling=sampling) if sampling and name in SAMPLED else cast(Engine, found)


def require_engine(name: str) -> None:
    """Refuse a name that no engine has, without importing any.

    Raises
    ------
    UnknownEngine
    """
    if name not in ENGINES:
        raise UnknownEngine(f"There is no dose engine '{name}'.", f"Choose one of: {', '.join(ENGINES)}.")
