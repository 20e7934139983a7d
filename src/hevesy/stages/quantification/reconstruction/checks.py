"""What must hold between a μ-map and the counts seen through it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from hevesy.core import Image
from hevesy.core.planar import EnergyWindow
from hevesy.errors import BadInput, ContradictoryInformation, IncompleteSeries, WrongQuantity
from hevesy.stages.quantification.reconstruction.system import AIR_PER_MM, Lattice

#: blur carries counts this far beyond the body, mm
BLUR_MM = 50.0
#: part of the counts that may come from slices where the μ-map is empty
STRAY = 0.02
#: part of the μ-map's outline that may be tissue before the body is taken to be cut off
TOUCHING = 0.02

#: CT numbers above this are tissue, below that nothing
SOFT_HU, EMPTY_HU = -300.0, -950.0
#: part of the outline of a CT's field of view that a table may fill
CUT = 0.05


def require_whole_mu_map(mu_per_mm: NDArray[Any], counts: NDArray[Any], lattice: Lattice) -> None:
    """Refuse a μ-map that does not hold the whole of what was counted.

    Parameters
    ----------
    mu_per_mm : (side, side, slices) array
        Linear attenuation coefficients, 1/mm.
    counts : (views, side, slices) array
        Projections.
    lattice : Lattice
        Sizes of both.

    Raises
    ------
    IncompleteSeries
        If tissue reaches the edge across the axis of rotation, or counts come from slices that the map leaves empty.
    """
    tissue = np.asarray(mu_per_mm) > AIR_PER_MM
    edge = np.concatenate([tissue[0], tissue[-1], tissue[:, 0], tissue[:, -1]])
    if edge.mean() > TOUCHING:
        raise IncompleteSeries(
            f"The μ-map is truncated: {edge.mean():.0%} of its edge across the axis of rotation is tissue.",
            "Give a CT of a wider field of view, or accept the error with --allow-truncated-mu.",
        )
    covered = np.flatnonzero(tissue.any(axis=(0, 1)))
    away = np.abs(np.arange(lattice.slices)[:, None] - covered[None, :]).min(axis=1, initial=lattice.slices)
    reached = away * lattice.slice_mm <= BLUR_MM
    of_slices = counts.sum(axis=(0, 1), dtype=np.float64)
    stray = float(of_slices[~reached].sum() / max(of_slices.sum(), 1.0))
    if stray > STRAY:
        raise IncompleteSeries(
            f"The μ-map is truncated: {stray:.0%} of the counts come from slices where it is empty.",
            "Give a CT that covers the projections, or accept the error with --allow-truncated-mu.",
        )


def require_whole_ct(ct: Image) -> None:
    """Refuse a CT whose field of view cuts the body off across the axis.

    Parameters
    ----------
    ct : Image
        CT numbers, HU; array axes 0 and 1 lie across the body. What lies beyond a round field of view holds less than
        −950 HU.

    Raises
    ------
    IncompleteSeries
        If more than 5% of the outline of its field of view is tissue; a table is less.
    """
    values = np.asarray(ct.values)
    sides = [side > SOFT_HU for side in (values[0], values[-1], values[:, 0], values[:, -1])]
    cut = max(float(side.mean()) for side in sides)
    half = (np.array(values.shape[:2]) - 1) / 2
    around = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    ring, beyond = (
        values[tuple(np.round(half[:, None] * (1 + share * np.stack([np.cos(around), np.sin(around)]))).astype(int))]
        for share in (0.97, 1.0)
    )
    corner = values[0, 0].max() < EMPTY_HU and values[-1, -1].max() < EMPTY_HU and (beyond < EMPTY_HU).mean() > 0.5
    cut = max(cut, float((ring > SOFT_HU).mean()) if corner else 0.0)
    if cut > CUT:
        raise IncompleteSeries(
            f"The CT is truncated: {cut:.0%} of the outline of its field of view is tissue, so that part of the body"
            " would not attenuate.",
            "Give a CT of a wider field of view, or accept the error with --allow-truncated-mu.",
        )


def near_tissue(mu_per_mm: NDArray[Any], lattice: Lattice, within_mm: float) -> NDArray[np.bool_]:
    """Return the voxels within a distance of a μ-map's tissue, where activity may be: (side, side, slices).

    Raises
    ------
    BadInput
        If the distance is negative.
    WrongQuantity
        If the map holds no tissue.
    """
    if not 0 <= within_mm < float("inf"):
        raise BadInput(f"Activity cannot lie within {within_mm:g} mm of the body.", "Give a distance of 0 or more.")
    tissue = np.asarray(mu_per_mm) > AIR_PER_MM
    if not tissue.any():
        raise WrongQuantity("The μ-map holds no tissue to which activity could be held.")
    spacing = (lattice.pixel_mm, lattice.pixel_mm, lattice.slice_mm)
    return np.asarray(distance_transform_edt(~tissue, sampling=spacing) <= within_mm)


def require_window(window: EnergyWindow, photon_keV: float) -> None:
    """Refuse counts of an energy window that does not hold the photon that is to be reconstructed.

    Raises
    ------
    ContradictoryInformation
        If no range of the window holds the photon's energy; a window without ranges holds every energy.
    """
    if window.ranges_keV and not any(low <= photon_keV <= high for low, high in window.ranges_keV):
        ranges = ", ".join(f"{low:g}–{high:g}" for low, high in window.ranges_keV)
        raise ContradictoryInformation(
            f"The energy window {window.name} ({ranges} keV) does not hold the photon of {photon_keV:g} keV.",
            "Choose the photopeak's projections, or the photon that they hold.",
        )
