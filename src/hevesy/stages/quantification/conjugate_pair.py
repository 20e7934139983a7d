"""Two opposite views of one scan, laid upon each other, and what a region counts in both.

Source: Siegel JA et al., MIRD Pamphlet 16, J Nucl Med 1999;40:37S-61S.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hevesy.core import Measured, PlanarView
from hevesy.errors import BadInput, GridMismatch, MissingInformation

SIDES = ("anterior", "posterior")


@dataclass(frozen=True, slots=True, eq=False)
class ConjugatePair:
    """Anterior and posterior view of one scan and energy window on the same pixels.

    Parameters
    ----------
    anterior, posterior : PlanarView
        The posterior one mirrored left to right, so that a pixel of either lies on one line through the patient.

    Raises
    ------
    GridMismatch
        If the two differ in matrix or pixel.
    MissingInformation
        If either does not say how long it was counted.
    """

    anterior: PlanarView
    posterior: PlanarView

    def __post_init__(self) -> None:
        one, other = self.anterior, self.posterior
        if one.counts.shape != other.counts.shape or not np.allclose(one.pixel_mm, other.pixel_mm, rtol=1e-3):
            raise GridMismatch(
                f"The anterior view has {one.counts.shape} pixels of {one.pixel_mm} mm, the posterior"
                f" {other.counts.shape} of {other.pixel_mm} mm.",
                "Acquire both heads with one matrix and zoom.",
            )
        if any(view.timing is None or not view.timing.duration_s > 0 for view in (one, other)):
            raise MissingInformation("A conjugate view does not say how long it was counted.", "Supply its duration.")

    @classmethod
    def of(cls, views: Sequence[PlanarView]) -> ConjugatePair:
        """Pair the two views of one scan in one energy window, as a camera shows them, by their names.

        Raises
        ------
        MissingInformation
            If the anterior or the posterior view is missing, or views do not say where the detector stood.
        BadInput
            If there are several from one side.
        """
        found = []
        for side in SIDES:
            mine = [view for view in views if view.view.lower().startswith(side)]
            if not mine:
                named = ", ".join(view.view or "unnamed" for view in views) or "none"
                raise MissingInformation(
                    f"There is no {side} view (views: {named}); a geometric mean needs two opposite ones.",
                    "Give both heads, or name them.",
                )
            if len(mine) > 1:
                raise BadInput(f"There are {len(mine)} {side} views.", "Give one scan and one energy window at a time.")
            found.append(mine[0])
        return cls(found[0], found[1].mirrored())

    def rates(self, region: NDArray[np.bool_]) -> tuple[Measured, Measured]:
        """Return the count rates (1/s) of a region of the shared pixels in the anterior and the posterior view.

        Raises
        ------
        GridMismatch
            If the region has another shape.
        BadInput
            If it covers no pixel.
        """
        mask = np.asarray(region, bool)
        if mask.shape != self.anterior.counts.shape:
            raise GridMismatch(f"A region of {mask.shape} pixels does not fit views of {self.anterior.counts.shape}.")
        if not mask.any():
            raise BadInput("The region covers no pixel of the views.")
        return _rate(self.anterior, mask), _rate(self.posterior, mask)

    def geometric_mean(self) -> NDArray[np.float64]:
        """Return the geometric mean of the two count rates of every pixel (rows, columns), 1/s."""
        one, other = (np.maximum(v.counts, 0.0) / _duration_s(v) for v in (self.anterior, self.posterior))
        return np.asarray(np.sqrt(one * other), np.float64)


def background_share(mu_per_mm: float, body_mm: float, region_mm: tuple[float, float]) -> float:
    """Return what of a uniform background's counts beside a region is also there over the region.

    The region fills the body from one depth to another and keeps the background out; the rest is attenuated by what
    lies before it:  1 - (exp(-μ a) - exp(-μ b)) / (1 - exp(-μ L)).  With μ = 0, or where the depth is not known, it is
    1 - (b - a)/L, the fraction of Pamphlet 16.

    Parameters
    ----------
    mu_per_mm : float
        Linear attenuation coefficient of the body, 1/mm.
    body_mm : float
        Thickness L of the body.
    region_mm : tuple of float
        Depths a and b of the region's two faces below the surface that the detector sees.

    Raises
    ------
    BadInput
        If the region does not lie within the body.
    """
    near, far = region_mm
    if not (mu_per_mm >= 0 and 0 <= near < far <= body_mm):
        raise BadInput(f"A region from {near:g} to {far:g} mm does not lie within a body of {body_mm:g} mm.")
    if mu_per_mm == 0:
        return 1 - (far - near) / body_mm
    seen = math.exp(-mu_per_mm * near) - math.exp(-mu_per_mm * far)
    return 1 + seen / math.expm1(-mu_per_mm * body_mm)


def _duration_s(view: PlanarView) -> float:
    return view.timing.duration_s if view.timing is not None else 0.0


def _rate(view: PlanarView, mask: NDArray[np.bool_]) -> Measured:
    counts, variance = (float(a[mask].sum(dtype=np.float64)) for a in (view.counts, view.counts_variance))
    # no counts are known to about one
    return Measured(counts, math.sqrt(max(variance, 1.0)), "", "counts").to(1 / _duration_s(view), "1/s")
