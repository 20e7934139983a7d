"""Spatial resolution from images of line and point sources, read as NEMA NU 1-2018 reads profiles."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from hevesy.core import Image, Measured, PlanarView
from hevesy.errors import BadInput, OutsideValidity

#: longest piece of a line that is summed into one profile, mm
STRIP_MM = 30.0
#: pieces that a line is cut into at least, so that their scatter tells the uncertainty
STRIPS = 3
#: a line's piece within this of its ends is left out, mm: the ends are round
END_MM = 10.0
#: a shorter thing is no line, mm
LENGTH_MM = 50.0
#: a thing wider than this on average is no line, mm
WIDTH_MM = 40.0
#: part of the image's brightest that a line must reach
VISIBLE = 0.12
#: a line further than this from a row or a column is not measured, degrees: its profile would be skewed
TILT_DEG = 10.0
#: a profile that rises again by this part of its maximum holds another line
RISE = 0.1
#: more lines than this are the bars of another phantom
MOST_LINES = 8
#: pixel over width beyond which sampling adds more than 1% to it
PIXEL_OVER_FWHM = 0.2


@dataclass(frozen=True, slots=True)
class LineResolution:
    """Widths of one line source.

    Parameters
    ----------
    along : str
        ``"rows"`` for a line that runs from row to row (its width lies across columns), ``"columns"`` for the other.
    place_mm : float
        Mean place of the line, mm from the first pixel's centre, across it.
    fwhm, fwtm : Measured
        Full width at half and at a tenth of the maximum, mm; the tenth is None where another line is too near.
    pixel_mm : float
        Pixel across the line, mm.
    warnings : tuple of str
        What falls short.
    """

    along: str
    place_mm: float
    fwhm: Measured
    fwtm: Measured | None
    pixel_mm: float
    warnings: tuple[str, ...] = ()


def full_width(profile: NDArray[np.float64], level: float, peak: int | None = None) -> float:
    """Return the full width of a profile at a part of its maximum, in samples, as NEMA reads it.

    The maximum is that of the parabola through the largest sample and its two neighbours; the level is crossed on
    straight lines between the two samples on either side of it.

    Parameters
    ----------
    profile : (n,) array
        Values across the line.
    level : float
        Part of the maximum, such as 0.5.
    peak : int or None
        The largest sample; None finds it.

    Raises
    ------
    OutsideValidity
        If the profile does not fall to the level on both sides.
    """
    peak = int(np.argmax(profile)) if peak is None else peak
    left, right = _crossings(profile, level * _top(profile, peak), peak)
    return right - left


def line_resolution(view: PlanarView) -> tuple[LineResolution, ...]:
    """Return the resolution of every line source in a view.

    Lines are found as long bright things along rows or columns, cut into pieces of at most 30 mm, and each piece's
    summed profile measured; the result is their mean, its uncertainty their scatter over the root of their number.

    Raises
    ------
    BadInput
        If there is no line.
    """
    counts = np.asarray(view.counts, np.float64)
    labels, found = ndimage.label(counts_near(counts) > VISIBLE * np.percentile(counts_near(counts), 99.9))
    lines = [_line(counts, labels, number, view.pixel_mm) for number in range(1, found + 1)]
    kept = tuple(line for line in lines if line is not None)
    if len(kept) > MOST_LINES:
        raise BadInput(
            f"{len(kept)} lines are seen; these are bars, not line sources.", "Give an image of line sources."
        )
    if not kept:
        raise BadInput(
            "There is no line source in this view.", f"A line is longer than {LENGTH_MM:g} mm, along rows or columns."
        )
    return kept


def counts_near(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return counts smoothed by one pixel, to find lines in noise; widths are never measured on it."""
    return np.asarray(ndimage.gaussian_filter(counts, 1.0))


def line_separation_mm(lines: tuple[LineResolution, ...]) -> dict[str, float]:
    """Return the distance between the outermost two lines of each direction, mm; a known one checks the pixel size."""
    found = {}
    for along in ("rows", "columns"):
        places = [line.place_mm for line in lines if line.along == along]
        if len(places) > 1:
            found[along] = max(places) - min(places)
    return found


def point_resolution(image: Image) -> tuple[Measured, Measured, Measured]:
    """Return the full widths at half maximum of a point in a reconstruction, along the three array axes, mm.

    Profiles are sums over three voxels in both other directions; their uncertainty is a tenth of a voxel.

    Raises
    ------
    OutsideValidity
        If the point is not resolved from the image's edge.
    """
    values = np.asarray(image.values, np.float64)
    peak = np.unravel_index(values.argmax(), values.shape)
    widths = []
    for axis, size in enumerate(image.grid.spacing_mm):
        line = tuple(slice(None) if a == axis else slice(max(p - 1, 0), p + 2) for a, p in enumerate(peak))
        profile = values[line].sum(axis=tuple({0, 1, 2} - {axis}))
        samples = full_width(profile, 0.5, int(peak[axis]))
        # what interpolation between coarse samples leaves open; the noise of a filtered image is not known
        widths.append(Measured(samples * size, 0.1 * size, "mm", "interpolation"))
    return widths[0], widths[1], widths[2]


def _line(
    counts: NDArray[np.float64], labels: NDArray[np.integer[Any]], number: int, pixel_mm: tuple[float, float]
) -> LineResolution | None:
    rows, columns = np.nonzero(labels == number)
    y, x = rows * pixel_mm[0], columns * pixel_mm[1]
    if len(rows) < 20:
        return None
    _, axes = np.linalg.eigh(np.cov(np.stack([y, x])))
    direction = axes[:, 1]
    axis = int(np.argmax(np.abs(direction)))
    tilt = math.degrees(math.acos(min(1.0, abs(float(direction[axis])))))
    length = float(np.ptp((y, x)[axis]))
    thin = len(rows) * pixel_mm[0] * pixel_mm[1] < WIDTH_MM * length
    if length < LENGTH_MM or tilt > TILT_DEG or not thin:
        return None
    upright, marks = (counts, labels) if axis == 0 else (counts.T, labels.T)
    along_mm, across_mm = (pixel_mm[0], pixel_mm[1]) if axis == 0 else (pixel_mm[1], pixel_mm[0])
    pieces = _pieces((rows, columns)[axis], along_mm)
    slope = math.cos(math.radians(tilt))
    measured = [_piece(upright[a:b], marks[a:b], number) for a, b in pieces]
    widths = [piece for piece in measured if piece is not None]
    if len(widths) < STRIPS:
        return None
    halves = np.array([w[1] for w in widths]) * across_mm * slope
    tenths = [w[2] * across_mm * slope for w in widths if w[2] is not None]
    fwhm = _mean(halves)
    fwtm = _mean(np.array(tenths)) if len(tenths) >= STRIPS else None
    place = float(np.mean([w[0] for w in widths])) * across_mm
    return LineResolution(("rows", "columns")[axis], place, fwhm, fwtm, across_mm, _warnings(across_mm, fwhm.value))


def _pieces(index: NDArray[np.intp], along_mm: float) -> list[tuple[int, int]]:
    """Cut a line into equal pieces of at most 30 mm, its ends left out: first row, and the row after the last."""
    margin = math.ceil(END_MM / along_mm)
    first, last = int(index.min()) + margin, int(index.max()) - margin
    number = max(STRIPS, math.ceil((last - first) * along_mm / STRIP_MM))
    edges = np.linspace(first, last, number + 1).astype(int)
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))


def _piece(
    counts: NDArray[np.float64], labels: NDArray[np.integer[Any]], number: int
) -> tuple[float, float, float | None] | None:
    """Return the place, the half and the tenth width of one piece, in samples; None where it cannot be measured."""
    profile = counts.sum(0)
    own = np.flatnonzero((labels == number).any(0))
    other = np.flatnonzero(((labels > 0) & (labels != number)).any(0))
    if own.size < 3:
        return None
    peak = int(own[np.argmax(profile[own])])
    before, after = other[other < peak], other[other > peak]
    first = int(before.max()) + 1 if before.size else 0
    last = int(after.min()) if after.size else len(profile)
    profile, peak = profile[first:last], peak - first
    try:
        top = _top(profile, peak)
        left, right = _crossings(profile, 0.5 * top, peak)
    except OutsideValidity:
        return None
    try:
        tenth = full_width(profile, 0.1, peak)
    except OutsideValidity:
        tenth = None
    return first + (left + right) / 2, right - left, tenth


def _top(profile: NDArray[np.float64], peak: int) -> float:
    """Return the top of the parabola through the largest sample and its neighbours."""
    if not 0 < peak < len(profile) - 1:
        raise OutsideValidity("The profile's maximum lies at its edge.", "Place the source in the field of view.")
    before, at, after = (float(v) for v in profile[peak - 1 : peak + 2])
    curvature = before - 2 * at + after
    return at - (after - before) ** 2 / (8 * curvature) if curvature < 0 else at


def _crossings(profile: NDArray[np.float64], level: float, peak: int) -> tuple[float, float]:
    below_left = np.flatnonzero(profile[:peak] < level)
    below_right = np.flatnonzero(profile[peak + 1 :] < level)
    if not (below_left.size and below_right.size):
        raise OutsideValidity("The profile does not fall to the level on both sides.", "Take lines further apart.")
    i, j = int(below_left[-1]), peak + 1 + int(below_right[0])
    if max(_rise(profile[i : peak + 1][::-1]), _rise(profile[peak : j + 1])) > RISE * profile[peak]:
        raise OutsideValidity("The profile rises again before it falls to the level.", "Take lines further apart.")
    left = i + (level - profile[i]) / (profile[i + 1] - profile[i])
    right = j - (level - profile[j]) / (profile[j - 1] - profile[j])
    return float(left), float(right)


def _rise(outward: NDArray[np.float64]) -> float:
    """Return how far a profile rises again on its way outward."""
    return float((outward - np.minimum.accumulate(outward)).max())


def _mean(widths: NDArray[np.float64]) -> Measured:
    u = float(widths.std(ddof=1)) / math.sqrt(len(widths))
    return Measured(float(widths.mean()), u, "mm", "scatter along the line")


def _warnings(pixel_mm: float, fwhm_mm: float) -> tuple[str, ...]:
    if pixel_mm <= PIXEL_OVER_FWHM * fwhm_mm:
        return ()
    return (
        f"Pixels of {pixel_mm:.3g} mm are more than a fifth of the width of {fwhm_mm:.3g} mm;"
        " sampling adds more than 1% to it. Acquire in a finer matrix.",
    )
