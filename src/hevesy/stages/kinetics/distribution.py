"""The time-integrated activity of regions, spread over their voxels as the scans show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hevesy.core import Curve, Image, Quantity, Region
from hevesy.errors import BadInput, UnphysicalResult
from hevesy.stages.kinetics.fit import Fit


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A region whose time-integrated activity is known.

    Parameters
    ----------
    region : Region
        On the images' grid.
    weights_s : (n,) array
        Time that each of the n scans stands for: ∫ A(t) dt over the scan's share of time, divided by A at the scan.
    tia_Bq_s : float
        What the voxels of the region must sum to, Bq·s.
    """

    region: Region
    weights_s: NDArray[np.float64] = field(repr=False)
    tia_Bq_s: float


def scan_weights_s(fit: Fit, curve: Curve) -> NDArray[np.float64]:
    """Return the time that each scan stands for under a fitted curve, s.

    Time from administration to infinity is cut half way between scans; the weight of a scan is the
    integral of the fitted curve over its share, divided by the curve at the scan.
    """
    times = curve.mid_s
    cuts = 0.5 * (times[1:] + times[:-1])
    # the curve may bend at a scan: integrate smooth stretches on either side of it
    before = [_integral_of(fit, a, b) for a, b in zip(np.r_[0.0, cuts], times, strict=True)]
    after = [_integral_of(fit, a, b) for a, b in zip(times[:-1], cuts, strict=True)]
    tail = fit.tia.value - sum(before) - sum(after)
    return np.asarray((np.array(before) + np.array([*after, tail])) / fit.activity(times))


def _integral_of(fit: Fit, start_s: float, end_s: float) -> float:
    """Integrate a fitted curve over a stretch in which it is smooth, by Gauss and Legendre, Bq·s."""
    nodes, weights = np.polynomial.legendre.leggauss(64)
    half = 0.5 * (end_s - start_s)
    return float(half * weights @ fit.activity(start_s + half * (nodes + 1)))


def distribute(activity: Sequence[Image], parts: Sequence[Part], body: Part) -> Image:
    """Spread known time-integrated activities over voxels.

    Each voxel follows the kinetics of its region and its own activity in every scan: a region's
    shape is Σ weight · activity. Where regions overlap, the smaller one decides. One factor per
    region (near 1) makes every region's voxels, partly covered ones by their fraction, sum
    to its time-integrated activity, and the body's to the whole.

    Parameters
    ----------
    activity : sequence of n Images
        Activity concentration present at each scan, on one grid, Bq/mL.
    parts : sequence of Part
        Regions with their weights and totals.
    body : Part
        The whole body; what lies outside it gets nothing.

    Returns
    -------
    Image
        Time-integrated activity concentration, Bq·s/mL.

    Raises
    ------
    GridMismatch
        If an image or a region lies on another grid.
    UnphysicalResult
        If no set of positive factors reproduces the totals, such as an organ with less activity
        than a lesion inside it.
    """
    if not activity:
        raise BadInput("No image was given to spread the time-integrated activity over.")
    grid = activity[0].grid
    for image in activity:
        image.require(Quantity.ACTIVITY_CONCENTRATION)
        grid.require_match(image.grid, "Images of two scans")
    for part in (*parts, body):
        grid.require_match(part.region.grid, f"Region '{part.region.name}' and the images")
    everyone = [*sorted(parts, key=lambda part: part.region.volume_mL), body]
    shapes = _exclusive_shapes(activity, everyone)
    factors = _factors(everyone, shapes, grid.voxel_volume_mL)
    values = np.zeros(grid.shape, np.float64)
    for part, shape, factor in zip(everyone, shapes, factors, strict=True):
        values[part.region.box] += factor * shape
    history = activity[0].provenance.then(
        "time-integrated activity distributed",
        factors={part.region.name: round(float(f), 6) for part, f in zip(everyone, factors, strict=True)},
    )
    quantity = Quantity.TIME_INTEGRATED_ACTIVITY_CONCENTRATION
    return Image(values.astype(np.float32), grid, quantity, None, history)


def _exclusive_shapes(activity: Sequence[Image], everyone: Sequence[Part]) -> list[NDArray[np.float64]]:
    """Weighted activity of each part within its box, with the share of smaller parts taken out."""
    taken = np.zeros(activity[0].grid.shape, np.float32)
    shapes = []
    for part in everyone:
        box = part.region.box
        own = np.minimum(part.region.coverage, 1 - taken[box])
        taken[box] += own
        weighted = sum(w * np.maximum(i.values[box], 0) for w, i in zip(part.weights_s, activity, strict=True))
        shapes.append(np.asarray(own * weighted, np.float64))
    return shapes


def _factors(
    everyone: Sequence[Part], shapes: Sequence[NDArray[np.float64]], voxel_volume_mL: float
) -> NDArray[np.float64]:
    """Solve for the factor of each part so that every part's coverage integrates to its total."""
    count = len(everyone)
    overlap = np.zeros((count, count))
    for row, wanted in enumerate(everyone):
        for column, (giver, shape) in enumerate(zip(everyone, shapes, strict=True)):
            overlap[row, column] = _integral(wanted.region, giver.region, shape) * voxel_volume_mL
    totals = np.array([part.tia_Bq_s for part in everyone])
    scale = np.diag(overlap).copy()
    if (scale <= 0).any():
        empty = everyone[int(np.argmin(scale))].region.name
        raise UnphysicalResult(f"Region '{empty}' shows no activity of its own in any scan.", "Check its outline.")
    factors = np.linalg.solve(overlap, totals)
    if (factors <= 0).any():
        worst = everyone[int(np.argmin(factors))].region.name
        raise UnphysicalResult(
            f"Region '{worst}' would need negative activity outside the regions that lie in it.",
            "Check that overlapping regions and the whole body were measured alike.",
        )
    return factors


def _integral(wanted: Region, giver: Region, shape: NDArray[np.float64]) -> float:
    """Sum a giver's shape over the coverage of another region, within the box that both share."""
    starts = np.maximum(wanted.offset, giver.offset)
    ends = np.minimum(np.add(wanted.offset, wanted.coverage.shape), np.add(giver.offset, giver.coverage.shape))
    if (ends <= starts).any():
        return 0.0
    mine = tuple(slice(a - o, b - o) for a, b, o in zip(starts, ends, wanted.offset, strict=True))
    theirs = tuple(slice(a - o, b - o) for a, b, o in zip(starts, ends, giver.offset, strict=True))
    return float(np.einsum("ijk,ijk->", wanted.coverage[mine].astype(np.float64), shape[theirs]))
