"""What a camera would count of a known activity: the system model forwards, with decay and noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hevesy.errors import BadInput, WrongQuantity
from hevesy.stages.quantification.reconstruction.system import Lattice, SystemModel

Counts = NDArray[np.float64]
#: what attenuates more than this is body: lung has about 0.004/mm at 200 keV
BODY_MU_PER_MM = 0.003


@dataclass(frozen=True, slots=True)
class Acquisition:
    """How a scan is taken.

    Parameters
    ----------
    seconds_per_view : float
        How long each view is counted, s.
    sensitivity : float
        Counts per second and becquerel of one head, without attenuation.
    heads : int
        Detectors that count at the same time, each an equal and consecutive share of the views.
    decay_constant : float
        Physical, 1/s; activity is given at the start of the scan. 0 is no decay.
    step_s : float
        Time lost between one view and the next, s.

    Raises
    ------
    BadInput
        If a number is impossible.
    """

    seconds_per_view: float
    sensitivity: float
    heads: int = 1
    decay_constant: float = 0.0
    step_s: float = 0.0

    def __post_init__(self) -> None:
        if not (self.seconds_per_view > 0 and self.sensitivity > 0 and self.heads >= 1):
            raise BadInput(f"A scan needs time, sensitivity and a head, not {self}.")
        if self.decay_constant < 0 or self.step_s < 0:
            raise BadInput(f"Decay and lost time cannot be negative, as in {self}.")

    def starts_s(self, views: int) -> NDArray[np.float64]:
        """Return when each view starts, s after the start of the scan.

        Raises
        ------
        BadInput
            If the views cannot be shared equally among the heads.
        """
        if views % self.heads:
            raise BadInput(f"{views} views cannot be shared equally among {self.heads} heads.")
        return np.asarray(
            (np.arange(views) % (views // self.heads)) * (self.seconds_per_view + self.step_s), np.float64
        )

    def decays_per_becquerel(self, views: int) -> NDArray[np.float64]:
        """Return the decays during each view of a becquerel at the start: ∫ exp(−λt) dt, s."""
        rate = self.decay_constant
        mean = -np.expm1(-rate * self.seconds_per_view) / rate if rate > 0 else self.seconds_per_view
        return np.asarray(mean * np.exp(-rate * self.starts_s(views)))


def mean_counts(system: SystemModel, activity: NDArray[Any], scan: Acquisition) -> NDArray[np.float64]:
    """Return expected counts (views, bins, slices) of an activity concentration.

    Parameters
    ----------
    system : SystemModel
        Geometry, attenuation and response.
    activity : (side, side, slices) array
        Bq/mL at the start of the scan.
    scan : Acquisition
        How it is counted.

    Raises
    ------
    WrongQuantity
        If the activity is negative or not finite.
    GridMismatch
        If it does not fit the system.
    """
    if not np.isfinite(activity).all() or np.min(activity) < 0:
        raise WrongQuantity("An activity to be simulated must be 0 or more, in Bq/mL.")
    lattice = system.lattice
    voxel_mL = lattice.pixel_mm**2 * lattice.slice_mm * 1e-3
    decays = scan.decays_per_becquerel(system.views) * voxel_mL
    seen = np.maximum(system.forward(activity), 0).astype(np.float64)  # five-tap filters ring below zero by 1e-4
    return np.asarray(seen * (scan.sensitivity * decays)[:, None, None])


def counts_per_concentration(system: SystemModel, scan: Acquisition) -> float:
    """Return what a reconstruction of the scan holds in a voxel for each Bq/mL at the start of the scan.

    Divide an image by it to have Bq/mL; decay during the scan is that of the mean view.
    """
    lattice = system.lattice
    voxel_mL = lattice.pixel_mm**2 * lattice.slice_mm * 1e-3
    return float(scan.sensitivity * voxel_mL * scan.decays_per_becquerel(system.views).mean())


def simulate(
    system: SystemModel,
    activity: NDArray[Any],
    scan: Acquisition,
    random: np.random.Generator,
    scatter: NDArray[Any] | None = None,
) -> NDArray[np.int64]:
    """Return counts with Poisson noise; see `mean_counts`. `scatter` is the mean of what else is counted."""
    mean = mean_counts(system, activity, scan)
    return random.poisson(mean if scatter is None else mean + scatter)


def rebinned(counts: NDArray[Any], lattice: Lattice, shape: tuple[int, int], pixel_mm: tuple[float, float]) -> Counts:
    """Share counts of a lattice's bins among those of a detector about the same centre, by overlap.

    Parameters
    ----------
    counts : (..., side, slices) array
        As `mean_counts` gives them.
    lattice : Lattice
        Whose bins they are.
    shape : (int, int)
        Bins of the detector across and along the axis of rotation.
    pixel_mm : (float, float)
        Their sizes, mm.

    Returns
    -------
    (..., bins, rows) array
        What falls beside the detector is lost.
    """
    across = _overlap(lattice.side, lattice.pixel_mm, shape[0], pixel_mm[0])
    along = _overlap(lattice.slices, lattice.slice_mm, shape[1], pixel_mm[1])
    return np.asarray(across @ np.asarray(counts, np.float64) @ along.T)


def _overlap(count: int, size: float, wanted: int, wanted_size: float) -> Counts:
    """Return which part of each of `count` bins lies in each of the `wanted` ones, (wanted, count)."""
    edges = (np.arange(count + 1) - count / 2) * size
    bounds = (np.arange(wanted + 1) - wanted / 2) * wanted_size
    common = np.minimum(edges[1:], bounds[1:, None]) - np.maximum(edges[:-1], bounds[:-1, None])
    return np.asarray(np.clip(common, 0, None) / size)


def contour_radii_mm(
    mu_per_mm: NDArray[Any], lattice: Lattice, angles_deg: NDArray[np.float64], gap_mm: float
) -> Counts:
    """Return how near a detector comes at each angle, mm: as near as the body allows, and a gap (mm)."""
    body = np.argwhere((np.asarray(mu_per_mm) > BODY_MU_PER_MM).any(axis=2))
    if not body.size:
        raise BadInput("The μ-map holds no body for the detector to follow.", "Give a radius.")
    place = (body - (lattice.side - 1) / 2) * lattice.pixel_mm
    theta = np.deg2rad(angles_deg)
    reach = place @ np.stack([np.sin(theta), np.cos(theta)])
    return np.asarray(reach.max(axis=0) + lattice.pixel_mm / 2 + gap_mm)
