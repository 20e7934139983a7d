"""Which energy window of a gamma camera is the photopeak's, and which beside it tell its scatter.

A photon line lies in the middle of the window that is set on it; windows for scatter adjoin that window. The scatter
under the peak is a trapezoid between the counts per keV of the windows on both sides (triple energy window, Ogawa et
al. 1991, IEEE Trans Med Imaging 10:408), or a triangle that ends at zero with one window below.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hevesy.core import EnergyWindow, Nuclide, PlanarView
from hevesy.errors import BadInput, ContradictoryInformation, GridMismatch, MissingInformation, UnknownName

_J_PER_KEV = 1.602176634e-16
#: part of a window's width by which a photon line may lie off its middle
_OFF_CENTRE = 0.2
#: yield over that of the strongest line below which no one sets a window on a line
_LEAST_YIELD = 0.05
#: lines that a gamma camera counts, keV
_COUNTED_KEV = (40.0, 700.0)
#: a scatter window adjoins the peak's: the gap or overlap is no wider than this, keV, or this part of the energy
_ADJOINS_KEV, _ADJOINS_PART = 2.0, 0.02


@dataclass(frozen=True, slots=True)
class WindowRequest:
    """What is asked of the energy windows.

    Parameters
    ----------
    nuclide : Nuclide
        Whose photons were counted.
    photopeak : str or None
        Name of the photopeak's window, or its limits such as ``"187-229 keV"``; None finds it.
    scatter : tuple of str or None
        Windows beside it, by name or limits; none of them for no correction; None finds them.
    options : tuple of str
        How a person names the photopeak and the scatter windows; for refusals.
    """

    nuclide: Nuclide
    photopeak: str | None = None
    scatter: tuple[str, ...] | None = None
    options: tuple[str, str] = ("'planar: {window: NAME}' in case.yaml", "'planar: {scatter: none}' in case.yaml")


@dataclass(frozen=True, slots=True)
class WindowChoice:
    """The photopeak's window, and those that its scatter is estimated from: none, the one below, or both."""

    photopeak: EnergyWindow
    scatter: tuple[EnergyWindow, ...] = ()

    def __str__(self) -> str:
        """Return the choice in words for a report."""
        peak = f"photopeak {called(self.photopeak)}"
        if not self.scatter:
            return f"{peak}, without correction for scatter"
        beside = " and ".join(called(window) for window in self.scatter)
        method = "two" if len(self.scatter) == 1 else "three"
        return f"{peak}, scatter subtracted by {method} energy windows ({beside})"


def choose_windows(windows: Sequence[EnergyWindow], asked: WindowRequest, what: str) -> WindowChoice:
    """Choose the photopeak's window and those for its scatter.

    Parameters
    ----------
    windows : sequence of EnergyWindow
        Those that a scan was counted in.
    asked : WindowRequest
        The nuclide, and what a person names.
    what : str
        What to call the scan in a refusal.

    Raises
    ------
    UnknownName
        If a named window does not exist.
    MissingInformation
        If no window, or more than one, is set on a photon line; or a window adjoins above the photopeak and none below.
    ContradictoryInformation
        If several windows adjoin on one side, or a named scatter window overlaps the photopeak.
    """
    there = list(dict.fromkeys(windows))
    peak = _named(there, asked.photopeak, what) if asked.photopeak else _photopeak(there, asked, what)
    if asked.scatter is not None:
        beside = tuple(_named(there, name, what) for name in asked.scatter)
        for window in beside:
            _refuse_overlap(peak, window, what)
        return WindowChoice(peak, beside)
    below, above = (_adjoining(there, peak, side) for side in (0, 1))
    for found, side in ((below, "below"), (above, "above")):
        if len(found) > 1:
            raise ContradictoryInformation(
                f"{what} has {len(found)} energy windows beside its photopeak, {side} it ({_listed(found)}).",
                f"Name those for scatter, or go without: {asked.options[1]}.",
            )
    if above and not below:
        raise MissingInformation(
            f"{what} has an energy window above its photopeak ({_listed(above)}) and none below, where scatter is.",
            f"Go without: {asked.options[1]}.",
        )
    return WindowChoice(peak, (*below, *above))


def called(window: EnergyWindow) -> str:
    """Return a window's name and limits."""
    limits = limits_of(window)
    return f"{window.name} ({limits})" if window.name and limits else window.name or limits or "without name"


def limits_of(window: EnergyWindow) -> str:
    """Return a window's limits, such as ``"187-229 keV"``; empty where the source does not state them."""
    return " and ".join(f"{low:g}-{high:g} keV" for low, high in window.ranges_keV)


def scatter_factors(side_widths_keV: Sequence[float], width_keV: float) -> tuple[float, ...]:
    """Return what the counts of each of one or two windows beside a peak are multiplied by to give its scatter.

    Raises
    ------
    BadInput
        If there are none or more than two, or a width is not positive.
    """
    if len(side_widths_keV) not in (1, 2) or width_keV <= 0 or any(width <= 0 for width in side_widths_keV):
        raise BadInput("Scatter correction needs one or two side windows, and widths above zero.")
    return tuple(0.5 * width_keV / width for width in side_widths_keV)


def without_scatter(peak: PlanarView, beside: Sequence[PlanarView]) -> PlanarView:
    """Subtract scatter from a view, with the variance that the windows beside it bring.

    Parameters
    ----------
    peak : PlanarView
        The photopeak's.
    beside : sequence of PlanarView
        The same view in one or two windows beside it; none returns the peak.

    Raises
    ------
    GridMismatch
        If matrices differ.
    """
    if not beside:
        return peak
    if any(view.counts.shape != peak.counts.shape for view in beside):
        raise GridMismatch("The views of the energy windows differ in matrix.", "Acquire all windows alike.")
    factors = scatter_factors([width(view.window) for view in beside], width(peak.window))
    counts = np.asarray(peak.counts, np.float64)
    variance = np.asarray(peak.counts_variance, np.float64)
    for factor, view in zip(factors, beside, strict=True):
        counts = counts - factor * view.counts
        variance = variance + factor**2 * view.counts_variance
    history = peak.provenance.then("scatter subtracted", windows=[called(view.window) for view in beside])
    return replace(peak, counts=counts, variance=variance, provenance=history)


def width(window: EnergyWindow) -> float:
    """Return a window's width, keV.

    Raises
    ------
    MissingInformation
        If its limits are not stated.
    """
    if not window.ranges_keV:
        raise MissingInformation(f"Energy window '{window.name}' does not state its limits.", "Scatter needs them.")
    return sum(high - low for low, high in window.ranges_keV)


def _photopeak(there: Sequence[EnergyWindow], asked: WindowRequest, what: str) -> EnergyWindow:
    if len(there) == 1:
        return there[0]
    lines = _lines_keV(asked.nuclide)
    on_line = [window for window in there if any(_centred(window, line) for line in lines)]
    if len(on_line) == 1:
        return on_line[0]
    fault = (
        f"none is centred on a photon of {asked.nuclide.name}"
        if not on_line
        else f"{len(on_line)} are centred on photons of {asked.nuclide.name}"
    )
    raise MissingInformation(
        f"{what} has {len(there)} energy windows ({_listed(there)}), of which {fault}.",
        f"Name the photopeak's: {asked.options[0]}.",
    )


def _lines_keV(nuclide: Nuclide) -> list[float]:
    lines = [(e.energy_J / _J_PER_KEV, e.per_decay) for e in nuclide.emissions if e.kind.is_photon]
    counted = [(energy, share) for energy, share in lines if _COUNTED_KEV[0] <= energy <= _COUNTED_KEV[1]]
    strongest = max((share for _, share in counted), default=0.0)
    return [energy for energy, share in counted if share >= _LEAST_YIELD * strongest]


def _centred(window: EnergyWindow, line_keV: float) -> bool:
    return any(abs(line_keV - 0.5 * (low + high)) <= _OFF_CENTRE * (high - low) for low, high in window.ranges_keV)


def _adjoining(there: Sequence[EnergyWindow], peak: EnergyWindow, side: int) -> list[EnergyWindow]:
    """Return the windows of one range that end where the peak's begins (side 0), or begin where it ends (side 1)."""
    if len(peak.ranges_keV) != 1:
        return []
    edge = peak.ranges_keV[0][side]
    near = max(_ADJOINS_KEV, _ADJOINS_PART * edge)
    return [
        window
        for window in there
        if window is not peak and len(window.ranges_keV) == 1 and abs(window.ranges_keV[0][1 - side] - edge) <= near
    ]


def _named(there: Sequence[EnergyWindow], wanted: str, what: str) -> EnergyWindow:
    found = [window for window in there if wanted in (window.name, limits_of(window), called(window))]
    if len(found) != 1:
        fault = "no energy window" if not found else f"{len(found)} energy windows"
        raise UnknownName(f"{what} has {fault} called '{wanted}'.", f"There are: {_listed(there)}.")
    return found[0]


def _refuse_overlap(peak: EnergyWindow, window: EnergyWindow, what: str) -> None:
    shared = sum(max(min(a[1], b[1]) - max(a[0], b[0]), 0.0) for a in peak.ranges_keV for b in window.ranges_keV)
    if shared > 0.1 * width(window):
        raise ContradictoryInformation(
            f"{what}: the scatter window {called(window)} overlaps the photopeak {called(peak)}.", "Name another one."
        )


def _listed(windows: Sequence[EnergyWindow]) -> str:
    return ", ".join(called(window) for window in windows)
