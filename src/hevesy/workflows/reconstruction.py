"""Projections to an image: the recipe."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hevesy.errors import OutputFailed, UnknownName
from hevesy.stages.quantification.reconstruction import (
    Measurement,
    Quadratic,
    RelativeDifference,
    Schedule,
    bsrem,
    mlem,
    osem,
    osl_map,
)
from hevesy.stages.quantification.reconstruction.analytic import filtered_backprojection, smoothed

ALGORITHMS = ("osem", "mlem", "osl", "bsrem", "fbp")
PRIORS = {"quadratic": Quadratic, "relative-difference": RelativeDifference}


@dataclass(frozen=True, slots=True)
class Recipe:
    """How an image is made.

    Parameters
    ----------
    algorithm : str
        One of `ALGORITHMS`.
    schedule : Schedule
        Iterations and subsets; MLEM uses one subset.
    prior : str
        One of `PRIORS`; used by ``osl`` and ``bsrem``.
    strength : float
        The prior's weight.
    filter_fwhm_mm : float
        Full width at half maximum of a Gaussian applied at last, mm; 0 for none.

    Raises
    ------
    UnknownName
        If there is no such algorithm or prior.
    """

    algorithm: str = "osem"
    schedule: Schedule = field(default_factory=Schedule)
    prior: str = "relative-difference"
    strength: float = 0.0
    filter_fwhm_mm: float = 0.0

    def __post_init__(self) -> None:
        if self.algorithm not in ALGORITHMS:
            raise UnknownName(f"There is no algorithm '{self.algorithm}'.", f"Known are: {', '.join(ALGORITHMS)}.")
        if self.prior not in PRIORS:
            raise UnknownName(f"There is no prior '{self.prior}'.", f"Known are: {', '.join(PRIORS)}.")


def reconstruct(
    measurement: Measurement, recipe: Recipe, progress: Callable[[int], None] = lambda iteration: None
) -> NDArray[np.float32]:
    """Return the image (side, side, slices) of a measurement, in the unit that the system takes to counts.

    Parameters
    ----------
    measurement : Measurement
        Counts and system.
    recipe : Recipe
        How the image is made.
    progress : callable, optional
        Told the number of each iteration as it ends, from 1.
    """

    def tell(iteration: int, _: NDArray[np.float32]) -> None:
        progress(iteration)

    schedule = recipe.schedule
    prior = PRIORS[recipe.prior](recipe.strength)
    if recipe.algorithm == "fbp":
        image = filtered_backprojection(measurement.system, measurement.counts)
    elif recipe.algorithm == "mlem":
        image = mlem(measurement, schedule.iterations, progress=tell)
    elif recipe.algorithm == "osl":
        image = osl_map(measurement, schedule, prior, progress=tell)
    elif recipe.algorithm == "bsrem":
        image = bsrem(measurement, schedule, prior, progress=tell)
    else:
        image = osem(measurement, schedule, progress=tell)
    return smoothed(image, measurement.system.lattice, recipe.filter_fwhm_mm)


def write_image(image: NDArray[np.float32], folder: Path) -> Path:
    """Write an image as ``image.npz``, key ``image``, into a folder, which is made if absent; return its path.

    Raises
    ------
    OutputFailed
        If it cannot be written; an earlier image stays as it was.
    """
    target = folder / "image.npz"
    part = folder / ".image.part.npz"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(part, image=image)
        part.replace(target)
    except OSError as fault:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise OutputFailed(f"{target} could not be written ({fault.strerror}).", "Choose another --out.") from fault
    return target
