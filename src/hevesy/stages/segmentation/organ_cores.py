"""Where each organ surely is: cores by position against the spine and by uptake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from hevesy.stages.segmentation.landmarks import Mask, Scene, Values

LABELS = {"right kidney": 1, "left kidney": 2, "spleen": 3, "liver": 4}
BACKGROUND = 5

#: kidneys lie within these distances to the side of the spine, in front of and behind its middle, mm
_KIDNEY_SIDE_MM, _KIDNEY_FRONT_MM, _KIDNEY_BACK_MM = (20.0, 100.0), 50.0, 45.0
#: the left kidney and the spleen lie behind this, mm in front of the middle of the spine
_SPLEEN_FRONT_MM = 60.0
#: a part of the right body that takes up activity, shrunk by two voxels, and is larger than this is the liver, mL
_LEAST_LIVER_CORE_ML = 250.0
#: the highest uptake of a kidney is at least this many times the liver's: less does not tell the two apart
_KIDNEY_OVER_LIVER = 1.8
#: share of the way from the liver's uptake to the kidney's that a voxel of the kidney's core has passed
_ABOVE_LIVER = 0.5
#: what takes up this share of the left kidney's highest uptake belongs to left kidney or spleen
_OF_LEFT = 0.4
#: a left side larger than this many right kidneys holds a spleen, too
_MORE_THAN_KIDNEY = 1.3
_FACES = ndimage.generate_binary_structure(3, 1)


@dataclass(frozen=True, slots=True, eq=False)
class Cores:
    """Voxels that surely belong to an organ (by `LABELS`, 0 elsewhere), and why there are none of the others."""

    marks: NDArray[np.uint8] = field(repr=False)
    refused: Mapping[str, str]


def largest(mask: Mask) -> Mask:
    """Return the largest part that hangs together by faces; the mask itself where it is empty."""
    parts, count = ndimage.label(mask, _FACES)
    return np.asarray(parts == np.bincount(parts.ravel())[1:].argmax() + 1) if count else mask


def mark_cores(scene: Scene) -> Cores:
    """Mark a core of each organ that can be told by where it lies and what it takes up."""
    refused: dict[str, str] = {}
    cores: dict[str, Mask] = {}
    liver = largest(ndimage.binary_erosion(scene.hot & (scene.left_mm < 30), _FACES, iterations=2))
    if scene.volume_mL(liver) < _LEAST_LIVER_CORE_ML:
        refused["liver"] = "no large part of the right body takes up activity"
        level = scene.threshold
    else:
        level = float(np.median(scene.uptake[liver]))
    right = _kidney_window(scene) & scene.hot & (scene.left_mm < 0)
    kidney, hottest = _right_kidney(scene, right, level)
    if not kidney.any():
        refused["right kidney"] = "nothing beside the spine takes up far more activity than the liver"
    else:
        cores["right kidney"] = kidney
    if "liver" not in refused:
        below = min(1.5, 1 + 0.35 * max(hottest / level - 1, 0.3)) * level
        cores["liver"] = _shrunk(scene.hot & (scene.left_mm < 30) & (scene.uptake < below) & ~kidney)
    left, spleen = _left_side(scene, scene.volume_mL(kidney), level)
    cores["left kidney"], cores["spleen"] = left, spleen
    if not left.any():
        refused["left kidney"] = "nothing to the left of the spine takes up activity as a kidney does"
    if not spleen.any():
        refused["spleen"] = "nothing besides the left kidney takes up activity there"
    marks = np.zeros(scene.grid.shape, np.uint8)
    for name, mask in cores.items():
        marks[mask & (marks == 0)] = LABELS[name]
    return Cores(marks, refused)


def _kidney_window(scene: Scene) -> Mask:
    aside = np.abs(scene.left_mm)
    near = (aside > _KIDNEY_SIDE_MM[0]) & (aside < _KIDNEY_SIDE_MM[1])
    return np.asarray(near & (scene.back_mm > -_KIDNEY_FRONT_MM) & (scene.back_mm < _KIDNEY_BACK_MM))


def _shrunk(mask: Mask) -> Mask:
    return largest(ndimage.binary_erosion(mask, _FACES))


def _right_kidney(scene: Scene, window: Mask, liver: float) -> tuple[Mask, float]:
    """Return what takes up much more than the liver, of which the window holds a part; and the highest uptake."""
    if not window.any():
        return window, liver
    hottest = float(np.percentile(scene.uptake[window], 97))
    if hottest < _KIDNEY_OVER_LIVER * liver:
        return np.zeros_like(window), hottest
    return largest(window & (scene.uptake > liver + _ABOVE_LIVER * (hottest - liver))), hottest


def _left_side(scene: Scene, kidney_mL: float, liver: float) -> tuple[Mask, Mask]:
    """Return cores of left kidney and spleen: two bodies side by side where there is more than one kidney's worth."""
    window = _kidney_window(scene) & scene.hot & (scene.left_mm > 0)
    none = np.zeros_like(window)
    if not window.any():
        return none, none
    hottest = float(np.percentile(scene.uptake[window], 90))
    region = scene.hot & (scene.left_mm > _KIDNEY_SIDE_MM[0]) & (scene.back_mm > -_SPLEEN_FRONT_MM)
    both = largest(ndimage.binary_opening(region & (scene.uptake > _OF_LEFT * hottest), _FACES))
    if not (both & window).any():
        return none, none
    core_mL = scene.volume_mL(both)
    if core_mL < _MORE_THAN_KIDNEY * max(kidney_mL, 100.0):
        return _shrunk(both), none
    upper, lower = _parted(both, scene)
    return _shrunk(lower), _shrunk(upper)


def _parted(mask: Mask, scene: Scene) -> tuple[Mask, Mask]:
    """Part a mask into two bodies by a mixture of two Gaussians in space; the upper one first."""
    index = np.argwhere(mask)
    places = scene.grid.to_mm(index)
    share = _mixture(places)
    upper = share > 0.5
    if upper.all() or not upper.any() or places[upper, 2].mean() < places[~upper, 2].mean():
        upper = ~upper
    first, second = np.zeros_like(mask), np.zeros_like(mask)
    first[tuple(index[upper].T)] = True
    second[tuple(index[~upper].T)] = True
    return first, second


def _mixture(places: Values, rounds: int = 60) -> Values:
    """Return each place's probability to belong to the first of two Gaussians (expectation-maximisation)."""
    offset = places - places.mean(axis=0)
    longest = np.linalg.eigh(np.cov(offset.T))[1][:, -1]
    along = offset @ longest
    first = (along > np.median(along)).astype(np.float64)
    for _ in range(rounds):
        one, other = (_weighted_density(places, w) for w in (first, 1 - first))
        first = one / (one + other + 1e-300)
    return np.asarray(first)


def _weighted_density(places: Values, weights: Values) -> Values:
    mean = np.average(places, axis=0, weights=weights + 1e-12)
    spread = np.cov(places.T, aweights=weights + 1e-12) + 4.0 * np.eye(3)
    offset = places - mean
    distance2 = np.einsum("ij,jk,ik->i", offset, np.linalg.inv(spread), offset)
    return np.asarray(weights.sum() * np.exp(-distance2 / 2) / np.sqrt(np.linalg.det(spread)))
