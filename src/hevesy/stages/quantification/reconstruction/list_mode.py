"""PET coincidences one by one, with time of flight, in one plane: simulated and reconstructed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hevesy.errors import BadInput
from hevesy.kernels.list_mode import line_integrals, spread_lines
from hevesy.physics.time_of_flight import TimingKernel

#: sums are kept in so many pieces, whatever the number of threads, so that the result does not depend on it
PIECES = 8


@dataclass(frozen=True, slots=True, eq=False)
class Ring:
    """A plane that a ring of detectors sees from everywhere.

    Parameters
    ----------
    side : int
        Pixels along each axis.
    pixel_mm : float
        Side of a pixel, mm.
    timing : TimingKernel or None
        None measures no time of flight.
    mu_per_mm : (side, side) array or None
        Attenuation at 511 keV, 1/mm; None is none.

    Raises
    ------
    BadInput
        If a size is not positive.
    """

    side: int
    pixel_mm: float
    timing: TimingKernel | None = None
    mu_per_mm: NDArray[np.float64] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.side < 2 or not self.pixel_mm > 0:
            raise BadInput("A ring needs two pixels or more, of a positive size.")

    def forward(self, image: NDArray[np.float64], lines: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the density of coincidences (n,) of an image along lines (n, 3); see `line_integrals`."""
        return np.asarray(line_integrals(image, lines, *self._kernel(), self.pixel_mm))

    def backward(self, values: NDArray[np.float64], lines: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the transpose of `forward`: (side, side)."""
        return np.asarray(spread_lines(values, lines, *self._kernel(), self.side, self.pixel_mm, PIECES))

    def survival(self, lines: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the chance that both photons leave, for each line; it is the same from everywhere on the line."""
        if self.mu_per_mm is None:
            return np.ones(lines.shape[0])
        nothing = np.empty(0)
        crossed = line_integrals(self.mu_per_mm, lines, nothing, nothing, self.pixel_mm)
        return np.asarray(np.exp(-crossed))

    def sensitivity(self, angles: int = 180) -> NDArray[np.float64]:
        """Return the chance that a decay in each pixel is counted: survival averaged over directions."""
        lines = self._all_lines(angles)
        plain = Ring(self.side, self.pixel_mm)
        distance = self.pixel_mm / 2
        summed = plain.backward(self.survival(lines), lines) * distance / (angles * self.pixel_mm**2)
        return np.asarray(summed)

    def _all_lines(self, angles: int) -> NDArray[np.float64]:
        phi = (np.arange(angles) + 0.5) * np.pi / angles
        half = self.side * self.pixel_mm / np.sqrt(2)
        distance = np.arange(-half, half, self.pixel_mm / 2)
        grid = np.stack([*np.meshgrid(phi, distance, indexing="ij"), np.zeros((angles, distance.size))], axis=-1)
        return np.ascontiguousarray(grid.reshape(-1, 3))

    def _kernel(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if self.timing is None:
            return np.empty(0), np.empty(0)
        return self.timing.sigmas_mm, np.asarray(self.timing.weights)


def coincidences(
    ring: Ring, activity: NDArray[np.float64], decays: int, random: np.random.Generator
) -> NDArray[np.float64]:
    """Draw the coincidences (n, 3) that are counted of so many decays in the plane; see `line_integrals`."""
    chosen = random.choice(activity.size, size=decays, p=activity.ravel() / activity.sum())
    middle = 0.5 * (ring.side - 1)
    inside = random.random((2, decays)) - 0.5
    x = (chosen // ring.side - middle + inside[0]) * ring.pixel_mm
    y = (chosen % ring.side - middle + inside[1]) * ring.pixel_mm
    phi = random.random(decays) * np.pi
    lines = np.stack([phi, x * np.cos(phi) + y * np.sin(phi), -x * np.sin(phi) + y * np.cos(phi)], axis=1)
    lines = lines[random.random(decays) < ring.survival(lines)]
    if ring.timing is not None:
        sigmas = random.choice(ring.timing.sigmas_mm, size=lines.shape[0], p=ring.timing.weights)
        lines[:, 2] += random.standard_normal(lines.shape[0]) * sigmas
    return np.ascontiguousarray(lines)


def list_mode_osem(ring: Ring, lines: NDArray[np.float64], iterations: int, subsets: int) -> NDArray[np.float64]:
    """Reconstruct coincidences (Parra and Barrett 1998, IEEE Trans Med Imaging 17:228; subsets are parts of the time).

    Returns
    -------
    (iterations, side, side) array
        The image after each iteration: decays in each pixel.

    Raises
    ------
    BadInput
        If there are fewer coincidences than subsets.
    """
    if subsets < 1 or iterations < 1 or lines.shape[0] < subsets:
        raise BadInput(f"{lines.shape[0]} coincidences cannot be dealt into {subsets} subsets.")
    sensitivity = ring.sensitivity() / subsets
    seen = sensitivity > 0.01 * sensitivity.max()
    image = np.where(seen, lines.shape[0] / max(seen.sum(), 1), 0.0)
    kept = np.empty((iterations, *image.shape))
    for iteration in range(iterations):
        for subset in range(subsets):
            part = np.ascontiguousarray(lines[subset::subsets])
            mean = ring.forward(image, part)
            update = ring.backward(np.divide(1.0, mean, out=np.zeros_like(mean), where=mean > 0), part)
            image = np.divide(image * update, sensitivity, out=np.zeros_like(image), where=seen)
        kept[iteration] = image
    return kept


def least_variance(
    ring: Ring, lines: NDArray[np.float64], activity: NDArray[np.float64], weights: NDArray[np.float64]
) -> float:
    """Return the least variance that an unbiased estimate of Σ weights · activity can have from these coincidences.

    The Cramér–Rao bound wᵀ F⁻¹ w with F = Σ a aᵀ / ȳ² over coincidences, where a is what pixels give to a line and ȳ
    the mean there; pixels without activity are taken to be known.

    Parameters
    ----------
    ring : Ring
        What is seen.
    lines : (n, 3) array
        Coincidences drawn from the activity; many more than it has pixels.
    activity, weights : (side, side) arrays
        What was drawn from, and what is estimated.

    Raises
    ------
    BadInput
        If the bound is not found: too few coincidences.
    """
    from scipy.sparse.linalg import LinearOperator, cg

    inside = activity > 0
    mean = ring.forward(activity, lines)
    inverse = np.divide(1.0, mean**2, out=np.zeros_like(mean), where=mean > 0)

    def information(part: NDArray[np.float64]) -> NDArray[np.float64]:
        image = np.zeros(activity.shape)
        image[inside] = np.ravel(part)
        return np.asarray(ring.backward(ring.forward(image, lines) * inverse, lines)[inside])

    size = int(inside.sum())
    solved, fault = cg(
        LinearOperator((size, size), information, dtype=np.float64), weights[inside], rtol=1e-2, maxiter=200
    )
    if fault:
        raise BadInput(f"{lines.shape[0]} coincidences are too few for a bound on {size} pixels.", "Draw more.")
    return float(weights[inside] @ solved)
