"""How wide a camera sees a point: the standard deviation of a Gaussian, against distance from the detector's face."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hevesy.core.collimator import Collimator
from hevesy.errors import BadInput
from hevesy.physics import collimation

#: full width at half maximum of a Gaussian over its standard deviation
FWHM_PER_SIGMA = float(2 * np.sqrt(2 * np.log(2)))


class Response(Protocol):
    """A collimator–detector response."""

    def sigma_mm(self, distance_mm: ArrayLike) -> NDArray[np.float64]:
        """Return the standard deviation at distances from the detector's face, both in mm."""
        ...


@dataclass(frozen=True, slots=True)
class LinearResponse:
    """σ = slope · d + intercept.

    Parameters
    ----------
    slope : float
        Growth of σ with distance, mm per mm.
    intercept_mm : float
        σ at the detector's face, mm.

    Raises
    ------
    BadInput
        If either is negative or not finite.
    """

    slope: float
    intercept_mm: float

    def __post_init__(self) -> None:
        _require_widths(slope=self.slope, intercept=self.intercept_mm)

    def sigma_mm(self, distance_mm: ArrayLike) -> NDArray[np.float64]:
        """Return the standard deviation at distances from the detector's face, both in mm."""
        return self.slope * np.asarray(distance_mm, np.float64) + self.intercept_mm


@dataclass(frozen=True, slots=True)
class QuadratureResponse:
    """σ = √(σ₀² + (slope · d + intercept)²): intrinsic and geometric blur are independent.

    Parameters
    ----------
    intrinsic_mm : float
        σ₀ of the crystal and its electronics, mm.
    slope : float
        Growth of the collimator's σ with distance, mm per mm.
    intercept_mm : float
        The collimator's σ at its face, mm.

    Raises
    ------
    BadInput
        If one is negative or not finite.
    """

    intrinsic_mm: float
    slope: float
    intercept_mm: float = 0.0

    def __post_init__(self) -> None:
        _require_widths(intrinsic=self.intrinsic_mm, slope=self.slope, intercept=self.intercept_mm)

    def sigma_mm(self, distance_mm: ArrayLike) -> NDArray[np.float64]:
        """Return the standard deviation at distances from the detector's face, both in mm."""
        return np.hypot(self.intrinsic_mm, self.slope * np.asarray(distance_mm, np.float64) + self.intercept_mm)


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredResponse:
    """σ interpolated between measured distances, and held beyond the last.

    Parameters
    ----------
    distances_mm, fwhm_mm : sequences of n numbers
        Rising distances from the detector's face and the full width at half maximum measured there, mm.

    Raises
    ------
    BadInput
        If distances do not rise, or a width falls with distance or is negative.
    """

    distances_mm: tuple[float, ...]
    fwhm_mm: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.distances_mm) != len(self.fwhm_mm) or len(self.fwhm_mm) < 2:
            raise BadInput("A measured response needs two or more distances and as many widths.")
        if np.min(np.diff(self.distances_mm)) <= 0 or np.min(np.diff(self.fwhm_mm)) < 0 or min(self.fwhm_mm) < 0:
            raise BadInput("A measured response needs rising distances and widths that do not fall with distance.")

    def sigma_mm(self, distance_mm: ArrayLike) -> NDArray[np.float64]:
        """Return the standard deviation at distances from the detector's face, both in mm."""
        fwhm = np.interp(np.asarray(distance_mm, np.float64), self.distances_mm, self.fwhm_mm)
        return np.asarray(fwhm / FWHM_PER_SIGMA)


@dataclass(frozen=True, slots=True)
class ScaledResponse:
    """Another response, a factor wider at every distance, such as by its uncertainty."""

    response: Response
    factor: float

    def sigma_mm(self, distance_mm: ArrayLike) -> NDArray[np.float64]:
        """Return the standard deviation at distances from the detector's face, both in mm."""
        return self.factor * self.response.sigma_mm(distance_mm)


@dataclass(frozen=True, slots=True)
class SharpenedResponse:
    """Another response, less what a projector's lattice blurs by itself.

    Rotation interpolates linearly between voxels of side p, which blurs by a variance of p²/6 across the axis of
    rotation and not along it (a triangle of half width p); p²/12 is taken from both directions.

    Parameters
    ----------
    response : Response
        What the camera has.
    pixel_mm : float
        Side of a voxel across the axis of rotation, mm.
    """

    response: Response
    pixel_mm: float

    def sigma_mm(self, distance_mm: ArrayLike) -> NDArray[np.float64]:
        """Return the standard deviation at distances from the detector's face, both in mm."""
        variance = self.response.sigma_mm(distance_mm) ** 2
        return np.asarray(np.sqrt(np.maximum(variance - self.pixel_mm**2 / 12, variance / 4)))


def _require_widths(**widths: Any) -> None:
    wrong = {name: value for name, value in widths.items() if not 0 <= value < float("inf")}
    if wrong:
        raise BadInput(f"A response cannot have {wrong}.", "Widths and slopes are positive, in mm.")


def collimator_response(
    collimator: Collimator, photon_keV: float, intrinsic_fwhm_mm: float, gap_mm: float = 0.0
) -> QuadratureResponse:
    """Return the response of a collimator of known geometry in front of a detector of known intrinsic resolution.

    Parameters
    ----------
    collimator : Collimator
        Its geometry.
    photon_keV : float
        Energy of the photon that is counted, keV.
    intrinsic_fwhm_mm : float
        Full width at half maximum of the detector without collimator, mm.
    gap_mm : float
        Distance from the collimator's back to where photons are detected, mm.
    """
    face, far = collimation.geometric_fwhm_mm(collimator, photon_keV, [0.0, 1000.0], gap_mm) / FWHM_PER_SIGMA
    return QuadratureResponse(intrinsic_fwhm_mm / FWHM_PER_SIGMA, float(far - face) / 1000.0, float(face))
