"""Deformable registration of one time point onto another, after the rigid motion between them (SimpleITK)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813 - the name by which everyone knows it
from numpy.typing import NDArray

from hevesy.core import Grid, Image
from hevesy.errors import RegistrationWorsened
from hevesy.stages.registration.rigid import Motion, resample, similarity, to_sitk

#: a part of the body that moved further against the rest, or changed its volume more, was not found but made up
LARGEST_MM = 60.0
LEAST_VOLUME, MOST_VOLUME = 0.4, 2.5
#: distance of the spline's control points: emission images show organs, not what lies between them
_MESH_MM = 120.0
_WORKING_MM = 8.0
_SHARE = 0.5
_STEPS = 25


@dataclass(frozen=True, slots=True, eq=False)
class Deformation:
    """A smooth displacement that follows a rigid motion.

    Parameters
    ----------
    motion : Motion
        The rigid part.
    grid : Grid
        The fixed image's.
    displacement_mm : (n0, n1, n2, 3) array
        At each voxel of the grid, the displacement (LPS) that is added before the rigid motion.
    largest_mm : float
        The longest displacement.
    volume_change : tuple of float
        Least and largest local ratio of volumes (Jacobian determinant).
    agreement_before, agreement_after : float
        Normalised cross-correlation of the two images with the rigid motion alone, and with both.
    """

    motion: Motion
    grid: Grid
    displacement_mm: NDArray[np.float32] = field(repr=False)
    largest_mm: float
    volume_change: tuple[float, float]
    agreement_before: float
    agreement_after: float

    def transform(self) -> Any:
        """Return the SimpleITK transform from fixed to moving patient coordinates."""
        return _after(_displacing(self.grid, self.displacement_mm), self.motion)


def deform(fixed: Image, moving: Image, motion: Motion) -> Deformation:
    """Find the smooth displacement that is left after a rigid motion.

    Mutual information of the square roots of the two images, so that organs may wash out differently, over a cubic
    B-spline with control points 120 mm apart, in voxels of about 8 mm. Deterministic.

    Parameters
    ----------
    fixed, moving : Image
        Two images of one quantity.
    motion : Motion
        The rigid motion between them, see `hevesy.stages.registration.rigid.register`.

    Raises
    ------
    RegistrationWorsened
        If the agreement falls, a displacement is over 60 mm, or a volume changes by more than a factor of 2.5.

    References
    ----------
    Mattes et al., IEEE Trans Med Imaging 2003;22:120-128.
    """
    still, other = (_coarse(image) for image in (fixed, resample(moving, fixed.grid, motion)))
    start = sitk.AffineTransform(3)
    before = similarity(still, other, start)
    spline = _optimise(still, other)
    after = similarity(still, other, spline)
    whole = to_sitk(fixed)
    found = sitk.TransformToDisplacementField(
        spline, sitk.sitkVectorFloat64, whole.GetSize(), whole.GetOrigin(), whole.GetSpacing(), whole.GetDirection()
    )
    volumes = sitk.GetArrayFromImage(sitk.DisplacementFieldJacobianDeterminant(found))
    displacement = np.round(sitk.GetArrayFromImage(found).transpose(2, 1, 0, 3), 3).astype(np.float32)
    result = Deformation(
        motion,
        fixed.grid,
        displacement,
        float(np.linalg.norm(displacement, axis=-1).max()),
        (float(volumes.min()), float(volumes.max())),
        before,
        after,
    )
    refuse_failure(result)
    return result


def _coarse(image: Image) -> Any:
    factors = [max(1, round(_WORKING_MM / s)) for s in image.grid.spacing_mm]
    rooted = sitk.Sqrt(sitk.Clamp(to_sitk(image), lowerBound=0.0))
    return sitk.BinShrink(rooted, factors) if max(factors) > 1 else rooted


def _optimise(fixed: Any, moving: Any) -> Any:
    lengths = np.multiply(fixed.GetSize(), fixed.GetSpacing())
    spline = sitk.BSplineTransformInitializer(fixed, [max(1, round(length / _MESH_MM)) for length in lengths], order=3)
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(32)
    method.SetMetricSamplingStrategy(method.REGULAR)
    method.SetMetricSamplingPercentage(_SHARE, seed=1)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsLBFGS2(numberOfIterations=_STEPS)
    method.SetInitialTransform(spline, inPlace=True)
    method.SetNumberOfThreads(1)  # sums over threads differ in their last bits, and the search would follow them
    method.Execute(fixed, moving)
    return spline


def _displacing(grid: Grid, displacement_mm: NDArray[np.float32]) -> Any:
    spacing = np.array(grid.spacing_mm)
    field_image = sitk.GetImageFromArray(np.ascontiguousarray(displacement_mm.transpose(2, 1, 0, 3), np.float64), True)
    field_image.SetSpacing(spacing.tolist())
    field_image.SetOrigin(grid.affine[:3, 3].tolist())
    field_image.SetDirection((grid.affine[:3, :3] / spacing).ravel().tolist())
    return sitk.DisplacementFieldTransform(field_image)


def _after(displacing: Any, motion: Motion) -> Any:
    """Chain two transforms: of a composite, the last that was added is applied first."""
    return sitk.CompositeTransform([motion.transform(), displacing])


def refuse_failure(found: Deformation) -> None:
    """Refuse a deformation that no patient makes.

    Raises
    ------
    RegistrationWorsened
        If the agreement falls, a displacement is over 60 mm, or a volume changes by more than a factor of 2.5.
    """
    remedy = "Use 'registration: rigid' in case.yaml, or supply registered images."
    if found.agreement_after < found.agreement_before - 1e-3:
        raise RegistrationWorsened(
            f"Deformable registration made the agreement of two scans worse"
            f" ({found.agreement_before:.3f} to {found.agreement_after:.3f}).",
            remedy,
        )
    if found.largest_mm > LARGEST_MM:
        raise RegistrationWorsened(
            f"Deformable registration moved a part by {found.largest_mm:.0f} mm, too far.", remedy
        )
    least, most = found.volume_change
    if least <= 0:
        raise RegistrationWorsened(
            f"Deformable registration folded space (a volume became {least:.2f} of itself).", remedy
        )
    if least < LEAST_VOLUME or most > MOST_VOLUME:
        raise RegistrationWorsened(
            f"Deformable registration changed local volumes by factors of {least:.2f} to {most:.2f}, too much.", remedy
        )
