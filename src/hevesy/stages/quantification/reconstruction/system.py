"""The system model: what a camera would count, view by view, were the activity known."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hevesy.errors import BadInput, GridMismatch, OutsideValidity, WrongQuantity
from hevesy.kernels import projection as kernel
from hevesy.kernels.depth_blur import Walk, walk
from hevesy.kernels.view_lattice import FOCUSED, spans
from hevesy.stages.quantification.reconstruction.orbit import Orbit
from hevesy.stages.quantification.reconstruction.response import Response
from hevesy.stages.quantification.reconstruction.septal import FourierBlur, TailedResponse

Array = NDArray[np.float32]
#: survival probabilities of all views are kept while they fit in this; beyond, they are computed for each use
CACHE_BYTES = 1 << 30
#: μ beyond this is no tissue: cortical bone has 0.03/mm at 140 keV, so the unit must be wrong
LARGEST_MU_PER_MM = 0.1
#: less than this, 1/mm, is air
AIR_PER_MM = 0.002


@dataclass(frozen=True, slots=True)
class Lattice:
    """Sizes of the reconstructed volume, whose third axis is the axis of rotation.

    Parameters
    ----------
    side : int
        Voxels along the first and the second axis; also the number of bins across the detector.
    slices : int
        Voxels along the axis of rotation; also the number of bins along it.
    pixel_mm, slice_mm : float
        Size of a voxel across and along the axis of rotation, mm.

    Raises
    ------
    BadInput
        If a size is not positive.
    """

    side: int
    slices: int
    pixel_mm: float
    slice_mm: float

    def __post_init__(self) -> None:
        if min(self.side, self.slices, self.pixel_mm, self.slice_mm) <= 0:
            raise BadInput(f"A reconstruction needs positive sizes, not {self}.")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of the volume."""
        return self.side, self.side, self.slices


@dataclass(frozen=True, slots=True, eq=False)
class SystemModel:
    """A linear operator from a volume to projections, and its exact transpose.

    The volume is f[i, j, k] at x = (i − (n−1)/2)·pixel, y likewise with j, along the axis with k, in patient
    directions (left, posterior, along the axis). Projections are p[view, bin, k]: the sum over depth planes of
    f × survival × blur, without a voxel volume.

    Parameters
    ----------
    lattice : Lattice
        Sizes.
    orbit : Orbit
        Where the detector stood.
    response : Response or None
        Collimator–detector response; None means no blur.
    mu_per_mm : (side, side, slices) array or None
        Linear attenuation coefficient at the photon's energy, 1/mm; None means none.
    support : (side, side, slices) array of bool, or None
        Where there may be activity: elsewhere the volume is taken to be 0, which saves the time to walk there. None
        means everywhere.

    Raises
    ------
    GridMismatch
        If the μ-map or the support does not fit the lattice.
    WrongQuantity
        If a coefficient is negative, not finite or larger than any tissue's.
    OutsideValidity
        If the body reaches the focal line of a fan beam.
    BadInput
        If the response narrows with distance.
    """

    lattice: Lattice
    orbit: Orbit
    response: Response | None = None
    mu_per_mm: NDArray[Any] | None = field(default=None, repr=False)
    support: NDArray[np.bool_] | None = field(default=None, repr=False)
    frames: Array = field(init=False, repr=False)
    walk: Walk = field(init=False, repr=False)
    spans: NDArray[np.int64] = field(init=False, repr=False)
    _fourier: FourierBlur | None = field(init=False, repr=False)
    _survival: NDArray[np.uint16] | None = field(init=False, repr=False, default=None)

    def __post_init__(self) -> None:
        frames = self.orbit.frames(self.lattice.pixel_mm)
        object.__setattr__(self, "frames", frames)
        object.__setattr__(self, "walk", walk(self._variances()))
        object.__setattr__(self, "spans", spans(self._columns(), frames, self.lattice.side))
        object.__setattr__(self, "_fourier", self._fourier_blur())
        if self.mu_per_mm is None:
            object.__setattr__(self, "_survival", np.empty((0, *self.lattice.shape), np.uint16))
            return
        self._require_mu(self.mu_per_mm)
        self._require_before_focus(self.mu_per_mm)
        if 2 * self.views * int(np.prod(self.lattice.shape)) <= CACHE_BYTES:
            object.__setattr__(self, "_survival", self._survival_of(frames))

    @property
    def views(self) -> int:
        """Number of views."""
        return self.orbit.views

    @property
    def projection_shape(self) -> tuple[int, int, int]:
        """Shape of all projections (views, bins, slices)."""
        return self.views, self.lattice.side, self.lattice.slices

    def forward(self, volume: NDArray[Any], views: NDArray[np.int64] | None = None) -> Array:
        """Project a volume (side, side, slices) onto some views (all by default): (m, side, slices).

        Raises
        ------
        GridMismatch
            If the volume does not fit the lattice.
        """
        if volume.shape != self.lattice.shape:
            raise GridMismatch(f"A volume of {volume.shape} does not fit the system's {self.lattice.shape}.")
        chosen, optics = self._parts(views)
        if self._fourier is None:
            return kernel.project(self._within(volume), chosen, optics)
        return self._fourier_of(views).project(self._within(volume), chosen, optics)

    def backward(self, projections: NDArray[Any], views: NDArray[np.int64] | None = None) -> Array:
        """Apply the transpose of `forward` to projections (m, side, slices): (side, side, slices).

        Raises
        ------
        GridMismatch
            If the projections are not those of the views.
        """
        wanted = (self.views if views is None else views.size, *self.projection_shape[1:])
        if projections.shape != wanted:
            raise GridMismatch(f"Projections of shape {projections.shape} are not the {wanted} of the system.")
        chosen, optics = self._parts(views)
        values = np.ascontiguousarray(projections, np.float32)
        if self._fourier is None:
            return self._masked(kernel.backproject(values, chosen, optics))
        return self._masked(self._fourier_of(views).backproject(values, chosen, optics))

    def sensitivity(self, views: NDArray[np.int64] | None = None) -> Array:
        """Return the transpose applied to ones: how much each voxel is seen by some views (all by default)."""
        count = self.views if views is None else views.size
        return self.backward(np.ones((count, *self.projection_shape[1:]), np.float32), views)

    def backward_ratio(
        self, volume: Array, counts: Array, additive: Array | None, floor: float, views: NDArray[np.int64]
    ) -> Array:
        """Return the transpose applied to measured over expected counts of some views, without keeping these.

        For a response that is walked from plane to plane, not one with tails.

        Parameters
        ----------
        volume : (side, side, slices) array
            What the counts are expected of.
        counts, additive : (views, side, slices) arrays
            Of all views: measured, and expected besides the volume's; None means none.
        floor : float
            Expected counts below which a ratio is 0.
        views : (m,) array
            The views to use.
        """
        chosen, optics = self._parts(views)
        if chosen is not views:
            counts, additive = counts[views], None if additive is None else additive[views]
        besides = np.empty((0, *counts.shape[1:]), np.float32) if additive is None else additive
        return self._masked(kernel.backproject_ratio(self._within(volume), counts, besides, floor, chosen, optics))

    def _within(self, volume: NDArray[Any]) -> Array:
        """Copy a volume into a border of zeros, and leave out what lies outside the support."""
        return _bordered(volume if self.support is None else volume * self.support)

    def _masked(self, volume: Array) -> Array:
        if self.support is not None:
            volume *= self.support
        return volume

    def _columns(self) -> NDArray[np.bool_]:
        """Return which columns along the axis of rotation may hold activity, with a border that holds none."""
        if self.support is None:
            return np.pad(np.ones(self.lattice.shape[:2], np.bool_), 1)
        if self.support.shape != self.lattice.shape:
            raise GridMismatch(f"A support of {self.support.shape} does not fit the system's {self.lattice.shape}.")
        return np.pad(np.asarray(self.support, np.bool_).any(axis=2), 1)

    def _parts(self, views: NDArray[np.int64] | None) -> tuple[NDArray[np.int64], kernel.Optics]:
        chosen = np.arange(self.views) if views is None else np.asarray(views, np.int64)
        if self._survival is not None:
            return chosen, kernel.Optics(self._survival, self.frames, self.walk, self.spans)
        frames = self.frames[chosen]
        optics = kernel.Optics(self._survival_of(frames), frames, self.walk.of(chosen), self.spans[chosen])
        return np.arange(chosen.size), optics

    def _survival_of(self, frames: Array) -> NDArray[np.uint16]:
        assert self.mu_per_mm is not None
        mu = _bordered(np.asarray(self.mu_per_mm, np.float64) * self.lattice.pixel_mm)
        chances: NDArray[np.uint16] = kernel.survival(mu, frames, self.lattice.side)
        return chances

    def _distances(self) -> NDArray[np.float64]:
        """Return how far each plane of each view lies from the detector's face, mm: (views, side)."""
        planes = self.lattice.side
        along = (np.arange(planes) - (planes - 1) / 2) * self.lattice.pixel_mm
        return np.asarray(np.maximum(0.0, self.orbit.radii_mm[:, None] - along))

    def _bin_widths(self, distance: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what a bin's width is at distances from the detector's face, mm."""
        return np.asarray(self.lattice.pixel_mm * np.maximum(self.orbit.spacing(distance), FOCUSED))

    def _variances(self) -> NDArray[np.float64]:
        """Return the variance of the response at each plane, pixels²: (views, side, 2)."""
        distance = self._distances()
        if self.response is None or isinstance(self.response, TailedResponse):
            return np.zeros((*distance.shape, 2))
        sigma = self.response.sigma_mm(distance)
        if np.diff(sigma, axis=1).max() > 1e-9:
            raise BadInput("The collimator response narrows with distance; it must widen or stay.")
        return np.stack([sigma / self._bin_widths(distance), sigma / self.lattice.slice_mm], axis=-1) ** 2

    def _fourier_blur(self) -> FourierBlur | None:
        if not isinstance(self.response, TailedResponse):
            return None
        distance = self._distances()
        return FourierBlur(self.response, distance, self._bin_widths(distance), self.lattice.slice_mm)

    def _fourier_of(self, views: NDArray[np.int64] | None) -> FourierBlur:
        """Return the Fourier blur of the views as `_parts` numbers them."""
        assert self._fourier is not None
        return self._fourier if self._survival is not None or views is None else self._fourier.of(views)

    def _require_mu(self, mu: NDArray[Any]) -> None:
        if mu.shape != self.lattice.shape:
            raise GridMismatch(
                f"A μ-map of {mu.shape} does not fit the system's {self.lattice.shape}.",
                "Resample it onto the reconstruction's grid.",
            )
        if not np.isfinite(mu).all() or mu.min() < 0 or mu.max() > LARGEST_MU_PER_MM:
            raise WrongQuantity(
                f"A μ-map runs from {np.min(mu):.4g} to {np.max(mu):.4g} per mm; tissue has 0 to {LARGEST_MU_PER_MM}.",
                "Give linear attenuation coefficients in 1/mm.",
            )

    def _require_before_focus(self, mu: NDArray[Any]) -> None:
        if self.orbit.focal_mm is None:
            return
        half, frames = (self.lattice.side - 1) / 2, self.frames
        tissue = np.argwhere((mu > AIR_PER_MM).any(axis=2)) - half
        toward = tissue @ frames[:, :2].T.astype(np.float64)
        if tissue.size and (frames[:, 5] + frames[:, 6] * toward).min() <= FOCUSED:
            raise OutsideValidity(
                f"The body reaches the focal line of the fan beam, {self.orbit.focal_mm:g} mm from the detector.",
                "Give the focal length and the radii of the views as they were, in mm.",
            )


def _bordered(volume: NDArray[Any]) -> Array:
    """Copy a volume into a border of zeros, so that interpolation at its edge needs no special case."""
    inner = volume.shape
    out = np.zeros((inner[0] + 2, inner[1] + 2, inner[2]), np.float32)
    out[1:-1, 1:-1] = volume
    return out
