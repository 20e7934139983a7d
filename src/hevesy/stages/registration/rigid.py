"""Rigid registration of one time point onto another, and resampling onto a grid (SimpleITK)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import SimpleITK as sitk  # noqa: N813 - the name by which everyone knows it
from numpy.typing import NDArray

from hevesy.core import Grid, Image
from hevesy.errors import RegistrationWorsened

#: a rigid motion between two scans of one patient on one couch beyond this is a failure, not an alignment
LARGEST_SHIFT_MM = 150.0
LARGEST_ROTATION_DEG = 30.0
_FINEST_SPACING_MM = 4.0
#: two scans that agree like this where their headers place them may stay there
_AGREEING = 0.6
#: two scans of one patient agree better than this, whatever washed out between them
_LEAST_AGREEMENT = 0.3


@dataclass(frozen=True, slots=True)
class _Search:
    """How to search: per level shrink factor, smoothing (voxels) and share of voxels; first step (mm)."""

    shrinks: tuple[int, ...]
    sigmas: tuple[float, ...]
    shares: tuple[float, ...]
    first_step: float


#: of the voxels of the finest level, a regular share is enough for six parameters
_COARSE_TO_FINE = _Search((4, 2, 1), (2, 1, 0), (1.0, 1.0, 0.2), 4.0)
_NEARBY = _Search((1,), (1,), (1.0,), 0.5)


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """A rigid motion that takes a point of the fixed image to the point of the moving image that shows it.

    Parameters
    ----------
    matrix : (4, 4) array
        Fixed patient coordinates (mm, LPS) to moving patient coordinates (mm, LPS).
    rotation_deg : tuple of float
        Euler angles about x, y and z.
    shift_mm : tuple of float
        Displacement of the fixed image's centre.
    agreement_before, agreement_after : float
        Normalised cross-correlation of the two images where both are defined, -1 to 1; before is
        with the two images' centres of activity laid upon each other if their frames of reference differ.
    """

    matrix: NDArray[np.float64]
    rotation_deg: tuple[float, float, float]
    shift_mm: tuple[float, float, float]
    agreement_before: float
    agreement_after: float

    def transform(self) -> Any:
        """Return the SimpleITK transform from fixed to moving patient coordinates."""
        return sitk.AffineTransform(self.matrix[:3, :3].ravel().tolist(), self.matrix[:3, 3].tolist())


class Placing(Protocol):
    """What takes a grid's patient coordinates to an image's, rigidly or not."""

    def transform(self) -> Any:
        """Return the SimpleITK transform."""


def to_sitk(image: Image) -> Any:
    """Return an image as SimpleITK's, in single precision."""
    spacing = np.array(image.grid.spacing_mm)
    out = sitk.GetImageFromArray(np.ascontiguousarray(image.values.T, dtype=np.float32))
    out.SetSpacing(spacing.tolist())
    out.SetOrigin(image.grid.affine[:3, 3].tolist())
    out.SetDirection((image.grid.affine[:3, :3] / spacing).ravel().tolist())
    return out


def _coarse(image: Any) -> Any:
    """Average a volume to voxels of about 4 mm: finer than the camera's resolution is noise and time."""
    factors = [max(1, round(_FINEST_SPACING_MM / s)) for s in image.GetSpacing()]
    return sitk.BinShrink(image, factors) if max(factors) > 1 else image


def similarity(fixed: Any, moving: Any, transform: Any) -> float:
    """Return the normalised cross-correlation of two SimpleITK images where both are defined, else -1."""
    moved = sitk.GetArrayFromImage(sitk.Resample(moving, fixed, transform, sitk.sitkLinear, -1.0)).ravel()
    still = sitk.GetArrayFromImage(fixed).ravel()
    both = moved >= 0
    if both.sum() < 100 or np.ptp(moved[both]) == 0 or np.ptp(still[both]) == 0:
        return -1.0
    return float(np.corrcoef(moved[both], still[both])[0, 1])


def register(fixed: Image, moving: Image) -> Motion:
    """Find the rigid motion between two images of one patient.

    Correlation of the square roots of the two images (so that one hot organ does not outweigh the
    body) is maximised over three shifts and three rotations, from 16 to 4 mm. Where that search ends
    worse than it began, a second one looks near the start, and two scans that agree there stay. Deterministic.

    Parameters
    ----------
    fixed, moving : Image
        Two images of one quantity.

    Raises
    ------
    RegistrationWorsened
        If the agreement falls or stays below 0.3, or the motion is over 150 mm or 30 degrees.
    """
    still, other = (_coarse(sitk.Sqrt(sitk.Clamp(to_sitk(i), lowerBound=0.0))) for i in (fixed, moving))
    start = sitk.Euler3DTransform()
    start.SetCenter(still.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in still.GetSize()]))
    before = similarity(still, other, start)
    if fixed.grid.frame_of_reference != moving.grid.frame_of_reference:
        start = sitk.CenteredTransformInitializer(still, other, start, sitk.CenteredTransformInitializerFilter.MOMENTS)
        start = sitk.Euler3DTransform(start)
        before = max(before, similarity(still, other, start))
    found, after = _best(still, other, [_optimise(still, other, start, _COARSE_TO_FINE)])
    if after < before:
        # a wide search can leave the right place: look near the start, and stay there if nothing is better
        nearby = _optimise(still, other, start, _NEARBY)
        found, after = _best(still, other, [found, nearby, *([start] if before >= _AGREEING else [])])
    motion = _motion(found, before, after)
    _refuse_failure(motion)
    return motion


def _best(fixed: Any, moving: Any, transforms: Sequence[Any]) -> tuple[Any, float]:
    """Return the transform with the best agreement, the first of equals, and that agreement."""
    agreements = [similarity(fixed, moving, transform) for transform in transforms]
    best = int(np.argmax(agreements))
    return transforms[best], agreements[best]


def _optimise(fixed: Any, moving: Any, start: Any, search: _Search) -> Any:
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsCorrelation()
    method.SetMetricSamplingStrategy(method.REGULAR)
    method.SetMetricSamplingPercentagePerLevel(search.shares, seed=1)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=search.first_step, minStep=0.005, numberOfIterations=120, gradientMagnitudeTolerance=1e-8
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel(search.shrinks)
    method.SetSmoothingSigmasPerLevel(search.sigmas)
    method.SetInitialTransform(start, inPlace=False)
    result = sitk.Euler3DTransform(sitk.CompositeTransform(method.Execute(fixed, moving)).GetNthTransform(0))
    # sums over threads differ in their last bits; rounding makes the motion the same in every run
    result.SetParameters([round(p, 5 if k < 3 else 3) for k, p in enumerate(result.GetParameters())])
    return result


def _motion(transform: Any, before: float, after: float) -> Motion:
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(transform.GetMatrix(), (3, 3))
    matrix[:3, 3] = transform.TransformPoint((0.0, 0.0, 0.0))
    parameters = transform.GetParameters()
    rotation = tuple(float(np.degrees(a)) for a in parameters[:3])
    shift = tuple(float(s) for s in parameters[3:])
    return Motion(matrix, rotation, shift, before, after)  # type: ignore[arg-type]


def _refuse_failure(motion: Motion) -> None:
    shift = float(np.linalg.norm(motion.shift_mm))
    turn = max(map(abs, motion.rotation_deg))
    remedy = "Turn it off with 'registration: none' in case.yaml, or supply registered images."
    if motion.agreement_after < _LEAST_AGREEMENT:
        raise RegistrationWorsened(
            f"Registration found no agreement between two scans ({motion.agreement_after:.2f} of 1).", remedy
        )
    if motion.agreement_after < motion.agreement_before - 1e-3:
        raise RegistrationWorsened(
            f"Registration made the agreement of two scans worse"
            f" ({motion.agreement_before:.3f} to {motion.agreement_after:.3f}).",
            remedy,
        )
    if shift > LARGEST_SHIFT_MM or turn > LARGEST_ROTATION_DEG:
        raise RegistrationWorsened(f"Registration moved a scan by {shift:.0f} mm and {turn:.0f}°, too far.", remedy)


def resample(image: Image, grid: Grid, motion: Placing | None = None, beyond: float = 0.0) -> Image:
    """Bring an image onto a grid by trilinear interpolation.

    Parameters
    ----------
    image : Image
        Any density-like quantity (Bq/mL, HU, kg/m³).
    grid : Grid
        The grid to fill.
    motion : Motion or Deformation or None
        From the grid's patient coordinates to the image's; None where the frames agree.
    beyond : float
        The value where the image does not reach.
    """
    spacing = np.array(grid.spacing_mm)
    resampler = sitk.ResampleImageFilter()
    resampler.SetSize([int(n) for n in grid.shape])
    resampler.SetOutputSpacing(spacing.tolist())
    resampler.SetOutputOrigin(grid.affine[:3, 3].tolist())
    resampler.SetOutputDirection((grid.affine[:3, :3] / spacing).ravel().tolist())
    resampler.SetTransform(sitk.AffineTransform(3) if motion is None else motion.transform())
    resampler.SetInterpolator(sitk.sitkLinear)
    resampler.SetDefaultPixelValue(beyond)
    values = sitk.GetArrayFromImage(resampler.Execute(to_sitk(image))).T
    history = image.provenance.then("resampled", interpolation="linear", by=type(motion).__name__ if motion else "none")
    return Image(values, grid, image.quantity, image.timing, history)
