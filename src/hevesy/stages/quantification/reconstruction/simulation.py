"""What a camera would count of a known activity: the system model forwards, with decay and noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hevesy.errors import BadInput, WrongQuantity
from hevesy.stages.quantification.reconstruction.system import SystemModel


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
