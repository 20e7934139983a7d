"""A camera's own projections, in every energy window, to a measurement that can be reconstructed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hevesy.core import Image, Measured, Projections, Quantity
from hevesy.core.planar import EnergyWindow
from hevesy.errors import ContradictoryInformation, MissingInformation, UnknownName, WrongQuantity
from hevesy.stages.quantification.reconstruction.orbit import Orbit
from hevesy.stages.quantification.reconstruction.scatter import dual_window, triple_window
from hevesy.stages.quantification.reconstruction.system import Lattice

Array = NDArray[np.float32]
SCATTER = ("tew", "dew", "none")
#: a scatter window lies beside the peak: no further than this part of the photon's energy
BESIDE = 0.1


def photopeak(windows: Sequence[Projections], photon_keV: float) -> Projections:
    """Return the projections of the narrowest energy window that holds a photon.

    Raises
    ------
    ContradictoryInformation
        If no window holds it.
    """
    holding = [p for p in windows if _width(p.window) and _holds(p.window, photon_keV)]
    if not holding:
        names = "; ".join(_ranges(p.window) for p in windows)
        raise ContradictoryInformation(
            f"No energy window holds the photon of {photon_keV:g} keV; the windows are {names} keV.",
            "Give the photon that was counted with --photon-kev.",
        )
    return min(holding, key=lambda p: _width(p.window))


def scatter_of(windows: Sequence[Projections], peak: Projections, photon_keV: float, method: str) -> Array | None:
    """Return the expected scatter in the peak window, (views, bins, slices); None for the method ``none``.

    Parameters
    ----------
    windows : sequence of Projections
        All energy windows of the acquisition.
    peak : Projections
        The photopeak's.
    photon_keV : float
        The photon's energy, keV.
    method : str
        ``tew``: windows on both sides, or below alone; ``dew``: half of the window below; ``none``.

    Raises
    ------
    UnknownName
        If there is no such method.
    MissingInformation
        If no window lies below the peak.
    """
    if method not in SCATTER:
        raise UnknownName(f"There is no scatter method '{method}'.", f"Known are: {', '.join(SCATTER)} and mc.")
    if method == "none":
        return None
    below, above = beside(windows, peak, photon_keV)
    if below is None:
        raise MissingInformation(
            "The acquisition has no energy window below the photopeak to estimate scatter from.",
            "Simulate it by --scatter mc, or go without by --scatter none.",
        )
    lower = ordered_counts(below)
    if method == "dew":
        return dual_window(lower)
    upper = None if above is None else ordered_counts(above)
    widths = (_width(below.window), _width(peak.window), 1.0 if above is None else _width(above.window))
    return triple_window(lower, upper, widths)


def beside(
    windows: Sequence[Projections], peak: Projections, photon_keV: float
) -> tuple[Projections | None, Projections | None]:
    """Return the projections of the windows next below and next above the photopeak's; None where there is none."""
    low, high = min(a for a, _ in peak.window.ranges_keV), max(b for _, b in peak.window.ranges_keV)
    others = [p for p in windows if p is not peak and p.window.ranges_keV]
    below = [p for p in others if abs(p.window.ranges_keV[-1][1] - low) <= BESIDE * photon_keV]
    above = [p for p in others if abs(p.window.ranges_keV[0][0] - high) <= BESIDE * photon_keV]
    return below[0] if below else None, above[0] if above else None


def photopeak_said(windows: Sequence[Projections], peak: Projections, photon_keV: float, method: str) -> str:
    """Say which window was taken for which photon, and where its scatter is estimated from."""
    said = f"Photon of {photon_keV:.4g} keV in the window {_ranges(peak.window)} keV"
    below, above = beside(windows, peak, photon_keV)
    used = [p for p in (below, above if method == "tew" else None) if p is not None]
    if method == "none" or not used:
        return f"{said}; scatter is not corrected."
    names = " and ".join(_ranges(p.window) for p in used)
    return f"{said}; scatter is estimated from {names} keV ({method.upper()})."


def ordered_counts(projections: Projections) -> Array:
    """Return counts as the system model orders them, (views, bins, slices): rows run along the axis of rotation."""
    return np.ascontiguousarray(np.swapaxes(projections.counts, 1, 2), np.float32)


def lattice_of(projections: Projections) -> Lattice:
    """Return the volume that the projections see."""
    _, rows, columns = projections.counts.shape
    return Lattice(columns, rows, projections.pixel_mm[1], projections.pixel_mm[0])


def orbit_of(projections: Projections, radius_mm: float | None = None) -> Orbit:
    """Return where the detectors stood; a radius given here is taken where the projections have none.

    Raises
    ------
    MissingInformation
        If neither gives a radius.
    """
    radii = projections.radii_mm
    if radii is None and radius_mm is None:
        raise MissingInformation(
            "The projections do not state the distance of the detectors from the axis (0018,1142), and the blur"
            " depends on it.",
            "Give it with --radius-mm.",
        )
    return Orbit(projections.angles_deg, np.full(projections.angles_deg.shape, radius_mm) if radii is None else radii)


def counts_image(volume: NDArray[np.float32], projections: Projections) -> Image:
    """Return a reconstruction as an image of all counts that unattenuated activity would have given.

    What is reconstructed is counts in one view; times the number of views it is counts in the acquisition, so that a
    calibration factor in counts per second and becquerel, over the length of the acquisition, makes it an activity.

    Parameters
    ----------
    volume : (side, side, slices) array
        From an algorithm.
    projections : Projections
        What it was made from.

    Returns
    -------
    Image
        Counts, on the grid of the projections.
    """
    provenance = projections.provenance.then("reconstruction", views=len(projections.angles_deg))
    values = volume * np.float32(len(projections.angles_deg))
    return Image(values, projections.grid, Quantity.COUNTS, projections.timing, provenance)


def calibrated(image: Image, factor: Measured) -> Image:
    """Return the mean activity concentration during the acquisition, Bq/mL: counts / (factor · length · volume).

    Raises
    ------
    WrongQuantity
        If the image does not hold counts, or the factor is not in ``"1/s/Bq"``.
    MissingInformation
        If the length of the acquisition is not known.
    """
    image.require(Quantity.COUNTS)
    if factor.unit != "1/s/Bq" or not factor.value > 0:
        raise WrongQuantity(f"A calibration factor must be positive and in 1/s/Bq, not {factor}.")
    if image.timing is None or not image.timing.duration_s > 0:
        raise MissingInformation("The length of the acquisition is not stated, and activity depends on it.")
    scale = 1 / (factor.value * image.timing.duration_s * image.grid.voxel_volume_mL)
    return image.with_values(image.values * np.float32(scale), Quantity.ACTIVITY_CONCENTRATION)


def _holds(window: EnergyWindow, photon_keV: float) -> bool:
    return any(low <= photon_keV <= high for low, high in window.ranges_keV)


def _width(window: EnergyWindow) -> float:
    return sum(high - low for low, high in window.ranges_keV)


def _ranges(window: EnergyWindow) -> str:
    return ", ".join(f"{low:g}–{high:g}" for low, high in window.ranges_keV) or "unstated"
