"""Where the detector stood for each view."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hevesy.errors import BadInput, IncompleteSeries, MissingInformation

#: a gap between views that is more than this many typical steps means that views are missing
GAP_STEPS = 2.5


@dataclass(frozen=True, slots=True, eq=False)
class Orbit:
    """Positions of the detector about the axis of rotation: any angles, in any order, at any distances.

    Parameters
    ----------
    angles_deg : (views,) array
        Degrees: 0 at the patient's back, rising towards the patient's left (DICOM PS3.3 C.8.4.11). The detector lies
        along (sin θ, cos θ, 0) and its bins rise along (−cos θ, sin θ, 0), so that from the front (θ = 180°) they
        rise towards the patient's left.
    radii_mm : (views,) array
        From the axis of rotation to the detector's face, mm; one for each view for a body-contour orbit.
    shifts_mm : (views,) array or None
        Where the axis of rotation falls on the detector, from its middle, along the bins, mm; None means 0.
    focal_mm : float or None
        Of a fan beam: distance of the focal line, which runs along the axis of rotation behind it, from the detector's
        face, mm. A point at distance z is seen magnified by focal / (focal − z). None means parallel holes.

    Raises
    ------
    MissingInformation
        If a radius is not finite or not positive.
    BadInput
        If sizes do not agree, there is no view, an angle is not finite, or the focal line does not lie behind the axis
        of rotation.
    """

    angles_deg: NDArray[np.float64] = field(repr=False)
    radii_mm: NDArray[np.float64] = field(repr=False)
    shifts_mm: NDArray[np.float64] | None = field(default=None, repr=False)
    focal_mm: float | None = None

    def __post_init__(self) -> None:
        angles = np.array(self.angles_deg, np.float64)
        radii = np.array(self.radii_mm, np.float64)
        shifts = np.zeros_like(angles) if self.shifts_mm is None else np.array(self.shifts_mm, np.float64)
        if angles.ndim != 1 or not angles.size or {radii.shape, shifts.shape} != {angles.shape}:
            raise BadInput(f"{angles.shape} angles need as many radii and shifts, not {radii.shape}, {shifts.shape}.")
        if not (np.isfinite(angles).all() and np.isfinite(shifts).all()):
            raise BadInput("An angle or a shift of the detector is not finite.")
        if not (np.isfinite(radii) & (radii > 0)).all():
            missing = int((~(np.isfinite(radii) & (radii > 0))).sum())
            raise MissingInformation(
                f"The distance of the detector from the axis is unknown for {missing} of {angles.size} views,"
                " and the blur depends on it.",
                "Give the radius of rotation in mm.",
            )
        if self.focal_mm is not None and not radii.max() < self.focal_mm < np.inf:
            raise BadInput(
                f"The focal line of a fan beam at {self.focal_mm:g} mm from the detector is not behind the axis of"
                f" rotation at {radii.max():g} mm.",
                "Give its distance from the detector's face, mm.",
            )
        for name, value in (("angles_deg", angles), ("radii_mm", radii), ("shifts_mm", shifts)):
            value.setflags(write=False)
            object.__setattr__(self, name, value)

    @property
    def views(self) -> int:
        """Number of views."""
        return int(self.angles_deg.size)

    def frames(self, pixel_mm: float) -> NDArray[np.float32]:
        """Return the kernel's description of each view, (views, 7), see `hevesy.kernels.projection.Optics`."""
        theta = np.deg2rad(self.angles_deg)
        sine, cosine = np.sin(theta), np.cos(theta)
        shifts = np.zeros_like(sine) if self.shifts_mm is None else self.shifts_mm / pixel_mm
        growth = np.full_like(sine, 0.0 if self.focal_mm is None else pixel_mm / self.focal_mm)
        at_axis = self.spacing(self.radii_mm)
        return np.stack([sine, cosine, -cosine, sine, shifts, at_axis, growth], axis=1).astype(np.float32)

    def spacing(self, distance_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how far apart rays are at a distance from the detector's face, over how far they are there."""
        return np.ones_like(distance_mm) if self.focal_mm is None else 1 - distance_mm / self.focal_mm

    def require_coverage(self) -> None:
        """Refuse views that leave part of a half circle unseen.

        Raises
        ------
        IncompleteSeries
            If, with opposite views counted as one direction, a gap is wider than 2.5 typical steps.
        """
        directions = np.unique(np.round(self.angles_deg % 180.0, 3) % 180.0)
        gaps = np.diff(np.append(directions, directions[0] + 180.0))
        widest = float(gaps.max())
        if directions.size < 4 or widest > GAP_STEPS * float(np.median(gaps)):
            raise IncompleteSeries(
                f"The views do not cover 180°: {self.views} views leave {widest:.4g}° unseen.",
                "Give all views, or go on with --allow-limited-angles and expect streaks and distortion.",
            )
