"""How far a CT lies from the emission image that it is laid under."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from hevesy.core import Grid, Image, Quantity
from hevesy.stages.registration.averaging import average

Array = NDArray[np.float64]

#: how far is searched along each axis
REACH_MM = 40.0
#: voxels that are compared: shifts are found between them by a parabola
_STEP_MM = 8.0
#: resolution of an emission image (FWHM), and what it is smoothed by besides (standard deviation)
_RESOLUTION_MM, _SMOOTHING_MM = 12.0, 6.0
#: boxes of the image that each have an uptake of their own in every tissue
_BLOCK_MM, _LEAST_BLOCKS = 56.0, 16
#: of a box that is used: share of body in it and around, and values in it that are independent of each other
_LEAST_BODY, _LEAST_CELLS = 0.1, 4
#: relative variance below which uptake in a box is even
_LEAST_VARIANCE = 1e-4
#: variance goes with activity: a voxel is weighed by the mean around it (standard deviation of what is around, and the
#: share of the highest below which activity is not told from none)
_AROUND_MM, _NOTHING = 20.0, 0.005
#: voxels of an independent value: (2√π σ)³ of what the image is smoothed by in all
_CELL = (2 * math.pi**0.5 * math.hypot(_RESOLUTION_MM / 2.3548, _SMOOTHING_MM) / _STEP_MM) ** 3
#: how firmly a tissue's uptake is held to the block's mean, per voxel
_STIFFNESS = 0.01
#: air, lung, fat, soft tissue and bone, HU: each has its own uptake
_TISSUES_HU = (-2000.0, -700.0, -250.0, -20.0, 130.0, 4000.0)
_AIR_HU, _OUTSIDE_HU = -1000.0, -300.0
#: length of body along which both must be seen at every shift
_LEAST_MM = 80.0
#: what the method is off by in a patient whose CT is in place, beyond what parts of the image disagree by
_OWN_U_MM = 2.0
#: a part of the variance that tissue alone never explains
_UNEXPLAINED = 0.02


@dataclass(frozen=True, slots=True)
class Offset:
    """Where a CT shows what an emission image shows.

    Parameters
    ----------
    shift_mm : tuple of float
        From a point of the emission image to the point of the CT that agrees with it (LPS): to the patient's left, to
        the back, and to the head.
    u_mm : tuple of float
        Their standard uncertainties.
    agreement, agreement_in_place : float
        Share of the emission's local variance that tissue in the CT explains, there and without a shift.
    likelihood : float
        Logarithm of how much likelier the image is with the shift than without: above 4.5 is three standard deviations.
    at_edge : bool
        Whether the best lies at the edge of what was searched, so that the shift is at least this.
    """

    shift_mm: tuple[float, float, float]
    u_mm: tuple[float, float, float]
    agreement: float
    agreement_in_place: float
    likelihood: float
    at_edge: bool


def ct_offset(emission: Image, anatomy: Image) -> Offset | None:
    """Find the shift at which a CT explains an emission image best.

    The CT is parted into air, lung, fat, soft tissue and bone, each blurred as the emission image is. At every shift of
    up to 40 mm along each axis the emission image is fitted, in every box of 56 mm by itself, by a sum of the five. The
    likelihood of all boxes together, each with a variance of its own, is highest where the two agree; all shifts are
    computed at once by correlation. The uncertainty is that of a jackknife over the eight octants of the image.

    Parameters
    ----------
    emission : Image
        Any emission image: only its shape counts, not its scale.
    anatomy : Image
        CT, HU, laid in the emission image's patient coordinates; its grid may be any.

    Returns
    -------
    Offset or None
        None where too little of the body is seen by both at every shift, or uptake is even.

    Raises
    ------
    WrongQuantity
        If `anatomy` is no CT.

    References
    ----------
    Correlation ratio: Roche et al., MICCAI 1998, LNCS 1496:1115-1124. Jackknife: Efron and Stein, Ann Stat
    1981;9:586-596.
    """
    anatomy.require(Quantity.HOUNSFIELD)
    pair = _common(emission, anatomy)
    if pair is None:
        return None
    fitted = _fitted(*pair)
    if len(fitted) < _LEAST_BLOCKS:
        return None
    reach = pair[-1]
    likelihoods = np.array([one.likelihood for one in fitted])
    whole = likelihoods.sum(axis=0)
    shift, at_edge = _peak(whole, reach)
    middles = np.array([one.middle for one in fitted])
    octant = (middles > np.median(middles, axis=0)) @ (1, 2, 4)
    without = [_peak(likelihoods[octant != one].sum(axis=0), reach)[0] for one in np.unique(octant)]
    u = np.sqrt((len(without) - 1) * np.var(without, axis=0) + _OWN_U_MM**2)
    best, in_place = float(whole.max()), float(whole[reach, reach, reach])
    explained, without_shift = -np.expm1(-2 * np.array([best, in_place]) / sum(one.cells for one in fitted))
    return Offset(_three(shift), _three(u), float(explained), float(without_shift), best - in_place, at_edge)


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """One block: its middle (voxels), its independent values, and the logarithm of its likelihood at every shift."""

    middle: tuple[float, ...]
    cells: float
    likelihood: Array


def _fitted(activity: Array, seen: NDArray[np.bool_], hounsfield: Array, reach: int) -> list[_Block]:
    tissues = _tissues(hounsfield)
    around = ndimage.gaussian_filter(activity, _AROUND_MM / _STEP_MM)
    weight = seen / (around + _NOTHING * np.percentile(around, 99.9))
    smooth = ndimage.gaussian_filter(activity, _SMOOTHING_MM / _STEP_MM)
    found = []
    for box in _blocks(seen):
        wide = tuple(slice(one.start, one.stop + 2 * reach) for one in box)
        cells = np.count_nonzero(seen[box]) / _CELL
        if cells < _LEAST_CELLS or np.mean(hounsfield[wide] > _OUTSIDE_HU) < _LEAST_BODY:
            continue
        one = _likelihood(smooth[box], weight[box], tissues[(slice(None), *wide)], reach)
        if one is not None:
            found.append(_Block(tuple((s.start + s.stop) / 2 for s in box), cells, cells * one))
    return found


def _common(emission: Image, anatomy: Image) -> tuple[Array, NDArray[np.bool_], Array, int] | None:
    """Return activity, where it may be compared, and the CT around it, on voxels of 8 mm along the patient's axes."""
    corners, ct_corners = emission.grid.corners_mm(), anatomy.grid.corners_mm()
    # half a voxel inside the outermost middles, so that each is filled
    low = np.maximum(corners.min(axis=0), ct_corners.min(axis=0)) + _STEP_MM / 2
    high = np.minimum(corners.max(axis=0), ct_corners.max(axis=0)) - _STEP_MM / 2
    count = np.floor((high - low) / _STEP_MM).astype(int) + 1
    reach = round(REACH_MM / _STEP_MM)
    if min(count) < 2:
        return None
    grid, wide = (_lattice(count + 2 * m, low - m * _STEP_MM) for m in (0, reach))
    activity, reached = average(emission, grid)
    hounsfield, there = average(anatomy, wide, beyond=_AIR_HU)
    levels = np.flatnonzero((there > 0.99).any(axis=(0, 1)))
    above = np.arange(count[2])
    # beside the CT is air; beyond its ends is more of the patient, of which nothing is known
    whole = (above >= levels[0]) & (above + 2 * reach <= levels[-1]) if levels.size else np.zeros(count[2], bool)
    seen = (reached > 0.99) & whole
    if whole.sum() * _STEP_MM < _LEAST_MM or not activity.values[seen].max(initial=0.0) > 0:
        return None
    return np.maximum(activity.values, 0.0).astype(np.float64), seen, hounsfield.values.astype(np.float64), reach


def _lattice(count: NDArray[Any], first_mm: Array) -> Grid:
    n0, n1, n2 = (int(n) for n in count)
    x, y, z = first_mm.tolist()
    return Grid.regular((n0, n1, n2), (_STEP_MM,) * 3, (x, y, z))


def _tissues(hounsfield: Array) -> NDArray[np.float32]:
    """Return the share of each tissue in every voxel, as blurred as the emission image is once it is smoothed."""
    sigma = np.hypot(_RESOLUTION_MM / 2.3548, _SMOOTHING_MM) / _STEP_MM
    bounds = itertools.pairwise(_TISSUES_HU)
    shares = (((hounsfield >= a) & (hounsfield < b)).astype(np.float64) for a, b in bounds)
    return np.stack([ndimage.gaussian_filter(share, sigma) for share in shares]).astype(np.float32)


def _blocks(seen: NDArray[np.bool_]) -> Iterator[tuple[slice, slice, slice]]:
    """Part what may be compared into boxes of about 56 mm."""
    levels = np.flatnonzero(seen.any(axis=(0, 1)))
    ends = ((0, seen.shape[0]), (0, seen.shape[1]), (int(levels[0]), int(levels[-1]) + 1))
    parted = []
    for first, beyond in ends:
        edges = (
            np.linspace(first, beyond, max(1, round((beyond - first) * _STEP_MM / _BLOCK_MM)) + 1).round().astype(int)
        )
        parted.append([slice(a, b) for a, b in itertools.pairwise(edges.tolist())])
    yield from itertools.product(*parted)


def _likelihood(activity: Array, weight: Array, tissues: NDArray[np.float32], reach: int) -> Array | None:
    """Fit one block at every shift.

    Parameters
    ----------
    activity, weight : (n0, n1, n2) array
        Of the block; the weight is 0 where nothing may be compared.
    tissues : (m, n0 + 2 reach, n1 + 2 reach, n2 + 2 reach) array
        Share of each tissue in the block and around it.
    reach : int
        How far is shifted, voxels.

    Returns
    -------
    (2 reach + 1, ...) array or None
        Logarithm of the likelihood over that of an even uptake, per independent value; None where nothing varies.
    """
    total = float(weight.sum())
    mean = float((weight * activity).sum()) / total
    squares = float((weight * (activity - mean) ** 2).sum())
    if not squares > _LEAST_VARIANCE * total * mean**2:
        return None
    count = len(tissues)
    first, second = np.triu_indices(count)
    products = np.empty((*(2 * reach + 1,) * 3, count, count))
    pairs = np.moveaxis(_correlated(tissues[first] * tissues[second], weight, reach), 0, -1)
    products[..., first, second] = products[..., second, first] = pairs
    sums = np.moveaxis(_correlated(tissues, weight * (activity - mean), reach), 0, -1)
    stiff = _STIFFNESS * total
    uptake = np.linalg.solve(products + stiff * np.eye(count), sums[..., None])[..., 0]
    explained = (uptake * (sums + stiff * uptake)).sum(axis=-1)
    rest = np.maximum(1 - explained / squares, _UNEXPLAINED)
    return np.asarray(-np.log(rest) / 2)


def _correlated(around: NDArray[np.floating], weight: Array, reach: int) -> NDArray[np.floating]:
    """Return the sum of products of a block with each of several wider ones at every shift."""
    size, axes = [fft.next_fast_len(n, real=True) for n in around.shape[1:]], (1, 2, 3)
    weighted = np.conj(fft.rfftn(weight.astype(np.float32), size))
    kept = slice(0, 2 * reach + 1)  # what wraps around lies outside these
    correlated = fft.irfftn(fft.rfftn(around, size, axes) * weighted, size, axes)
    return np.asarray(correlated[:, kept, kept, kept])


def _peak(agreement: Array, reach: int) -> tuple[Array, bool]:
    """Return the shift (mm) of the best agreement, between voxels by a parabola, and whether it lies at the edge."""
    best = np.array(np.unravel_index(int(agreement.argmax()), agreement.shape))
    at_edge = bool(((best == 0) | (best == 2 * reach)).any())
    shift = (best - reach).astype(np.float64)
    for axis in range(3):
        if 0 < best[axis] < 2 * reach:
            step = np.eye(3, dtype=int)[axis]
            before, here, after = (float(agreement[tuple(best + k * step)]) for k in (-1, 0, 1))
            curvature = before - 2 * here + after
            shift[axis] += (before - after) / (2 * curvature) if curvature < 0 else 0.0
    return shift * _STEP_MM, at_edge


def _three(values: Array) -> tuple[float, float, float]:
    x, y, z = values.tolist()
    return x, y, z
