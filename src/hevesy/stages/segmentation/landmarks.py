"""What tells where in the body a voxel lies, and whether it takes up activity: spine, sides, soft tissue, uptake."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from hevesy.core import Grid, Image, Quantity
from hevesy.errors import OutsideValidity
from hevesy.stages.segmentation.body import body

Mask = NDArray[np.bool_]
Values = NDArray[np.float64]

#: voxels finer than this bring noise and no boundary that SPECT would show
WORKING_MM = 3.5
#: standard deviation that CT is smoothed by
_CT_MM = 1.5
#: soft tissue, HU: fat below, bone and calcium above
SOFT_HU = (-20.0, 250.0)
FAT_HU = (-200.0, -20.0)
_BONE_HU = 150.0
#: bone that lies this far along the body above one spot is a spine: ribs, sternum and pelvis are shorter
_SPINE_MM = 100.0
_SPINE_WIDTH_MM = 15.0


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """Uptake and CT on a grid of about 3.5 mm, placed against the spine.

    Parameters
    ----------
    grid : Grid
        The grid of both.
    uptake, hounsfield : (n0, n1, n2) array
        Smoothed activity concentration, Bq/mL, and CT, HU.
    left_mm, back_mm : (n0, n1, n2) array
        How far each voxel lies to the patient's left of the spine, and behind its middle, mm.
    soft : (n0, n1, n2) array of bool
        Soft tissue of the body, without fat.
    fat : (n0, n1, n2) array of bool
        Fat of the body.
    hot : (n0, n1, n2) array of bool
        Soft tissue with more than `threshold`.
    threshold : float
        What divides the body's uptake in two, Bq/mL.
    """

    grid: Grid
    uptake: Values = field(repr=False)
    hounsfield: Values = field(repr=False)
    left_mm: Values = field(repr=False)
    back_mm: Values = field(repr=False)
    soft: Mask = field(repr=False)
    fat: Mask = field(repr=False)
    hot: Mask = field(repr=False)
    threshold: float

    def volume_mL(self, mask: Mask) -> float:
        """Return the volume of voxels, mL."""
        return float(mask.sum()) * self.grid.voxel_volume_mL


def survey(activity: Image, anatomy: Image, blur_mm: float) -> Scene:
    """Place uptake and CT against the spine.

    Parameters
    ----------
    activity : Image
        Activity concentration, Bq/mL.
    anatomy : Image
        CT of the same grid, HU.
    blur_mm : float
        Standard deviation that uptake is smoothed by.

    Raises
    ------
    WrongQuantity, GridMismatch
        If the images are no activity and CT on one grid.
    OutsideValidity
        If the CT shows no spine, or one in front, or no soft tissue takes up activity.
    """
    activity.require(Quantity.ACTIVITY_CONCENTRATION)
    anatomy.require(Quantity.HOUNSFIELD)
    grid = activity.grid
    grid.require_match(anatomy.grid, "Uptake and CT")
    spacing = np.array(grid.spacing_mm)
    inside = body(anatomy).mask() > 0
    uptake = ndimage.gaussian_filter(activity.values.astype(np.float64), blur_mm / spacing)
    hounsfield = ndimage.gaussian_filter(anatomy.values.astype(np.float64), _CT_MM / spacing)
    x, y, z = np.moveaxis(grid.to_mm(np.moveaxis(np.indices(grid.shape), 0, -1)), -1, 0)
    across, behind = _spine(inside & (hounsfield > _BONE_HU), x, y, z)
    if behind < float(y[inside].mean()):
        raise OutsideValidity("The spine lies in the front of the body: the CT's front and back are exchanged.")
    soft = inside & (hounsfield > SOFT_HU[0]) & (hounsfield < SOFT_HU[1])
    fat = inside & (hounsfield > FAT_HU[0]) & (hounsfield < FAT_HU[1])
    threshold = _division(uptake[soft])
    hot = soft & (uptake > threshold)
    return Scene(grid, uptake, hounsfield, x - across, y - behind, soft, fat, hot, threshold)


def working_grid(grid: Grid) -> Grid:
    """Return the grid of this place and direction whose voxels are about 3.5 mm: blocks of voxels, or parts of them."""
    merged = np.array([max(1, round(WORKING_MM / s)) for s in grid.spacing_mm])
    parted = np.array([max(1, round(s / WORKING_MM)) for s in grid.spacing_mm])
    affine = grid.affine.copy()
    affine[:3, :3] = grid.affine[:3, :3] * merged / parted
    affine[:3, 3] = grid.to_mm((merged - 1) / 2 + (1 / parted - 1) / 2)
    n0, n1, n2 = (int(n) for n in np.array(grid.shape) // merged * parted)
    return Grid((n0, n1, n2), affine, grid.frame_of_reference)


def binned(image: Image) -> Image:
    """Return an image whose voxels are the means of blocks of about 3.5 mm; a rest at the far edge is left out."""
    factors = [max(1, round(WORKING_MM / s)) for s in image.grid.spacing_mm]
    values = image.values
    for axis, factor in enumerate(factors):
        count = values.shape[axis] // factor
        kept = np.take(values, np.arange(count * factor), axis=axis)
        parted = kept.reshape(*kept.shape[:axis], count, factor, *kept.shape[axis + 1 :])
        values = parted.mean(axis=axis + 1, dtype=np.float64)
    affine = image.grid.affine.copy()
    affine[:3, :3] = image.grid.affine[:3, :3] * factors
    affine[:3, 3] = image.grid.to_mm((np.array(factors) - 1) / 2)
    n0, n1, n2 = values.shape
    grid = Grid((n0, n1, n2), affine, image.grid.frame_of_reference)
    return Image(values.astype(np.float32), grid, image.quantity, image.timing, image.provenance)


def _spine(bone: Mask, x: Values, y: Values, z: Values) -> tuple[float, float]:
    """Return where, across the body and from front to back, bone lies longest along the body (LPS), mm."""
    if not bone.any():
        raise OutsideValidity("The CT shows no bone, so that left and right of the spine are not known.")
    cell = WORKING_MM
    columns = [np.rint(c[bone] / cell).astype(int) for c in (x, y)]
    first = [int(c.min()) for c in columns]
    shape = [int(c.max()) - f + 1 for c, f in zip(columns, first, strict=True)]
    flat = np.ravel_multi_index([c - f for c, f in zip(columns, first, strict=True)], shape)
    levels = np.rint(z[bone] / cell).astype(int)
    there = np.unique(np.stack([flat, levels]), axis=1)[0]
    length = np.bincount(there, minlength=int(np.prod(shape))).reshape(shape) * cell
    smooth = ndimage.gaussian_filter(length, _SPINE_WIDTH_MM / 2 / cell)
    i, j = np.unravel_index(int(smooth.argmax()), smooth.shape)
    if length[max(i - 2, 0) : i + 3, max(j - 2, 0) : j + 3].max() < _SPINE_MM:
        raise OutsideValidity(f"The CT shows no {_SPINE_MM / 10:.0f} cm of spine, so that its sides are not known.")
    return (int(i) + first[0]) * cell, (int(j) + first[1]) * cell


def _division(values: Values) -> float:
    """Divide uptake in two by its logarithm, so that the classes lie furthest apart (Otsu 1979)."""
    seen = values[values > 0]
    if seen.size < 2 or seen.max() <= 1.01 * seen.min():
        raise OutsideValidity("No soft tissue takes up more activity than the rest.")
    counts, edges = np.histogram(np.log(seen), 256)
    middles = (edges[1:] + edges[:-1]) / 2
    below, sums = np.cumsum(counts)[:-1], np.cumsum(counts * middles)[:-1]
    total, whole = seen.size, float(counts @ middles)
    apart = (whole * below / total - sums) ** 2 / (below * (total - below))
    return float(np.exp(middles[int(np.argmax(apart))]))
