"""Deformable registration of two time points by the CT of each, after the rigid motion between them (SimpleITK)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813 - the name by which everyone knows it

from hevesy.core import Grid, Image, Quantity
from hevesy.stages.registration.averaging import average
from hevesy.stages.registration.deformable import Deformation, refuse_failure
from hevesy.stages.registration.rigid import Motion, resample, similarity, to_sitk

#: finer voxels bring noise, and no place that an emission image would show
_FINEST_MM = 4.0
#: tissue, HU; beyond it bone and air would draw more than all the rest
_TISSUE_HU = (-300.0, 300.0)
_AIR_HU = -1000.0
#: from coarse to fine: by how much voxels are merged, and how many steps
_LEVELS = ((4, 60), (2, 40), (1, 20))
#: standard deviation that the displacement is smoothed by at every step, voxels
_STIFFNESS = 1.5


def deform_by_ct(fixed: Grid, fixed_ct: Image, moving_ct: Image, motion: Motion) -> Deformation:
    """Find the smooth displacement that is left between two CT after the rigid motion of their emission images.

    Symmetric-forces demons on voxels of about 4 mm, from four times as coarse, on CT from -300 to 300 HU. Where the
    moving CT does not reach nothing draws, and the displacement is carried on from beside. Deterministic.

    Parameters
    ----------
    fixed : Grid
        The fixed emission image's, on which the displacement is wanted.
    fixed_ct, moving_ct : Image
        CT of either time point, HU, in the patient coordinates of its emission image.
    motion : Motion
        The rigid motion between the emission images, see `hevesy.stages.registration.rigid.register`.

    Returns
    -------
    Deformation
        Every agreement in it, that of its rigid motion too, is the normalised cross-correlation of the two CT: with the
        rigid motion alone, and with both.

    Raises
    ------
    WrongQuantity
        If either is no CT.
    RegistrationWorsened
        If the agreement falls, a displacement is over 60 mm, space is folded, or a volume changes by more than a factor
        of 2.5.

    References
    ----------
    Thirion, Med Image Anal 1998;2:243-260. Wang et al., Phys Med Biol 2005;50:2887-2905 (symmetric forces).
    """
    for one in (fixed_ct, moving_ct):
        one.require(Quantity.HOUNSFIELD)
    grid = _working(fixed)
    still, there = average(fixed_ct, grid, beyond=_AIR_HU)
    other = resample(average(moving_ct, _working(moving_ct.grid), beyond=_AIR_HU)[0], grid, motion, beyond=_AIR_HU)
    ones = moving_ct.with_values(np.ones(moving_ct.grid.shape, np.float32), Quantity.RELATIVE)
    both = (there > 1 - 1e-3) & (resample(ones, grid, motion).values > 1 - 1e-3)
    pair = [_tissue(image.with_values(np.where(both, image.values, _AIR_HU))) for image in (still, other)]
    found = _demons(pair[0], pair[1])
    before = similarity(pair[0], pair[1], sitk.AffineTransform(3))
    after = similarity(pair[0], pair[1], sitk.DisplacementFieldTransform(sitk.Image(found)))
    volumes = sitk.GetArrayFromImage(sitk.DisplacementFieldJacobianDeterminant(found))
    displacement = np.round(sitk.GetArrayFromImage(_onto(found, fixed)).transpose(2, 1, 0, 3), 3).astype(np.float32)
    longest = float(np.linalg.norm(displacement, axis=-1).max())
    change = (float(volumes.min()), float(volumes.max()))
    rigid = replace(motion, agreement_before=before, agreement_after=before)
    result = Deformation(rigid, fixed, displacement, longest, change, before, after)
    refuse_failure(result)
    return result


def _working(grid: Grid) -> Grid:
    """Return the grid of this place whose voxels are merged to about 4 mm, or are its own where they are coarser."""
    merged = np.array([max(1, round(_FINEST_MM / s)) for s in grid.spacing_mm])
    affine = grid.affine.copy()
    affine[:3, :3] = grid.affine[:3, :3] * merged
    affine[:3, 3] = grid.to_mm((merged - 1) / 2)
    n0, n1, n2 = (int(n) for n in -(-np.array(grid.shape) // merged))
    return Grid((n0, n1, n2), affine, grid.frame_of_reference)


def _tissue(image: Image) -> Any:
    """Return a CT between the bounds of tissue, its least value 0."""
    return sitk.Clamp(to_sitk(image), sitk.sitkFloat32, *_TISSUE_HU) - _TISSUE_HU[0]


def _demons(fixed: Any, moving: Any) -> Any:
    search = sitk.FastSymmetricForcesDemonsRegistrationFilter()
    search.SetSmoothDisplacementField(True)
    search.SetStandardDeviations(_STIFFNESS)
    search.SetNumberOfThreads(1)  # the same sums in every run
    found = sitk.Image(fixed.GetSize(), sitk.sitkVectorFloat64)
    found.CopyInformation(fixed)
    for merged, steps in _LEVELS:
        factors = [min(merged, max(1, n // 8)) for n in fixed.GetSize()]
        pair = [sitk.BinShrink(one, factors) for one in (fixed, moving)]
        search.SetNumberOfIterations(steps)
        found = search.Execute(*pair, _resampled(found, pair[0]))
    return found


def _onto(field: Any, grid: Grid) -> Any:
    """Return a field of displacements on a grid."""
    return _resampled(field, to_sitk(Image(np.zeros(grid.shape, np.float32), grid, Quantity.RELATIVE)))


def _resampled(field: Any, like: Any) -> Any:
    """Return a field of displacements on the voxels of an image; beyond it, that of its edge."""
    resampler = sitk.ResampleImageFilter()
    resampler.SetReferenceImage(like)
    resampler.SetInterpolator(sitk.sitkLinear)
    resampler.SetOutputPixelType(sitk.sitkVectorFloat64)
    resampler.SetUseNearestNeighborExtrapolator(True)
    return resampler.Execute(field)
