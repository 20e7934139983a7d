"""Uniformity of a gamma camera's flood image, after NEMA NU 1-2018, flood field uniformity."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from hevesy.core import Measured, PlanarView
from hevesy.errors import BadInput, OutsideValidity

#: NEMA's pixel, and how far from it a pixel may be
PIXEL_MM, TOLERANCE = 6.4, 0.3
#: what NEMA asks for in the central pixel, counts
CENTRAL_COUNTS = 10_000
#: a pixel at the edge with less than this part of the central mean is not judged
EDGE = 0.75
#: linear size of the central field of view over that of the useful one
CENTRAL = 0.75
#: pixels in a row or column over which differential uniformity is taken: about one photomultiplier
RUN = 5
#: floods of counting noise alone that are drawn to learn what noise makes of a perfect camera
DRAWS = 60
#: an integral uniformity beyond this is no working camera's, %
NO_FLOOD = 15.0
SMOOTHING = np.array([[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]])


@dataclass(frozen=True, slots=True)
class FieldUniformity:
    """Integral and differential uniformity of one field of view, %, and the integral that noise alone gives, %."""

    integral: Measured
    differential_rows: Measured
    differential_columns: Measured
    integral_by_noise: Measured

    @property
    def differential(self) -> Measured:
        """The larger of the two differential uniformities, %."""
        return max(self.differential_rows, self.differential_columns, key=lambda found: found.value)


@dataclass(frozen=True, slots=True, eq=False)
class FloodUniformity:
    """Uniformity of a flood image.

    Parameters
    ----------
    useful, central : FieldUniformity
        In the useful and in the central field of view.
    pixel_mm : tuple of float
        Of the rebinned image, mm.
    central_counts : float
        Mean counts of a rebinned pixel in the central field.
    smoothed : (rows, columns) array
        The rebinned and smoothed flood, 0 outside the useful field.
    warnings : tuple of str
        What in the acquisition falls short of NEMA.
    """

    useful: FieldUniformity
    central: FieldUniformity
    pixel_mm: tuple[float, float]
    central_counts: float
    smoothed: NDArray[np.float64] = field(repr=False)
    warnings: tuple[str, ...] = ()


def flood_uniformity(view: PlanarView, useful_mm: tuple[float, float] | None = None) -> FloodUniformity:
    """Return integral and differential uniformity of a flood.

    Parameters
    ----------
    view : PlanarView
        The flood; it is rebinned by a whole number to pixels nearest 6.4 mm.
    useful_mm : tuple of float or None
        Height and width of the maker's useful field of view, mm; None takes all that the flood covers.

    Raises
    ------
    OutsideValidity
        If no whole number brings its pixels within 30% of 6.4 mm.
    BadInput
        If the image is no flood: too few counts, or most of it dark.
    """
    counts, pixel = rebinned(view)
    useful, central = fields_of_view(counts, pixel, useful_mm)
    mean = float(counts[central].mean())
    smoothed = nine_point_smooth(counts, useful)
    noise = np.random.default_rng(1).poisson(mean, (DRAWS, *counts.shape)).astype(np.float64)
    drawn = np.array([nine_point_smooth(flood, useful) for flood in noise])
    return FloodUniformity(
        _field(smoothed, useful, drawn),
        _field(smoothed, central, drawn),
        pixel,
        mean,
        smoothed,
        _warnings(mean, integral_uniformity(smoothed, central), useful_mm),
    )


def rebinned(view: PlanarView) -> tuple[NDArray[np.float64], tuple[float, float]]:
    """Add pixels together to the size nearest 6.4 mm; what does not fill a pixel is trimmed evenly at the edges.

    Returns
    -------
    counts : (rows, columns) array
    pixel_mm : tuple of float

    Raises
    ------
    OutsideValidity
        If no whole number of pixels comes within 30% of 6.4 mm.
    """
    factors = [max(1, round(PIXEL_MM / size)) for size in view.pixel_mm]
    pixel = (factors[0] * view.pixel_mm[0], factors[1] * view.pixel_mm[1])
    if any(abs(size / PIXEL_MM - 1) > TOLERANCE for size in pixel):
        sizes = " × ".join(f"{size:.3g}" for size in view.pixel_mm)
        raise OutsideValidity(
            f"Uniformity needs pixels of 6.4 mm ± 30%, and those of {sizes} mm cannot be added up to that.",
            "Acquire the flood in a finer matrix.",
        )
    counts = np.asarray(view.counts, np.float64)
    for axis, factor in enumerate(factors):
        kept = counts.shape[axis] // factor
        first = (counts.shape[axis] - kept * factor) // 2
        counts = np.take(counts, range(first, first + kept * factor), axis)
        shape = (*counts.shape[:axis], kept, factor, *counts.shape[axis + 1 :])
        counts = counts.reshape(shape).sum(axis + 1)
    return counts, pixel


def fields_of_view(
    counts: NDArray[np.float64], pixel_mm: tuple[float, float], useful_mm: tuple[float, float] | None = None
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the pixels of the useful and of the central field that NEMA judges.

    Edge pixels below 75% of the central mean are left out, and then every pixel that touches one left out by a side.

    Raises
    ------
    BadInput
        If the image is no flood.
    """
    lit = counts[counts > 0]
    field = counts >= 0.5 * np.median(lit) if lit.size else np.zeros(counts.shape, bool)
    field = ndimage.binary_fill_holes(ndimage.binary_opening(field))
    if field.sum() < 0.2 * field.size or field.sum() < 10 * RUN:
        raise BadInput("This is no flood image: too little of it is lit.", "Give the image of a uniform source.")
    if np.median(counts[field]) < 50:
        raise BadInput(
            f"The flood holds {np.median(counts[field]):.3g} counts in a pixel of 6.4 mm; nothing can be said of it.",
            f"NEMA asks for {CENTRAL_COUNTS}.",
        )
    rows, columns = np.nonzero(field)
    centre = ((rows.min() + rows.max()) / 2, (columns.min() + columns.max()) / 2)
    if useful_mm is not None:
        field &= _rectangle(field.shape, centre, (useful_mm[0] / pixel_mm[0], useful_mm[1] / pixel_mm[1]))
    central = _shrunk(field, centre)
    useful = field & (counts >= EDGE * counts[central].mean())
    # a hole deep inside is a fault to be judged, not an edge
    useful = field & ndimage.binary_fill_holes(useful)
    useful = ndimage.binary_erosion(useful, ndimage.generate_binary_structure(2, 1), border_value=0)
    return useful, central & useful


def nine_point_smooth(counts: NDArray[np.float64], field: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Smooth once with weights 1 2 1, 2 4 2, 1 2 1 over the pixels of a field alone; 0 outside it."""
    above = ndimage.convolve(np.where(field, counts, 0.0), SMOOTHING, mode="constant")
    below = ndimage.convolve(field.astype(np.float64), SMOOTHING, mode="constant")
    return np.where(field, above / np.where(below > 0, below, 1.0), 0.0)


def integral_uniformity(counts: NDArray[np.float64], field: NDArray[np.bool_]) -> float:
    """Return 100 (max − min)/(max + min) over a field, %."""
    return _spread(counts[field].max(), counts[field].min())


def differential_uniformity(counts: NDArray[np.float64], field: NDArray[np.bool_], axis: int) -> float:
    """Return the largest 100 (max − min)/(max + min) of five pixels in line along an axis, %."""
    windows = np.lib.stride_tricks.sliding_window_view(counts, RUN, axis)
    whole = np.lib.stride_tricks.sliding_window_view(field, RUN, axis).all(-1)
    if not whole.any():
        raise BadInput(f"The field of view is nowhere {RUN} pixels wide.", "Check the useful field of view.")
    high, low = windows.max(-1)[whole], windows.min(-1)[whole]
    return float(np.max(100 * (high - low) / (high + low)))


def _field(smoothed: NDArray[np.float64], field: NDArray[np.bool_], drawn: NDArray[np.float64]) -> FieldUniformity:
    def measured(found: float, by_noise: list[float]) -> Measured:
        return Measured(found, float(np.std(by_noise, ddof=1)), "%", "counting")

    noise = [integral_uniformity(flood, field) for flood in drawn]
    rows, columns = (
        measured(
            differential_uniformity(smoothed, field, axis), [differential_uniformity(d, field, axis) for d in drawn]
        )
        for axis in (1, 0)
    )
    return FieldUniformity(
        measured(integral_uniformity(smoothed, field), noise), rows, columns, measured(float(np.mean(noise)), noise)
    )


def _spread(high: float, low: float) -> float:
    return float(100 * (high - low) / (high + low))


def _rectangle(shape: tuple[int, ...], centre: tuple[float, float], size: tuple[float, float]) -> NDArray[np.bool_]:
    row, column = np.indices(shape)
    return np.asarray((np.abs(row - centre[0]) <= size[0] / 2) & (np.abs(column - centre[1]) <= size[1] / 2))


def _shrunk(field: NDArray[np.bool_], centre: tuple[float, float]) -> NDArray[np.bool_]:
    """Shrink a field of any shape to 75% of its linear size about its centre."""
    away = [np.rint(c + (i - c) / CENTRAL).astype(int) for i, c in zip(np.indices(field.shape), centre, strict=True)]
    inside = np.logical_and.reduce([(a >= 0) & (a < n) for a, n in zip(away, field.shape, strict=True)])
    clipped = tuple(np.clip(a, 0, n - 1) for a, n in zip(away, field.shape, strict=True))
    return np.asarray(inside & field[clipped])


def _warnings(mean: float, integral: float, useful_mm: tuple[float, float] | None) -> tuple[str, ...]:
    found = []
    if integral > NO_FLOOD:
        found.append(f"The central field differs by {integral:.0f}%: this is no flood image, or a fault of the camera.")
    if mean < CENTRAL_COUNTS:
        found.append(
            f"The central pixels hold {mean:.0f} counts; NEMA asks for {CENTRAL_COUNTS}."
            " Noise raises uniformity: compare it with what noise alone gives."
        )
    if useful_mm is None:
        found.append("The useful field of view is what the flood lights, less NEMA's edge; the maker's may be smaller.")
    return tuple(found)
