"""Scatter as the projection of an effective source: activity convolved with where its photons scatter last.

In water without end, a photon's chance to scatter last at some place, towards the camera and into the window, depends
on where that place lies from its origin, and on nothing else. So the places are a convolution; scaled by the body's own
density there, they are projected like activity, with the attenuation of what is left of the photons' energy: effective
scatter source estimation (Frey and Tsui 1996, IEEE Nuclear Science Symposium Conference Record, p. 1082). What the body
lacks of water between origin and scatter is left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfftn, next_fast_len, rfftn
from scipy.ndimage import map_coordinates

from hevesy.data.materials import material
from hevesy.errors import MissingInformation
from hevesy.kernels.effective_source import effective_source
from hevesy.physics.attenuation import linear_attenuation_per_mm
from hevesy.stages.quantification.reconstruction.simulated_scatter import Detection, photons_of
from hevesy.stages.quantification.reconstruction.system import Lattice, SystemModel

#: photons are followed so many times for the table of a nuclide and window
HISTORIES = 300_000
#: how far from its origin a photon is followed, mm; of 208 keV a hundredth gets farther and is still counted
REACH_MM = 240.0
#: directions to the camera for which the effective source is convolved: each serves the views within 5° of it
DIRECTIONS = 36
WORKERS = 2


@dataclass(frozen=True, slots=True, eq=False)
class ScatterKernel:
    """Where photons of one voxel scatter last, by depth towards the camera and distance from that line.

    Parameters
    ----------
    table : (2n, n) array
        Counts by each ring of voxels, for one photon that counts 1 unscattered; depths from -n·size.
    size_mm : float
        Depth and width of a ring, mm.
    attenuation : float
        Mean attenuation of scattered photons over that of unscattered ones.
    water_per_mm : float
        Attenuation of the water that they were followed in, at the photon's energy.
    """

    table: NDArray[np.float64] = field(repr=False)
    size_mm: float
    attenuation: float
    water_per_mm: float

    def around(self, turn_rad: float, offsets: NDArray[np.int64], sizes_mm: tuple[float, float]) -> NDArray[np.float64]:
        """Return the kernel on offsets (3, …) in voxels of two sizes (across, along), for a camera in a direction."""
        x, y, z = offsets[0] * sizes_mm[0], offsets[1] * sizes_mm[0], offsets[2] * sizes_mm[1]
        n, cos, sin = self.table.shape[1], np.cos(turn_rad), np.sin(turn_rad)
        depth = (x * cos + y * sin) / self.size_mm + n - 0.5
        radius = np.hypot(y * cos - x * sin, z) / self.size_mm - 0.5
        ring = np.pi * (2 * np.arange(n) + 1)  # area of each ring, in squares of its width
        density = map_coordinates(self.table / ring, [depth, np.maximum(radius, 0)], order=1, mode="constant")
        return np.asarray(density * (self.table.sum() / density.sum()))


def scatter_kernel(detection: Detection, size_mm: float, histories: int = HISTORIES, seed: int = 1) -> ScatterKernel:
    """Follow photons in water and return where they scatter last; only the first window is used."""
    water = float(linear_attenuation_per_mm(material("water"), np.array([detection.photon_keV * 1e-3]))[0])
    bins = (int(np.ceil(REACH_MM / size_mm)), size_mm)
    counted, slowed = effective_source(photons_of(detection), water, bins, histories, seed)
    main = sum(per_decay for energy, per_decay in detection.lines if abs(energy - detection.photon_keV) < 1)
    emitted = sum(per_decay for _, per_decay in detection.lines) / main
    return ScatterKernel(counted * emitted, size_mm, float(slowed.sum() / counted.sum()), water)


def effective_scatter(
    system: SystemModel, activity: NDArray[np.floating], kernel: ScatterKernel
) -> NDArray[np.float32]:
    """Return the mean of what is counted besides unscattered photons of the system's energy, (views, side, slices).

    In units of the system's `forward`, as `hevesy.stages.quantification.reconstruction.simulated_scatter.scattered`.

    Raises
    ------
    MissingInformation
        If the system has no μ-map.
    """
    if system.mu_per_mm is None:
        raise MissingInformation("Scatter needs a μ-map.")
    mu = np.asarray(system.mu_per_mm, np.float32)
    slowed = SystemModel(system.lattice, system.orbit, system.response, mu * np.float32(kernel.attenuation))
    normals = np.asarray(system.orbit.frames(system.lattice.pixel_mm)[:, :2], np.float64)
    towards = np.round(np.arctan2(normals[:, 1], normals[:, 0]) * (DIRECTIONS / (2 * np.pi))).astype(int) % DIRECTIONS
    last_places = _Convolution(activity, kernel, system.lattice)
    found = np.zeros(system.projection_shape, np.float32)
    for one in np.unique(towards):
        views = np.flatnonzero(towards == one)
        places = last_places.towards(2 * np.pi * one / DIRECTIONS) * (mu / np.float32(kernel.water_per_mm))
        # the blur's taps go a little below zero beside what is sharp
        found[views] = np.maximum(slowed.forward(np.maximum(places, 0), views), 0)
    return found


class _Convolution:
    """Activity convolved with a kernel that is turned towards the camera; with room, so that nothing wraps round."""

    def __init__(self, activity: NDArray[np.floating], kernel: ScatterKernel, lattice: Lattice) -> None:
        self.kernel, self.sizes, self.shape = kernel, (lattice.pixel_mm, lattice.slice_mm), lattice.shape
        each = (lattice.pixel_mm, lattice.pixel_mm, lattice.slice_mm)
        reach = [min(int(REACH_MM / size), n - 1) for size, n in zip(each, lattice.shape, strict=True)]
        self.room = [next_fast_len(n + r, real=True) for n, r in zip(lattice.shape, reach, strict=True)]
        around = [np.arange(-r, r + 1) for r in reach]
        self.offsets = np.array(np.meshgrid(*around, indexing="ij"))
        self.wrapped = np.ix_(*(steps % n for steps, n in zip(around, self.room, strict=True)))
        self.spectrum = rfftn(np.asarray(activity, np.float32), self.room, workers=WORKERS)

    def towards(self, turn_rad: float) -> NDArray[np.float32]:
        """Return where photons scatter last on their way to a camera in a direction, on the lattice."""
        laid = np.zeros(self.room, np.float32)
        laid[self.wrapped] = self.kernel.around(turn_rad, self.offsets, self.sizes)
        both = irfftn(self.spectrum * rfftn(laid, workers=WORKERS), self.room, workers=WORKERS)
        return np.asarray(both[tuple(slice(n) for n in self.shape)], np.float32)
