"""Planar views of a gamma camera."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
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
    variance : (rows, columns) array or None
        Of the counts, where something was subtracted from them; None where they are as counted.
    provenance : Provenance
        Where the counts came from.

    Raises
    ------
    BadInput
        If the array is not two-dimensional or finite, a pixel has no size, or the variance is not one of the counts.
    """

    counts: NDArray[Any] = field(repr=False)
    pixel_mm: tuple[float, float]
    detector: int = 1
    window: EnergyWindow = field(default_factory=EnergyWindow)
    timing: Timing | None = None
    view: str = ""
    provenance: Provenance = field(default_factory=Provenance, repr=False)
    variance: NDArray[Any] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        counts = np.asarray(self.counts).view()
        if counts.ndim != 2 or not np.isfinite(counts).all():
            raise BadInput(f"A planar view needs finite counts in two dimensions, not shape {counts.shape}.")
        if min(self.pixel_mm) <= 0:
            raise BadInput(f"A planar view cannot have pixels of {self.pixel_mm} mm.")
        counts.setflags(write=False)
        object.__setattr__(self, "counts", counts)
        if self.variance is not None:
            variance = np.array(self.variance)
            if variance.shape != counts.shape or not (np.isfinite(variance).all() and (variance >= 0).all()):
                raise BadInput("The variance of a planar view needs one value, not negative, for each pixel.")
            variance.setflags(write=False)
            object.__setattr__(self, "variance", variance)

    @property
    def counts_variance(self) -> NDArray[Any]:
        """The variance of the counts of every pixel: that of counting (Poisson) unless something was subtracted."""
        return np.maximum(self.counts, 0) if self.variance is None else self.variance

    def mirrored(self) -> PlanarView:
        """Return the view with its columns from right to left."""
        variance = None if self.variance is None else self.variance[:, ::-1]
        return replace(self, counts=self.counts[:, ::-1], variance=variance)
