"""A response with tails through the septa, for photons that a collimator does not stop, such as those of I-131.

A sum of Gaussians and broad tails has no incremental form, so each depth plane is convolved with its own kernel by FFT:
slower than the walk of `hevesy.kernels.projection` by an order of magnitude, and right for any kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft

from hevesy.errors import BadInput
from hevesy.kernels import projection as kernel
from hevesy.stages.quantification.reconstruction.response import Response

Array = NDArray[np.float32]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TailedResponse:
    """A Gaussian core and an exponential tail.

    (1 − q) exp(−r²/2σ²) / 2πσ² + q exp(−r/λ) / 2πλ², with σ of the core and λ = slope · d + intercept. Core and tail
    are fitted to images of a point source in air at two or more distances.

    Parameters
    ----------
    core : Response
        σ of what passes the holes.
    tail_fraction : float
        Part q of the counts that came through septa, 0 to 1.
    tail_slope : float
        Growth of the tail's length λ with distance, mm per mm.
    tail_intercept_mm : float
        λ at the detector's face, mm.

    Raises
    ------
    BadInput
        If the fraction is not within 0 to 1, or the tail has no length.
    """

    core: Response
    tail_fraction: float
    tail_slope: float
    tail_intercept_mm: float

    def __post_init__(self) -> None:
        if not (0 <= self.tail_fraction <= 1 and 0 <= self.tail_slope < np.inf and 0 < self.tail_intercept_mm < np.inf):
            raise BadInput(f"A response cannot have the tail of {self}.", "Its fraction lies within 0 to 1.")

    def sigma_mm(self, distance_mm: ArrayLike) -> Floats:
        """Return the standard deviation of the core at distances from the detector's face, both in mm."""
        return self.core.sigma_mm(distance_mm)

    def kernel(self, distance_mm: float, across_mm: Floats, along_mm: Floats) -> Floats:
        """Return what a point at a distance from the face is seen as, its sum 1: (across, along).

        Parameters
        ----------
        distance_mm : float
            Distance from the detector's face, mm.
        across_mm, along_mm : (n,) and (m,) arrays
            Offsets from the point along the two axes, mm; 0 is among them.
        """
        r2 = across_mm[:, None] ** 2 + along_mm[None, :] ** 2
        sigma = max(float(self.core.sigma_mm(distance_mm)), 1e-3)
        core = np.exp(-r2 / (2 * sigma**2))
        tail = np.exp(-np.sqrt(r2) / (self.tail_slope * distance_mm + self.tail_intercept_mm))
        return np.asarray((1 - self.tail_fraction) / core.sum() * core + self.tail_fraction / tail.sum() * tail)


def with_core(response: Response, change: Callable[[Response], Response]) -> Response:
    """Change the Gaussian part of a response, and keep its tails if it has any."""
    if isinstance(response, TailedResponse):
        return replace(response, core=change(response.core))
    return change(response)


@dataclass(frozen=True, slots=True, eq=False)
class FourierBlur:
    """Projection with a kernel of its own for every depth plane, and its transpose.

    Parameters
    ----------
    response : TailedResponse
        Gives the kernels.
    distance_mm, across_mm : (views, planes) arrays
        Distance of each plane from the detector's face, and what a bin's width is there, mm.
    slice_mm : float
        Size of a bin along the axis of rotation, mm.
    """

    response: TailedResponse
    distance_mm: Floats = field(repr=False)
    across_mm: Floats = field(repr=False)
    slice_mm: float

    def of(self, views: NDArray[np.int64]) -> FourierBlur:
        """Return the blur of some views."""
        return replace(self, distance_mm=self.distance_mm[views], across_mm=self.across_mm[views])

    def project(self, volume: Array, views: NDArray[np.int64], optics: kernel.Optics) -> Array:
        """Return the projections of a bordered volume, as `hevesy.kernels.projection.project` does."""
        bins, depth = optics.surviving.shape[2:]
        out = np.empty((views.size, bins, depth), np.float32)
        for m, transfer in self._transfers(views, (bins, depth)):
            planes = kernel.planes_of(volume, int(views[m]), optics)
            seen = np.flatnonzero(planes.any(axis=(1, 2)))
            spectrum = np.zeros(transfer.shape[1:], np.complex64)
            for plane in seen:
                spectrum += transfer[plane] * fft.rfft2(planes[plane], _padded(bins, depth))
            out[m] = fft.irfft2(spectrum, _padded(bins, depth))[:bins, :depth]
        return out

    def backproject(self, projections: Array, views: NDArray[np.int64], optics: kernel.Optics) -> Array:
        """Return the transpose of `project` applied to projections, as `hevesy.kernels.projection.backproject` does."""
        bins, depth = projections.shape[1:]
        side = self.distance_mm.shape[1]
        volume = np.zeros((side + 2, side + 2, depth), np.float32)
        planes = np.empty((side, bins, depth), np.float32)
        for m, transfer in self._transfers(views, (bins, depth)):
            spectrum = fft.rfft2(projections[m], _padded(bins, depth))
            for plane in range(side):
                planes[plane] = fft.irfft2(transfer[plane] * spectrum, _padded(bins, depth))[:bins, :depth]
            kernel.add_planes(planes, int(views[m]), optics, volume)
        return np.ascontiguousarray(volume[1:-1, 1:-1])

    def _transfers(self, views: NDArray[np.int64], size: tuple[int, int]) -> Iterator[tuple[int, Array]]:
        """Give, view by view, the Fourier transforms of the planes' kernels: real, for a kernel is symmetric."""
        known: tuple[bytes, Array] | None = None
        for m in np.lexsort((views, self.distance_mm[views, 0])):  # one circular orbit has one set of kernels
            view = views[m]
            key = self.distance_mm[view].tobytes() + self.across_mm[view].tobytes()
            if known is None or known[0] != key:
                known = key, self._transfers_of(int(view), size)
            yield int(m), known[1]

    def _transfers_of(self, view: int, size: tuple[int, int]) -> Array:
        padded = _padded(*size)
        offsets = [np.arange(1.0 - n, n) for n in size]
        rows, columns = np.ix_(*(place.astype(int) % length for place, length in zip(offsets, padded, strict=True)))
        transfers = []
        for distance, across in zip(self.distance_mm[view], self.across_mm[view], strict=True):
            centred = np.zeros(padded, np.float32)
            centred[rows, columns] = self.response.kernel(
                float(distance), offsets[0] * float(across), offsets[1] * self.slice_mm
            )
            transfers.append(fft.rfft2(centred).real)
        return np.stack(transfers)


def _padded(bins: int, depth: int) -> tuple[int, int]:
    """Return sizes at which no part of a kernel that spans the detector wraps round onto it."""
    return fft.next_fast_len(2 * bins - 1, real=True), fft.next_fast_len(2 * depth - 1, real=True)
