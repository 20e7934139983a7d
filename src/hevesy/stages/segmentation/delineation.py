"""Structures drawn with the help of an image's values: a sphere with a threshold in it, growth from a point."""

from __future__ import annotations

from enum import Enum

import numpy as np
import SimpleITK as sitk  # noqa: N813 - the name by which everyone knows it
from numpy.typing import NDArray
from scipy import ndimage

from hevesy.core import Grid, Image, Region, Role
from hevesy.errors import BadInput, MissingInformation, OutsideImage

#: PERCIST 1.0 baseline lesion: 1.5 × mean of a 3 cm sphere in the right liver, plus 2 standard deviations of it;
#: Wahl et al., J Nucl Med 2009;50(Suppl 1):122S
_PERCIST_MEANS, _PERCIST_SDS, _PERCIST_RADIUS_MM = 1.5, 2.0, 15.0
#: voxels that touch by a face, an edge or a corner hang together
_TOUCHING = ndimage.generate_binary_structure(3, 3)


class Method(Enum):
    """What decides which voxels of a sphere belong to the structure."""

    #: every voxel of the sphere
    SPHERE = "sphere"
    #: at least a fraction of the sphere's maximum
    FRACTION = "fraction"
    #: at least that fraction of the way from the background to the maximum
    CONTRAST = "contrast"
    #: at least a fixed value, Bq/mL
    FIXED = "fixed"
    #: at least 1.5 times the liver's mean and two of its standard deviations
    PERCIST = "percist"
    #: up to where the image falls most steeply
    GRADIENT = "gradient"


def sphere(grid: Grid, centre_mm: NDArray[np.float64], radius_mm: float) -> NDArray[np.bool_]:
    """Return the voxels of a grid (n0, n1, n2) whose centres lie in a sphere.

    Parameters
    ----------
    grid : Grid
        Any grid.
    centre_mm : (3,) array
        Patient coordinates (LPS), mm.
    radius_mm : float
        Radius.

    Raises
    ------
    OutsideImage
        If it holds no voxel's centre.
    """
    distance2 = np.zeros(grid.shape)
    for axis in range(3):
        along = [grid.affine[axis, a] * np.arange(n) for a, n in enumerate(grid.shape)]
        offset = along[0][:, None, None] + along[1][None, :, None] + along[2][None, None, :]
        distance2 += (offset + (grid.affine[axis, 3] - centre_mm[axis])) ** 2
    inside = distance2 <= radius_mm**2
    if not inside.any():
        raise OutsideImage(
            f"A sphere of {radius_mm:g} mm at {np.round(centre_mm, 1).tolist()} mm holds no voxel of the image.",
            "Place it on the image, or make it larger.",
        )
    return np.asarray(inside)


def percist_threshold(image: Image, liver_mm: NDArray[np.float64]) -> float:
    """Return the least value of a PERCIST baseline lesion, in the image's unit.

    Parameters
    ----------
    image : Image
        Activity concentration, Bq/mL.
    liver_mm : (3,) array
        Centre of a 3 cm sphere in healthy right liver, mm.

    References
    ----------
    Wahl et al., J Nucl Med 2009;50(Suppl 1):122S-150S, table 6.
    """
    values = image.values[sphere(image.grid, liver_mm, _PERCIST_RADIUS_MM)]
    return float(_PERCIST_MEANS * values.mean(dtype=np.float64) + _PERCIST_SDS * values.std(dtype=np.float64))


def delineate(
    image: Image,
    centre_mm: NDArray[np.float64],
    radius_mm: float,
    method: Method,
    level: float | None = None,
    name: str = "lesion",
) -> Region:
    """Draw a structure inside a sphere.

    Of the voxels that the method takes, those are kept that hang together with the sphere's hottest one.

    Parameters
    ----------
    image : Image
        Any density-like quantity.
    centre_mm : (3,) array
        The sphere's centre in patient coordinates (LPS), mm.
    radius_mm : float
        Its radius; it should hold all of the structure and nothing hotter.
    method : Method
        What decides.
    level : float, optional
        For `FRACTION` and `CONTRAST` the fraction (0 to 1); for `FIXED` and `PERCIST` the least value in the
        image's unit.
    name : str
        The region's name.

    Raises
    ------
    MissingInformation
        If the method needs a level and none was given.
    BadInput
        If nothing in the sphere reaches the level.
    OutsideImage
        If the sphere lies outside the image.

    Notes
    -----
    The background of `CONTRAST` is the mean of the shell that surrounds the sphere, one tenth of its radius and at
    least a voxel thick. `GRADIENT` floods the sphere from the hottest voxel and from outside; the two floods meet where
    the image falls most steeply (watershed of its gradient's magnitude).
    """
    inside = sphere(image.grid, centre_mm, radius_mm)
    hottest = np.unravel_index(np.argmax(np.where(inside, image.values, -np.inf)), inside.shape)
    if method is Method.SPHERE:
        return Region.from_mask(name, image.grid, inside, Role.LESION)
    if method is Method.GRADIENT:
        taken = inside & _flooded(image, inside, hottest)
    else:
        least = _least(image, (centre_mm, radius_mm), float(image.values[hottest]), method, level)
        taken = inside & (image.values >= least)
    if not taken[hottest]:
        raise BadInput(
            f"Nothing in the sphere reaches {least:g} {image.quantity.unit}; its maximum is {image.values[hottest]:g}.",
            "Lower the threshold, or place the sphere elsewhere.",
        )
    return Region.from_mask(name, image.grid, _joined(taken, hottest), Role.LESION)


def grow(image: Image, seed_mm: NDArray[np.float64], low: float, high: float = np.inf, name: str = "lesion") -> Region:
    """Grow a structure from a point over all touching voxels whose values lie from `low` to `high`.

    Parameters
    ----------
    image : Image
        Any quantity.
    seed_mm : (3,) array
        A point of the structure in patient coordinates (LPS), mm.
    low, high : float
        Bounds in the image's unit.
    name : str
        The region's name.

    Raises
    ------
    OutsideImage
        If the point lies outside the image.
    BadInput
        If its value lies outside the bounds.
    """
    seed = tuple(int(i) for i in np.rint(image.grid.to_index(seed_mm)))
    if min(seed) < 0 or any(i >= n for i, n in zip(seed, image.grid.shape, strict=True)):
        raise OutsideImage(f"The point {np.round(seed_mm, 1).tolist()} mm lies outside the image.")
    taken = (image.values >= low) & (image.values <= high)
    if not taken[seed]:
        raise BadInput(
            f"The value at the point, {image.values[seed]:g} {image.quantity.unit}, is not within {low:g} to {high:g}.",
            "Choose bounds around it.",
        )
    return Region.from_mask(name, image.grid, _joined(taken, seed), Role.LESION)


def _joined(taken: NDArray[np.bool_], seed: tuple[np.intp, ...] | tuple[int, ...]) -> NDArray[np.bool_]:
    labels, _ = ndimage.label(taken, _TOUCHING)
    return np.asarray(labels == labels[seed])


def _least(
    image: Image, ball: tuple[NDArray[np.float64], float], maximum: float, method: Method, level: float | None
) -> float:
    if level is None:
        raise MissingInformation(f"The method '{method.value}' needs a level.", "Give it with the sphere.")
    if method in (Method.FIXED, Method.PERCIST):
        return level
    if not 0 < level < 1:
        raise BadInput(f"A fraction of the maximum lies between 0 and 1, not {level:g}.", "For 41% give 0.41.")
    background = 0.0
    if method is Method.CONTRAST:
        centre_mm, radius_mm = ball
        thick_mm = max(radius_mm / 10, *image.grid.spacing_mm)
        shell = sphere(image.grid, centre_mm, radius_mm + thick_mm) & ~sphere(image.grid, centre_mm, radius_mm)
        background = float(image.values[shell].mean(dtype=np.float64)) if shell.any() else 0.0
    return background + level * (maximum - background)


def _flooded(image: Image, inside: NDArray[np.bool_], hottest: tuple[np.intp, ...]) -> NDArray[np.bool_]:
    slopes = np.gradient(image.values.astype(np.float64), *image.grid.spacing_mm)
    steepness = sitk.GetImageFromArray(np.sqrt(sum(s**2 for s in slopes)))
    markers = np.where(inside, 0, 2).astype(np.uint8)
    markers[hottest] = 1
    flooded = sitk.MorphologicalWatershedFromMarkers(
        steepness, sitk.GetImageFromArray(markers), markWatershedLine=False
    )
    return np.asarray(sitk.GetArrayFromImage(flooded) == 1)
