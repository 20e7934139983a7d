"""Iterative reconstruction by Poisson likelihood: MLEM, OSEM, one-step-late MAP and BSREM."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hevesy.errors import BadInput, GridMismatch, WrongQuantity
from hevesy.stages.quantification.reconstruction.priors import Prior
from hevesy.stages.quantification.reconstruction.schedule import Schedule
from hevesy.stages.quantification.reconstruction.septal import TailedResponse
from hevesy.stages.quantification.reconstruction.system import SystemModel

Array = NDArray[np.float32]
#: called after each iteration with its number, from 1, and the image
Progress = Callable[[int, Array], None]
#: a bin expected to hold less than this fraction of the mean count is one that no voxel is seen by
UNSEEN = 1e-6
#: the least that a one-step-late denominator may fall to, as a fraction of the sensitivity
LATE_FLOOR = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """Counts, the system that made them, and what else was counted.

    Parameters
    ----------
    system : SystemModel
        What the camera sees of a volume.
    counts : (views, bins, slices) array
        Measured counts.
    additive : (views, bins, slices) array or None
        Expected counts that are not primary photons of the volume, such as scatter; None means none.

    Raises
    ------
    GridMismatch
        If sizes do not agree.
    WrongQuantity
        If counts or the additive term are negative or not finite, or no count was measured.
    """

    system: SystemModel
    counts: NDArray[Any] = field(repr=False)
    additive: NDArray[Any] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name in ("counts", "additive"):
            value = getattr(self, name)
            if value is None:
                continue
            array = np.ascontiguousarray(value, np.float32)
            if array.shape != self.system.projection_shape:
                raise GridMismatch(f"The {name} {array.shape} are not the system's {self.system.projection_shape}.")
            if not np.isfinite(array).all() or array.min() < 0:
                raise WrongQuantity(
                    f"Expected {name} of 0 or more; got {np.min(array):.4g} as the least.",
                    "Projections must be counts as measured: not filtered, and not corrected by subtraction.",
                )
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        if not self.counts.any():
            raise WrongQuantity("The projections hold no count.")

    @property
    def floor(self) -> float:
        """Expected counts below which a bin is seen by no voxel."""
        return UNSEEN * float(self.counts.mean(dtype=np.float64))

    def expected(self, volume: Array, views: NDArray[np.int64] | None = None) -> Array:
        """Return the mean counts of some views (all by default) for a volume."""
        mean = self.system.forward(volume, views)
        if self.additive is not None:
            mean += self.additive if views is None else self.additive[views]
        return mean

    def ratio(self, volume: Array, views: NDArray[np.int64]) -> Array:
        """Return measured over expected counts; 0 in bins that no voxel is seen by."""
        mean, floor = self.expected(volume, views), self.floor
        ratio: Array = np.divide(self.counts[views], mean, out=np.zeros_like(mean), where=mean > floor)
        return ratio

    def backward_ratio(self, volume: Array, views: NDArray[np.int64]) -> Array:
        """Return the system's transpose applied to the `ratio`, view by view."""
        if isinstance(self.system.response, TailedResponse):
            return self.system.backward(self.ratio(volume, views), views)
        return self.system.backward_ratio(volume, self.counts, self.additive, self.floor, views)

    def log_likelihood(self, volume: Array) -> float:
        """Return Σ (y ln ȳ − ȳ), the Poisson log-likelihood less what does not depend on the volume."""
        mean = self.expected(volume).astype(np.float64)
        seen = mean > self.floor
        return float(np.sum(self.counts[seen] * np.log(mean[seen])) - np.sum(mean[seen]))


def mlem(
    measurement: Measurement, iterations: int, start: Array | None = None, progress: Progress | None = None
) -> Array:
    """Reconstruct by maximum-likelihood expectation maximisation (Shepp and Vardi 1982, IEEE Trans Med Imaging 1:113).

    See `osem`, of which this is the case of one subset.
    """
    return osem(measurement, Schedule(iterations, 1), start, progress)


def osem(
    measurement: Measurement, schedule: Schedule, start: Array | None = None, progress: Progress | None = None
) -> Array:
    """Reconstruct by ordered-subsets expectation maximisation (Hudson and Larkin 1994, IEEE Trans Med Imaging 13:601).

    f ← f / (A_sᵀ1) · A_sᵀ(y / (A_s f + r)), subset s after subset (equation 1 there).

    Parameters
    ----------
    measurement : Measurement
        Counts and system.
    schedule : Schedule
        Iterations and subsets.
    start : (side, side, slices) array, optional
        First image; ones by default.
    progress : callable, optional
        Called after each iteration with its number and the image.

    Returns
    -------
    (side, side, slices) array
        Image in the unit that the system's `forward` takes to counts.
    """
    return _expectation_maximisation(measurement, schedule, start, progress)


def osl_map(
    measurement: Measurement,
    schedule: Schedule,
    prior: Prior,
    start: Array | None = None,
    progress: Progress | None = None,
) -> Array:
    """Reconstruct by one-step-late maximum a posteriori (Green 1990, IEEE Trans Med Imaging 9:84, equation 9).

    As `osem`, with the prior's gradient at the present image, shared among the subsets, added to the sensitivity.
    """
    return _expectation_maximisation(measurement, schedule, start, progress, prior)


def _expectation_maximisation(
    measurement: Measurement,
    schedule: Schedule,
    start: Array | None,
    progress: Progress | None,
    prior: Prior | None = None,
) -> Array:
    system = measurement.system
    groups = schedule.groups(system.views)
    sensitivities = [system.sensitivity(views) for views in groups]
    image = _first(system, start)
    for iteration in range(schedule.iterations):
        before = image
        for views, sensitivity in zip(groups, sensitivities, strict=True):
            below = sensitivity
            if prior is not None:
                below = np.maximum(sensitivity + prior.gradient(image) / schedule.subsets, LATE_FLOOR * sensitivity)
            update = measurement.backward_ratio(image, views)
            np.divide(update, below, out=update, where=below > 0)  # where nothing is seen, the update is 0 as it is
            image = np.maximum(np.multiply(update, image, out=update), 0, out=update)
        if progress is not None:
            progress(iteration + 1, image)
        if schedule.settled(before, image):
            break
    return image


@dataclass(frozen=True, slots=True)
class Relaxation:
    """Steps that shrink: first / (1 + rate · iteration).

    Raises
    ------
    BadInput
        If the first step is not in (0, 1] or the rate is negative.
    """

    first: float = 1.0
    rate: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.first <= 1 or self.rate < 0:
            raise BadInput(f"A relaxation needs a first step in (0, 1] and a rate of 0 or more, not {self}.")

    def step(self, iteration: int) -> float:
        """Return the step of an iteration, from 0."""
        return self.first / (1 + self.rate * iteration)


def bsrem(
    measurement: Measurement,
    schedule: Schedule,
    prior: Prior,
    relaxation: Relaxation | None = None,
    progress: Progress | None = None,
) -> Array:
    """Reconstruct by block-sequential regularised expectation maximisation, which converges to the MAP image.

    f ← f + α_n D(f) [A_sᵀ(y / (A_s f + r) − 1) − ∇R(f) / S], with D = f / (Aᵀ1 / S) below half an upper bound and
    (U − f) / (Aᵀ1 / S) above it (Ahn and Fessler 2003, IEEE Trans Med Imaging 22:613, "modified BSREM", equations
    11 to 14), so that the limit is the same for every number of subsets while α_n falls to 0 and its sum does not.
    The first image is one iteration of OSEM.

    Parameters
    ----------
    measurement, schedule, progress
        See `osem`.
    prior : Prior
        Penalty; a weight of 0 gives the maximum-likelihood image.
    relaxation : Relaxation, optional
        The steps α_n.

    Returns
    -------
    (side, side, slices) array
        Image in the unit that the system's `forward` takes to counts.
    """
    system, relaxation = measurement.system, relaxation or Relaxation()
    groups = schedule.groups(system.views)
    total = system.sensitivity()
    scale = np.divide(schedule.subsets, total, out=np.zeros_like(total), where=total > 0)
    image = osem(measurement, Schedule(1, schedule.subsets))
    bound = upper_bound(measurement, total)
    least = np.float32(1e-6) * image.mean()
    sensitivities = [system.sensitivity(views) for views in groups]
    for iteration in range(schedule.iterations):
        before, step = image, np.float32(relaxation.step(iteration))
        for views, sensitivity in zip(groups, sensitivities, strict=True):
            slope = measurement.backward_ratio(image, views) - sensitivity
            slope -= prior.gradient(image) / np.float32(schedule.subsets)
            reach = np.where(image < bound / 2, image, bound - image)
            image = np.clip(image + step * scale * reach * slope, least, bound - least)
        if progress is not None:
            progress(iteration + 1, image)
        if schedule.settled(before, image):
            break
    return np.where(total > 0, image, np.float32(0))


def upper_bound(measurement: Measurement, sensitivity: Array) -> np.float32:
    """Return a value that no voxel of the image exceeds: all counts in the one voxel seen by a tenth of the typical."""
    typical = float(np.median(sensitivity[sensitivity > 0]))
    seen = sensitivity[sensitivity > 0.1 * typical]
    return np.float32(float(measurement.counts.sum(dtype=np.float64)) / float(seen.min()))


def _first(system: SystemModel, start: Array | None) -> Array:
    if start is None:
        return np.ones(system.lattice.shape, np.float32)
    if start.shape != system.lattice.shape or start.min() < 0:
        raise BadInput(f"A first image must be 0 or more on {system.lattice.shape}.")
    return np.asarray(start, np.float32)
