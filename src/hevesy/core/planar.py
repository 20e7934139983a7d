"""Planar views of a gamma camera."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hevesy.core.provenance import Provenance
from hevesy.core.timing import Timing
from hevesy.errors import BadInput


@dataclass(frozen=True, slots=True)
class EnergyWindow:
    """Photon energies that a camera counts: one or more (lower, upper) ranges, keV, and the window's name."""

    ranges_keV: tuple[tuple[float, float], ...] = ()
    name: str = ""

    def __post_init__(self) -> None:
        if any(not 0 <= lower < upper for lower, upper in self.ranges_keV):
            raise BadInput(f"Energy window '{self.name}' has a range that does not rise: {self.ranges_keV} keV.")


@dataclass(frozen=True, slots=True, eq=False)
class PlanarView:
    """Counts that one detector saw in one energy window; a dynamic or gated study is an ordered tuple of them.

    Parameters
    ----------
    counts : (rows, columns) array
        Counts, or values proportional to them; kept read-only.
    pixel_mm : tuple of float
        Distance between rows and between columns, mm.
    detector : int
        Which detector, from 1.
    window : EnergyWindow
        What it counted.
    timing : Timing or None
        When; None where the source does not say.
    view : str
        Where the detector stood, such as ``"anterior"``; empty where the source does not say.
    provenance : Provenance
        Where the counts came from.

    Raises
    ------
    BadInput
        If the array is not two-dimensional or finite, or a pixel has no size.
    """

    counts: NDArray[Any] = field(repr=False)
    pixel_mm: tuple[float, float]
    detector: int = 1
    window: EnergyWindow = field(default_factory=EnergyWindow)
    timing: Timing | None = None
    view: str = ""
    provenance: Provenance = field(default_factory=Provenance, repr=False)

    def __post_init__(self) -> None:
        counts = np.asarray(self.counts).view()
        if counts.ndim != 2 or not np.isfinite(counts).all():
            raise BadInput(f"A planar view needs finite counts in two dimensions, not shape {counts.shape}.")
        if min(self.pixel_mm) <= 0:
            raise BadInput(f"A planar view cannot have pixels of {self.pixel_mm} mm.")
        counts.setflags(write=False)
        object.__setattr__(self, "counts", counts)
