"""Contrast of the cold spheres of a Jaszczak phantom, and noise between them, in a reconstruction.

The usual definition, 1 - sphere/background (IAEA Human Health Series No. 6, Quality Assurance for SPECT Systems,
2009), with the mean of the whole sphere rather than its coldest voxel, which noise would lower.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, signal

from hevesy.core import Image, Measured
from hevesy.errors import BadInput

#: cold spheres of the phantom, mm, largest first; they lie on a ring, 60 degrees apart
SPHERES_MM = (31.8, 25.4, 19.1, 15.9, 12.7, 9.5)
#: part of the cylinder's radius within which spheres and background are taken
INSIDE = 0.85
#: background keeps this far from every sphere's surface, mm: about one resolution
CLEAR_MM = 10.0
#: places that tell the spread of the background's mean over a sphere's volume
PLACES = 30
#: cold as a sphere: what the largest must at least show
LEAST_CONTRAST = 0.15


@dataclass(frozen=True, slots=True)
class SphereContrast:
    """One sphere: diameter, mm, and contrast; visible where the contrast exceeds five of its uncertainties (Rose)."""

    diameter_mm: float
    contrast: Measured

    @property
    def visible(self) -> bool:
        """Whether the contrast exceeds five standard uncertainties."""
        return self.contrast.value > 5 * self.contrast.u


@dataclass(frozen=True, slots=True)
class JaszczakContrast:
    """Spheres, largest first; noise (standard deviation of a voxel over the mean, %); radius and slice of the ring."""

    spheres: tuple[SphereContrast, ...]
    noise_percent: float
    ring_mm: float
    slice_index: int


def jaszczak_contrast(image: Image, diameters_mm: tuple[float, ...] = SPHERES_MM) -> JaszczakContrast:
    """Return the contrast of cold spheres on a ring, found by the largest of them.

    Parameters
    ----------
    image : Image
        Reconstruction of the phantom, in any unit.
    diameters_mm : tuple of float
        Of the spheres in their order around the ring, largest first.

    Raises
    ------
    BadInput
        If there is no cylinder, or no cold sphere in it.
    """
    values = np.asarray(image.values, np.float64)
    axis = int(np.argmax(np.abs(image.grid.affine[2, :3])))
    values = np.moveaxis(values, axis, 0)
    spacing = np.array([image.grid.spacing_mm[axis], *np.delete(image.grid.spacing_mm, axis)])
    place = np.stack(
        np.meshgrid(*(np.arange(n) * s for n, s in zip(values.shape, spacing, strict=True)), indexing="ij")
    )
    middle, radius = _cylinder(values, spacing)
    relative = _relative(values, place, middle, radius)
    centres, ring = _spheres(relative, place, (middle, radius), spacing, diameters_mm)
    free = np.isfinite(relative)
    for centre, diameter in zip(centres, diameters_mm, strict=True):
        free &= _distance(place, centre) > diameter / 2 + CLEAR_MM
    free &= np.abs(place[0] - centres[0][0]) <= diameters_mm[0] / 2
    if free.sum() < PLACES:
        raise BadInput("No background is left between the spheres.", "Check their diameters.")
    background, spread = float(relative[free].mean()), math.inf
    found = []
    for centre, diameter in reversed(list(zip(centres, diameters_mm, strict=True))):
        spread = min(spread, _spread(np.nan_to_num(relative), free, spacing, diameter))
        inside = _distance(place, centre) <= diameter / 2
        if not math.isfinite(spread) or not np.isfinite(relative[inside]).all():
            raise BadInput("The spheres do not lie within the cylinder.", "Check their diameters.")
        contrast = 1 - float(relative[inside].mean()) / background
        found.append(SphereContrast(diameter, Measured(contrast, spread / background, "", "background")))
    noise = 100 * float(relative[free].std(ddof=1)) / background
    return JaszczakContrast(tuple(reversed(found)), noise, ring, round(float(centres[0][0] / spacing[0])))


def _cylinder(values: NDArray[np.float64], spacing: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Return the middle (second and third axis) and the radius of what is lit, mm."""
    summed = ndimage.gaussian_filter(values.sum(0), 1.0)
    lit = summed > 0.5 * np.percentile(summed, 98)
    area = float(lit.sum() * spacing[1] * spacing[2])
    if not values.any() or lit.mean() > 0.9 or area < math.pi * 50.0**2:
        raise BadInput(
            "There is no phantom cylinder of at least 50 mm radius in the image.", "Give its reconstruction."
        )
    middle = np.array(ndimage.center_of_mass(lit)) * spacing[1:]
    return middle, math.sqrt(area / math.pi)


def _relative(
    values: NDArray[np.float64], place: NDArray[np.float64], middle: NDArray[np.float64], radius: float
) -> NDArray[np.float64]:
    """Divide each slice by its median within the cylinder; not a number outside it, or where a slice is dim.

    Slices through rods hold less, and so do those at the ends: below 90% of the brightest ones nothing is looked for.
    """
    away = np.hypot(place[1] - middle[0], place[2] - middle[1])
    cut = np.where(away <= INSIDE * radius, values, np.nan)
    medians = np.nanmedian(cut.reshape(len(cut), -1), axis=1)
    bright = medians > 0.9 * np.percentile(medians, 95)
    level = np.where(bright, medians, np.nan)[:, None, None]
    return np.asarray(cut / level)


def _spheres(
    relative: NDArray[np.float64],
    place: NDArray[np.float64],
    cylinder: tuple[NDArray[np.float64], float],
    spacing: NDArray[np.float64],
    diameters_mm: tuple[float, ...],
) -> tuple[list[NDArray[np.float64]], float]:
    """Return the centres of the spheres, mm, and the radius of their ring."""
    middle = cylinder[0]
    smooth = ndimage.gaussian_filter(np.nan_to_num(relative, nan=1.0), diameters_mm[0] / 4 / spacing)
    coldest = np.unravel_index(smooth.argmin(), smooth.shape)
    if smooth[coldest] > 1 - LEAST_CONTRAST:
        raise BadInput("No cold sphere is seen in the cylinder.", "Check that this is the phantom with spheres.")
    cold = np.where(
        _distance(place, np.array([along[coldest] for along in place])) <= diameters_mm[0] / 2, 1 - smooth, 0.0
    )
    first = (place * cold).sum((1, 2, 3)) / cold.sum()
    ring = float(np.hypot(*(first[1:] - middle)))
    angle = math.atan2(first[1] - middle[0], first[2] - middle[1])
    turns = [
        [
            np.array([first[0], middle[0] + ring * math.sin(a), middle[1] + ring * math.cos(a)])
            for a in (angle + sign * k * math.pi / 3 for k in range(len(diameters_mm)))
        ]
        for sign in (1, -1)
    ]
    # the neighbour on one side is the second largest sphere, on the other the smallest
    means = [float(np.nanmean(relative[_distance(place, turn[1]) <= diameters_mm[1] / 2])) for turn in turns]
    return turns[int(np.argmin(means))], ring


def _distance(place: NDArray[np.float64], centre: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.sqrt(((place - centre[:, None, None, None]) ** 2).sum(0)))


def _spread(
    relative: NDArray[np.float64], free: NDArray[np.bool_], spacing: NDArray[np.float64], diameter_mm: float
) -> float:
    """Return the standard deviation of the mean over a sphere, placed where it lies wholly in the background.

    Infinite where it fits in fewer than thirty places: a smaller sphere's then stands for it, which is larger.
    """
    half = np.ceil(diameter_mm / 2 / spacing).astype(int)
    offsets = np.stack(
        np.meshgrid(*(np.arange(-h, h + 1) * s for h, s in zip(half, spacing, strict=True)), indexing="ij")
    )
    kernel = (_distance(offsets, np.zeros(3)) <= diameter_mm / 2).astype(np.float64)
    if any(k > n for k, n in zip(kernel.shape, free.shape, strict=True)):
        return math.inf
    held = signal.fftconvolve(free.astype(np.float64), kernel, mode="valid")
    whole = held > kernel.sum() - 0.5
    if whole.sum() < PLACES:
        return math.inf
    means = signal.fftconvolve(np.where(free, relative, 0.0), kernel, mode="valid") / kernel.sum()
    return float(means[whole].std(ddof=1))
