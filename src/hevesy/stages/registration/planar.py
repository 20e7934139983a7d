"""Rigid registration of planar views of one patient over time (SimpleITK): two shifts and one rotation."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813 - the name by which everyone knows it

from hevesy.core import PlanarView
from hevesy.errors import BadInput, GridMismatch, RegistrationWorsened

#: a patient laid again on the same couch is not moved further than this
LARGEST_SHIFT_MM = 200.0
LARGEST_ROTATION_DEG = 15.0


@dataclass(frozen=True, slots=True)
class PlanarMotion:
    """A rigid motion in the plane of the detector.

    Parameters
    ----------
    shift_mm : tuple of float
        Where the fixed view's centre lies in the moving view, along rows' and columns' index, mm.
    rotation_deg : float
        From the fixed view to the moving view, about the fixed view's centre; from columns towards rows.
    agreement_before, agreement_after : float
        Correlation of the square roots of the two views, -1 to 1.
    """

    shift_mm: tuple[float, float]
    rotation_deg: float
    agreement_before: float
    agreement_after: float


def register_views(fixed: PlanarView, moving: PlanarView) -> PlanarMotion:
    """Find the rigid motion between two views from one side.

    Correlation of the square roots (so that one hot organ, whose activity changes, does not outweigh the body) is
    maximised from coarse to fine. Deterministic.

    Raises
    ------
    GridMismatch
        If size or pixels differ.
    BadInput
        If a view holds no counts.
    RegistrationWorsened
        If the agreement falls, or the motion is over 200 mm or 15 degrees.
    """
    _check_alike(fixed, moving)
    still, other = _to_sitk(fixed, root=True), _to_sitk(moving, root=True)
    start = _about_centre(still)
    found = _optimise(still, other, start)
    angle, across, along = found.GetParameters()
    motion = PlanarMotion(
        (along, across), math.degrees(angle), _agreement(still, other, start), _agreement(still, other, found)
    )
    _refuse_failure(motion)
    return motion


def move_view(view: PlanarView, motion: PlanarMotion) -> PlanarView:
    """Bring a moving view onto the fixed one by linear interpolation; zero where it does not reach."""
    image = _to_sitk(view, root=False)
    transform = _about_centre(image)
    transform.SetParameters((math.radians(motion.rotation_deg), motion.shift_mm[1], motion.shift_mm[0]))
    moved = [
        sitk.GetArrayFromImage(sitk.Resample(_to_sitk(one, root=False), image, transform, sitk.sitkLinear, 0.0))
        for one in (view, *([] if view.variance is None else [replace(view, counts=view.variance, variance=None)]))
    ]
    history = view.provenance.then("moved", shift_mm=motion.shift_mm, rotation_deg=motion.rotation_deg)
    return replace(view, counts=moved[0], variance=moved[1] if moved[1:] else None, provenance=history)


def _check_alike(fixed: PlanarView, moving: PlanarView) -> None:
    if fixed.counts.shape != moving.counts.shape or not np.allclose(fixed.pixel_mm, moving.pixel_mm, rtol=1e-3):
        raise GridMismatch(
            f"Two views of {fixed.counts.shape} pixels of {fixed.pixel_mm} mm and {moving.counts.shape} pixels of"
            f" {moving.pixel_mm} mm cannot be registered.",
            "Acquire every time point with one matrix and zoom.",
        )
    if min(fixed.counts.max(), moving.counts.max()) <= 0:
        raise BadInput("A planar view holds no counts.", "Check the energy window.")


def _to_sitk(view: PlanarView, *, root: bool) -> Any:
    counts = np.maximum(view.counts, 0.0) if root else view.counts
    values = np.sqrt(counts) if root else counts
    image = sitk.GetImageFromArray(np.ascontiguousarray(values, dtype=np.float32))
    image.SetSpacing((view.pixel_mm[1], view.pixel_mm[0]))
    return image


def _about_centre(image: Any) -> Any:
    transform = sitk.Euler2DTransform()
    transform.SetCenter(image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in image.GetSize()]))
    return transform


def _optimise(fixed: Any, moving: Any, start: Any) -> Any:
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsCorrelation()
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=8.0, minStep=0.002, numberOfIterations=200, gradientMagnitudeTolerance=1e-8
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([4, 2, 1])
    method.SetSmoothingSigmasPerLevel([3, 1, 1])
    method.SetInitialTransform(start, inPlace=False)
    found = sitk.Euler2DTransform(sitk.CompositeTransform(method.Execute(fixed, moving)).GetNthTransform(0))
    # sums over threads differ in their last bits; rounding makes the motion the same in every run
    found.SetParameters([round(p, 5 if k < 1 else 3) for k, p in enumerate(found.GetParameters())])
    return found


def _agreement(fixed: Any, moving: Any, transform: Any) -> float:
    moved = sitk.GetArrayFromImage(sitk.Resample(moving, fixed, transform, sitk.sitkLinear, -1.0)).ravel()
    still = sitk.GetArrayFromImage(fixed).ravel()
    both = moved >= 0
    if both.sum() < 100 or not moved[both].any() or not still[both].any():
        return -1.0
    return float(np.corrcoef(moved[both], still[both])[0, 1])


def _refuse_failure(motion: PlanarMotion) -> None:
    shift = math.hypot(*motion.shift_mm)
    if motion.agreement_after < motion.agreement_before - 1e-3:
        raise RegistrationWorsened(
            f"Registration made the agreement of two views worse"
            f" ({motion.agreement_before:.3f} to {motion.agreement_after:.3f}).",
            "Draw the regions on each view.",
        )
    if shift > LARGEST_SHIFT_MM or abs(motion.rotation_deg) > LARGEST_ROTATION_DEG:
        raise RegistrationWorsened(
            f"Registration moved a view by {shift:.0f} mm and {motion.rotation_deg:.0f}°, too far.",
            "Draw the regions on each view.",
        )
