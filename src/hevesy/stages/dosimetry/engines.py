"""The engines that turn time-integrated activity into absorbed dose, by name."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from hevesy.core import Image, Nuclide
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
    """

    dose: Image
    method: str
    limits: tuple[str, ...] = ()
    u_relative: float = 0.0


Engine = Callable[[Source], DoseMap]

#: engine name → (module, function); a module is imported only when its engine is asked for
ENGINES = {
    "mc": ("hevesy.stages.dosimetry.transport_engine", "monte_carlo"),
    "local": ("hevesy.stages.dosimetry.local", "local_deposition"),
    "vsv": ("hevesy.stages.dosimetry.voxel", "voxel_s_value"),
    "mvsv": ("hevesy.stages.dosimetry.multi_voxel", "multi_voxel_s_value"),
}


def engine(name: str) -> Engine:
    """Return the engine of this name.

    Raises
    ------
    UnknownEngine
        If there is none.
    """
    if name not in ENGINES:
        raise UnknownEngine(f"There is no dose engine '{name}'.", f"Choose one of: {', '.join(ENGINES)}.")
    module, function = ENGINES[name]
    found: Engine = getattr(importlib.import_module(module), function)
    return found
