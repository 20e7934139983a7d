"""What a reconstruction keeps of each region's activity, from the camera's own model instead of spheres.

Resolution takes activity out of an outline and brings the neighbours' in. Both are found by projecting the outlines
themselves, filled with activity, through the system model and reconstructing them as the measured counts were: the
geometric transfer matrix of Rousset, Ma and Evans 1998 (J Nucl Med 39:904), taken about the activities that are sought
(Du, Tsui and Frey 2005, IEEE Trans Med Imaging 24:969), so that it holds although the reconstruction is not linear.
Activity within a region is taken as even, and as the image shows it (Erlandsson et al. 2012, Phys Med Biol 57:R119,
iterative Yang); the mean of both is used, half their difference is its uncertainty.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from hevesy.errors import BadInput, GridMismatch, OutsideValidity
from hevesy.stages.quantification.reconstruction.likelihood import Measurement
from hevesy.stages.quantification.reconstruction.response import SharpenedResponse
from hevesy.stages.quantification.reconstruction.septal import with_core
from hevesy.stages.quantification.reconstruction.system import SystemModel

Array = NDArray[np.float32]
Reconstruct = Callable[[Measurement], Array]
#: of activities: the third changes an organ by less than 0.1%, a lesion of 4 mL by 0.5%
ROUNDS = 3
#: a region of which less is kept is not corrected but guessed
LEAST_RECOVERY = 0.2
#: standard deviation of the smoothing of seen over modelled images, voxels, and the range of their ratio
SMOOTH_VOXELS, RATIO = 1.0, (0.5, 2.0)


@dataclass(frozen=True, slots=True, eq=False)
class Recovered:
    """Regions of one reconstruction, corrected.

    Parameters
    ----------
    image : (side, side, slices) array
        The reconstruction.
    apparent : (n,) array
        Sum of the image over each region.
    coefficient : (n,) array
        Apparent over true sum.
    u_relative : (n,) array
        Standard uncertainty of the coefficient, relative: from how activity lies within a region, half the
        difference between even activity and activity that lies as the image shows; and from the response.
    """

    image: Array = field(repr=False)
    apparent: NDArray[np.float64]
    coefficient: NDArray[np.float64]
    u_relative: NDArray[np.float64]

    @property
    def true(self) -> NDArray[np.float64]:
        """Apparent sums over coefficients, (n,)."""
        return self.apparent / self.coefficient


def recover(
    measurement: Measurement, regions: NDArray[Any], reconstruct: Reconstruct, blurrier: SystemModel | None = None
) -> Recovered:
    """Reconstruct a measurement, and find what the image keeps of each region's activity.

    Parameters
    ----------
    measurement : Measurement
        Counts and system.
    regions : (n, side, side, slices) array
        Covered fraction of each voxel, 0 to 1, by regions that together hold all activity: the last one usually is
        what remains of the body. Where two share a voxel, their fractions there add up to no more than 1.
    reconstruct : callable
        Makes an image of a measurement.
    blurrier : SystemModel, optional
        The system with a response wider by its standard uncertainty: what a camera like that would keep of the
        regions, reconstructed as if it were the other, is added to the uncertainty.

    Raises
    ------
    GridMismatch
        If regions do not fit the system.
    BadInput
        If a region is empty, or regions overlap.
    OutsideValidity
        If a region holds nothing, or less than a fifth of it is kept.
    """
    _require_regions(regions, measurement)
    image = reconstruct(measurement)
    apparent = _sums(image, regions)
    if not (apparent > 0).all():
        raise OutsideValidity("A region holds no activity, so that its recovery cannot be found.")
    camera = _sharpened(measurement.system)
    kept, shapes = np.ones_like(apparent), _to_one(regions)
    for _ in range(ROUNDS):
        kept, modelled = _kept(measurement, apparent / kept, shapes, (regions, camera), reconstruct)
    shapes = _to_one(shapes * _ratio(image, modelled))
    shaped, _ = _kept(measurement, apparent / kept, shapes, (regions, camera), reconstruct)
    coefficient = (kept + shaped) / 2
    _require_recovery(coefficient)
    u = np.abs(kept - shaped) / (2 * coefficient)
    if blurrier is not None:
        other, _ = _kept(measurement, apparent / coefficient, shapes, (regions, _sharpened(blurrier)), reconstruct)
        u = np.hypot(u, other / shaped - 1)
    return Recovered(image, apparent, coefficient, u)


def counting_u(
    measurement: Measurement,
    regions: NDArray[Any],
    reconstruct: Reconstruct,
    random: np.random.Generator,
    replicates: int,
) -> NDArray[np.float64]:
    """Return the relative standard uncertainty of each region's sum from counting, (n,), by the Poisson bootstrap.

    See `hevesy.stages.quantification.reconstruction.uncertainty.bootstrap`; images are not kept.

    Raises
    ------
    BadInput
        If there are fewer than two replicates.
    """
    if replicates < 2:
        raise BadInput(f"Uncertainty needs two or more replicates, not {replicates}.")
    drawn = (replace(measurement, counts=random.poisson(measurement.counts)) for _ in range(replicates))
    sums = np.array([_sums(reconstruct(one), regions) for one in drawn])
    return np.asarray(sums.std(axis=0, ddof=1) / sums.mean(axis=0))


def scatter_u(
    measurement: Measurement,
    apparent: NDArray[np.float64],
    regions: NDArray[Any],
    reconstruct: Reconstruct,
    u_amount: float,
) -> NDArray[np.float64]:
    """Return the relative standard uncertainty of each region's sum from the scatter estimate, (n,).

    Its amount is known to `u_amount`. Its shape is that of scatter from an image, which is less sharp than what is in
    the patient and at most as blurred as the camera sees: what one more such blur does is the limit of a rectangular
    distribution that begins at none. So scatter is missing beneath small hot regions, and more so the smaller they are.

    Parameters
    ----------
    measurement : Measurement
        Without an additive term, or a response, there is nothing to doubt.
    apparent : (n,) array
        Sum of its image over each region.
    regions, reconstruct
        As for `recover`.
    u_amount : float
        Relative standard uncertainty of the total of the scatter estimate.
    """
    scatter, response = measurement.additive, measurement.system.response
    if scatter is None or response is None:
        return np.zeros_like(apparent)
    lattice, away = measurement.system.lattice, np.array([np.median(measurement.system.orbit.radii_mm)])
    blur_mm = float(response.sigma_mm(away)[0])
    blurred = gaussian_filter(scatter, (0, blur_mm / lattice.pixel_mm, blur_mm / lattice.slice_mm))
    amount, shape = (
        _sums(reconstruct(replace(measurement, additive=np.asarray(other, np.float32))), regions) / apparent - 1
        for other in (scatter * (1 + u_amount), blurred)
    )
    return np.asarray(np.hypot(amount, shape / np.sqrt(3)))


def _to_one(shapes: NDArray[Any]) -> NDArray[Any]:
    """Scale each region's shape to a sum of 1."""
    return np.asarray(shapes / shapes.sum(axis=(1, 2, 3), keepdims=True))


def _kept(
    measurement: Measurement,
    sums: NDArray[np.float64],
    shapes: NDArray[Any],
    seen: tuple[NDArray[Any], SystemModel],
    reconstruct: Reconstruct,
) -> tuple[NDArray[np.float64], Array]:
    """Project sums of given shapes by a camera, reconstruct, and return what regions keep of them, and the image."""
    regions, camera = seen
    volume = np.tensordot(sums, shapes, axes=1).astype(np.float32)
    expected = np.maximum(replace(measurement, system=camera).expected(volume), 0)
    image = reconstruct(replace(measurement, counts=expected))
    return _sums(image, regions) / sums, image


def _sharpened(system: SystemModel) -> SystemModel:
    """Return a system that sees as the camera does, without the blur of the projector's own lattice."""
    if system.response is None:
        return system
    sharp = with_core(system.response, lambda core: SharpenedResponse(core, system.lattice.pixel_mm))
    return SystemModel(system.lattice, system.orbit, sharp, system.mu_per_mm)


def _ratio(seen: Array, modelled: Array) -> Array:
    """Return how much more than modelled is seen, where something is modelled; both smoothed to tame noise."""
    below = gaussian_filter(modelled, SMOOTH_VOXELS)
    ratio = gaussian_filter(seen, SMOOTH_VOXELS) / np.maximum(below, 1e-3 * below.max())
    return np.asarray(np.clip(ratio, *RATIO), np.float32)


def _sums(image: Array, regions: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(np.tensordot(regions.astype(np.float64), image, axes=3), np.float64)


def _require_regions(regions: NDArray[Any], measurement: Measurement) -> None:
    shape = measurement.system.lattice.shape
    if regions.ndim != 4 or regions.shape[1:] != shape:
        raise GridMismatch(f"Regions of {regions.shape} do not fit the system's {shape}.")
    if not regions.any(axis=(1, 2, 3)).all():
        raise BadInput("A region covers no voxel of the reconstruction.")
    if regions.min() < 0 or regions.sum(axis=0).max() > 1 + 1e-3:
        raise BadInput("Regions overlap, so that activity there has no one owner.", "Take the smaller from the larger.")


def _require_recovery(coefficient: NDArray[np.float64]) -> None:
    if coefficient.min() < LEAST_RECOVERY:
        raise OutsideValidity(
            f"Of a region {coefficient.min():.0%} of its activity is kept: too little to correct.",
            "Report its apparent activity, or leave it out.",
        )
