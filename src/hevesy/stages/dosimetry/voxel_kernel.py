"""Voxel kernels: the mean energy from one voxel to another, by integration of a point kernel over both.

With A(u − d) the chance that a random point of the source voxel, moved by u, falls into the target voxel d away, the
energy is ∫ k(|u|) A(u − d) du, where A is a product of triangles. The triangles of all voxels add up to 1 everywhere:
a share k of energy at the place u is dealt to the eight voxels around u by trilinear weights, and none is lost.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hevesy.core.point_kernel import PointKernel
from hevesy.errors import BadInput

Array = NDArray[np.float64]

#: energy is dealt point by point out to this many voxels of the largest side; from there to the second number
#: a smooth weight leads over to the far field
NEAR_VOXELS = (3.0, 6.0)
#: steps between points of the near field, as a share of the smallest side
NEAR_STEP = 0.11
#: parts of a step, in which the mean radius of its energy is found
SUBSTEPS = 16
#: beyond this many voxels the density at the middle stands for the voxel: (1/r²) changes its mean by 1/(6·16²) < 0.1%
SINGLE_NODE_VOXELS = 16
#: steps of the table of the far field on the smallest side: between them it bends by less than 1e-6
STEPS_PER_VOXEL = 400
#: Gauss nodes of the triangle on −1…1 that are exact for cubics: ± its standard deviation
TRIANGLE_NODE = 1 / np.sqrt(6.0)


@dataclass(frozen=True, slots=True, eq=False)
class VoxelKernel:
    """Energy that a decay somewhere in one voxel leaves in the voxels around.

    Parameters
    ----------
    spacing_mm : tuple of float
        Voxel sides along the three array axes.
    octant_J : (h0 + 1, h1 + 1, h2 + 1) array
        Mean energy per decay, J, by offset in voxels; mirror it for negative offsets.
    energy_J : float
        Energy emitted per decay.
    nuclide, medium : str
        What decays, in what.
    density_kg_m3 : float
        Density of the medium.
    source : str
        How the point kernel was made.
    """

    spacing_mm: tuple[float, float, float]
    octant_J: Array = field(repr=False)
    energy_J: float
    nuclide: str
    medium: str
    density_kg_m3: float
    source: str = ""

    @property
    def contained(self) -> float:
        """Share of the emitted energy that falls within the kernel."""
        return float((self.octant_J * multiplicity(self.octant_J.shape)).sum() / self.energy_J)

    def s_values_Gy(self) -> Array:
        """Return voxel S-values, Gy per decay (Gy/(Bq·s)), by offset in voxels."""
        mass_kg = self.density_kg_m3 * float(np.prod(self.spacing_mm)) * 1e-9
        return np.asarray(self.octant_J / mass_kg)


def multiplicity(shape: tuple[int, ...]) -> Array:
    """Return how many voxels one of the octant stands for: 2 for each axis on which its offset is not 0."""
    factors = [np.where(np.arange(n) > 0, 2.0, 1.0) for n in shape]
    return np.asarray(np.einsum("i,j,k->ijk", *factors))


def voxel_kernel(
    kernel: PointKernel, spacing_mm: tuple[float, float, float], half_width: tuple[int, int, int]
) -> VoxelKernel:
    """Integrate a point kernel over source and target voxels.

    Parameters
    ----------
    kernel : PointKernel
        Energy in shells about a point.
    spacing_mm : tuple of float
        Voxel sides, which may differ.
    half_width : tuple of int
        Largest offset along each axis, voxels.

    Raises
    ------
    BadInput
        If a side is not positive or a half width is negative.
    """
    if not min(spacing_mm) > 0 or min(half_width) < 0:
        raise BadInput(f"A voxel kernel needs positive sides and half widths, not {spacing_mm} and {half_width}.")
    bounds = (NEAR_VOXELS[0] * max(spacing_mm), NEAR_VOXELS[1] * max(spacing_mm))
    shells = _Shells.of(kernel)
    octant = _far(shells, spacing_mm, half_width, bounds)
    near = _near(shells, np.array(spacing_mm), bounds)
    common = tuple(slice(0, min(n, h)) for n, h in zip(near.shape, octant.shape, strict=True))
    octant[common] += near[common]
    return VoxelKernel(
        spacing_mm, octant, kernel.energy_J, kernel.nuclide, kernel.medium, kernel.density_kg_m3, kernel.source
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Shells:
    """Cumulative energy against radius, linear between the bounds of the shells."""

    radius_mm: Array
    cumulative_J: Array

    @classmethod
    def of(cls, kernel: PointKernel) -> _Shells:
        energy = kernel.charged_J + kernel.photons_J
        return cls(kernel.radius_mm, np.concatenate([[0.0], np.cumsum(energy)]))

    def between(self, bounds_mm: Array) -> Array:
        """Return the energy between successive radii, J."""
        return np.diff(np.interp(bounds_mm, self.radius_mm, self.cumulative_J))

    def density_table(self, first_mm: float) -> tuple[Array, Array]:
        """Return ln r and ln(energy per volume) at the middles of shells beyond a radius, J/mm³."""
        middle = np.sqrt(self.radius_mm[1:-1] * self.radius_mm[2:])
        volume = 4 / 3 * np.pi * np.diff(self.radius_mm[1:] ** 3)
        density = np.diff(self.cumulative_J[1:]) / volume
        kept = (density > 0) & (middle > 0.5 * first_mm)
        return np.log(middle[kept]), np.log(density[kept])


def _weight_near(radius_mm: Array, bounds: tuple[float, float]) -> Array:
    """Return 1 within the inner bound, 0 beyond the outer, and a smooth step between."""
    t = np.clip((radius_mm - bounds[0]) / (bounds[1] - bounds[0]), 0.0, 1.0)
    return np.asarray(1 - t**3 * (10 - 15 * t + 6 * t**2))


def _near(shells: _Shells, spacing: Array, bounds: tuple[float, float]) -> Array:
    """Return an octant of the near energy, dealt to voxels by trilinear weights over its directions."""
    step = NEAR_STEP * float(spacing.min())
    last = min(bounds[1], float(shells.radius_mm[-1]))
    octant = np.zeros(tuple(int(last / a) + 2 for a in spacing))
    steps = max(2, int(np.ceil(last / step)))
    edges = last * np.linspace(0.0, 1.0, steps * SUBSTEPS + 1) ** 1.5  # finer where the energy is
    parts = (shells.between(edges) * _weight_near(0.5 * (edges[1:] + edges[:-1]), bounds)).reshape(steps, SUBSTEPS)
    energy = parts.sum(axis=1)
    moment = (parts * (0.5 * (edges[1:] + edges[:-1])).reshape(steps, SUBSTEPS)).sum(axis=1)
    middle = np.divide(moment, energy, out=np.zeros(steps), where=energy > 0)
    for radius, joule in zip(middle, energy, strict=True):
        if joule != 0:
            # multiples of 8, so that few sets of directions serve all radii
            directions, weights = _octant_directions(8 * int(np.ceil(max(10.0, np.pi / 3 * radius / step) / 8)))
            _deal(octant, directions * (radius / spacing), weights * joule)
    return octant / multiplicity(octant.shape)


@lru_cache(maxsize=128)
def _octant_directions(n: int) -> tuple[Array, Array]:
    """Return about n² directions with all components positive, and weights that sum to 1."""
    nodes, weights = np.polynomial.legendre.leggauss(n)
    cosine, share = (nodes + 1) / 2, weights / 2
    azimuth = cosine * (np.pi / 2)
    sine = np.sqrt(1 - cosine**2)
    x, y = np.outer(sine, np.cos(azimuth)), np.outer(sine, np.sin(azimuth))
    z = np.broadcast_to(cosine[:, None], x.shape)
    return np.stack([x, y, z], axis=-1).reshape(-1, 3), np.outer(share, share).ravel()


def _deal(octant: Array, place: Array, joule: Array) -> None:
    """Deal energy at places (in voxels from the source's) to the eight voxels around."""
    lower = place.astype(np.int64)
    part = place - lower
    for corner in np.ndindex(2, 2, 2):
        index = lower + corner
        weight = joule * np.prod(np.where(np.array(corner, bool), part, 1 - part), axis=1)
        flat = np.ravel_multi_index(tuple(index.T), octant.shape)
        octant += np.bincount(flat, weight, octant.size).reshape(octant.shape)


def _far(
    shells: _Shells, spacing: tuple[float, float, float], half_width: tuple[int, int, int], bounds: tuple[float, float]
) -> Array:
    """Return an octant of the energy beyond the near field: its density, averaged over the triangles by two nodes."""
    shape = tuple(h + 1 for h in half_width)
    octant = np.zeros(shape)
    density = _Density.of(shells, bounds, min(spacing), float(np.linalg.norm(np.multiply(shape, spacing))))
    if density is None:
        return octant
    volume = float(np.prod(spacing))
    for plane in range(shape[0]):
        octant[plane] = volume * density.at(_squares((1, *shape[1:]), spacing, (plane, 0.0, 0.0))[0])
    near = tuple(min(n, SINGLE_NODE_VOXELS) for n in shape)
    corner = octant[: near[0], : near[1], : near[2]]
    corner[:] = 0.0
    for node in np.ndindex(2, 2, 2):
        shift = tuple(TRIANGLE_NODE * (2 * n - 1) for n in node)
        corner += volume / 8 * density.at(_squares(near, spacing, shift))
    return octant


@dataclass(frozen=True, slots=True, eq=False)
class _Density:
    """Energy per volume beyond the near field, J/mm³, at radii in even steps: quick to find for many voxels."""

    per_mm: float
    values: Array

    @classmethod
    def of(cls, shells: _Shells, bounds: tuple[float, float], side_mm: float, last_mm: float) -> _Density | None:
        """Tabulate it, or return None where nothing lies beyond."""
        log_radius, log_density = shells.density_table(bounds[0])
        if len(log_radius) < 2:
            return None
        per_mm = STEPS_PER_VOXEL / side_mm
        radius = np.arange(1, int(last_mm * per_mm) + 3) / per_mm
        found = np.exp(np.interp(np.log(radius), log_radius, log_density))
        found *= (1 - _weight_near(radius, bounds)) * (radius <= shells.radius_mm[-1])
        return cls(per_mm, np.append(0.0, found))

    def at(self, squared_mm: Array) -> Array:
        """Interpolate it at squared distances, mm²."""
        place = np.sqrt(squared_mm) * self.per_mm
        step = place.astype(np.int32)
        place -= step
        low = self.values[step]
        return np.asarray(low + place * (self.values[step + 1] - low))


def _squares(shape: tuple[int, ...], spacing: tuple[float, float, float], shift: tuple[float, ...]) -> Array:
    """Return the squared distance, mm², of each offset of an octant, shifted by parts of a voxel."""
    squares = [((np.arange(n) + s) * a) ** 2 for n, s, a in zip(shape, shift, spacing, strict=True)]
    return np.asarray(squares[0][:, None, None] + squares[1][:, None] + squares[2])
