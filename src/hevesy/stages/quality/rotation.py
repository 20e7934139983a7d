"""Centre of rotation of a SPECT camera, from projections of a point."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hevesy.core import Measured, Projections
from hevesy.errors import BadInput, MissingInformation

#: counts about a point below this part of a view's maximum are background
FLOOR = 0.1
#: a centroid of fewer counts than this is not known to a tenth of a pixel
COUNTS_PER_VIEW = 500
#: half-width of the window about the point's maximum, mm: a few times the resolution
WINDOW_MM = 40.0


@dataclass(frozen=True, slots=True, eq=False)
class CentreOfRotation:
    """Where one detector sees the axis of rotation.

    Parameters
    ----------
    detector : int
        Which detector.
    offset : Measured
        Where the axis falls on the detector, from its middle column towards higher columns, mm.
    radius : Measured
        Distance of the point from the axis, mm.
    largest_deviation_mm : float
        Of a view from the fitted sine, mm.
    axial_spread_mm : float
        Standard deviation of the point's place along the axis, mm: a tilted head moves it.
    angles_deg, residuals_mm : (views,) array
        Of each view.
    """

    detector: int
    offset: Measured
    radius: Measured
    largest_deviation_mm: float
    axial_spread_mm: float
    angles_deg: NDArray[np.float64] = field(repr=False)
    residuals_mm: NDArray[np.float64] = field(repr=False)


def centre_of_rotation(projections: Projections) -> tuple[CentreOfRotation, ...]:
    """Fit u(θ) = offset + a cos θ + b sin θ to the centroids of a point, for each detector.

    Parameters
    ----------
    projections : Projections
        Of one small source away from the axis or on it.

    Raises
    ------
    MissingInformation
        If a detector has fewer than six views, or they cover less than half a turn.
    BadInput
        If a view holds too few counts, or the point leaves it.
    """
    detectors = projections.detectors
    numbers = np.ones(len(projections.counts), int) if detectors is None else detectors
    return tuple(_one(projections, numbers == number, int(number)) for number in np.unique(numbers))


def _one(projections: Projections, chosen: NDArray[np.bool_], detector: int) -> CentreOfRotation:
    angles = projections.angles_deg[chosen]
    if len(angles) < 6 or arc_deg(angles) < 180 - 1e-6:
        raise MissingInformation(
            f"Detector {detector} has {len(angles)} views over {arc_deg(angles):.0f} degrees;"
            " a centre of rotation needs six over 180.",
            "Acquire a whole turn.",
        )
    places = np.array([centroid_mm(view, projections.pixel_mm) for view in projections.counts[chosen]])
    theta = np.deg2rad(angles)
    design = np.stack([np.ones_like(theta), np.cos(theta), np.sin(theta)], axis=1)
    fitted, *_ = np.linalg.lstsq(design, places[:, 1], rcond=None)
    residuals = places[:, 1] - design @ fitted
    variance = float(residuals @ residuals) / (len(theta) - 3)
    covariance = variance * np.linalg.inv(design.T @ design)
    radius = float(np.hypot(fitted[1], fitted[2]))
    slope = fitted[1:] / radius if radius > 0 else np.array([1.0, 0.0])
    return CentreOfRotation(
        detector,
        Measured(float(fitted[0]), float(np.sqrt(covariance[0, 0])), "mm", "fit"),
        Measured(radius, float(np.sqrt(slope @ covariance[1:, 1:] @ slope)), "mm", "fit"),
        float(np.abs(residuals).max()),
        float(places[:, 0].std(ddof=1)),
        angles,
        residuals,
    )


def arc_deg(angles_deg: NDArray[np.float64]) -> float:
    """Return the arc that equally spaced views stand for, degrees: 360 less the largest gap, plus one step."""
    ordered = np.sort(np.unique(np.round(np.asarray(angles_deg) % 360, 6)))
    if len(ordered) < 2:
        return 0.0
    gaps = np.diff(np.append(ordered, ordered[0] + 360))
    return float(min(360.0, 360.0 - gaps.max() + np.median(gaps)))


def centroid_mm(view: NDArray[np.float64], pixel_mm: tuple[float, float]) -> NDArray[np.float64]:
    """Return a point's place (along the axis, across it), mm from the middle of the view.

    Counts below a tenth of the maximum are taken for background; the window about the maximum is then moved onto the
    centroid until it stands, so that it cuts both sides alike.

    Raises
    ------
    BadInput
        If there are too few counts, or the window leaves the view.
    """
    counts = np.asarray(view, np.float64)
    weights = np.where(counts > FLOOR * counts.max(), counts, 0.0)
    middle = np.array(np.unravel_index(counts.argmax(), counts.shape), np.float64)
    half = np.array([WINDOW_MM / size for size in pixel_mm])
    index = np.indices(counts.shape)
    for _ in range(5):
        inside = (np.abs(index - middle[:, None, None]) <= half[:, None, None]).all(0)
        total = float((weights * inside).sum())
        if total < COUNTS_PER_VIEW:
            raise BadInput(
                f"A view holds {total:.0f} counts about its maximum; {COUNTS_PER_VIEW} are needed.",
                "Count a point source for longer.",
            )
        middle = (index * weights * inside).sum((1, 2)) / total
    lowest, highest = middle - 1, np.array(counts.shape) - 2 - middle
    if min(lowest.min(), highest.min()) < 0:
        raise BadInput("The point leaves the field of view.", "Place it nearer the axis.")
    return np.asarray((middle - (np.array(counts.shape) - 1) / 2) * np.array(pixel_mm))
