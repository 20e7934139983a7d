"""Count rate of a source on a gamma camera, its background taken off: what sensitivity divides by the activity."""

from __future__ import annotations

import math

import numpy as np

from hevesy.core import Measured, PlanarView
from hevesy.errors import BadInput, ContradictoryInformation, MissingInformation


def net_count_rate(view: PlanarView, background: PlanarView | None = None) -> Measured:
    """Return the counts per second of the whole view, less those of a view without the source (``"1/s"``).

    Parameters
    ----------
    view : PlanarView
        The source.
    background : PlanarView or None
        The same detector and energy window without it, counted for any time.

    Raises
    ------
    MissingInformation
        If a view does not say how long it was counted.
    ContradictoryInformation
        If the two views are of different detectors, windows or matrices.
    BadInput
        If nothing is left after background.
    """
    rate = _rate(view, "counts")
    if background is None:
        return rate
    if background.window.ranges_keV != view.window.ranges_keV:
        raise ContradictoryInformation("Source and background were counted in different energy windows.")
    if background.counts.shape != view.counts.shape or not np.allclose(background.pixel_mm, view.pixel_mm, rtol=1e-3):
        raise ContradictoryInformation("Source and background have different matrices or pixels.")
    net = rate - _rate(background, "background")
    if not net.value > 0:
        raise BadInput("The source counts no more than its background.", "Check which file is which.")
    return net


def _rate(view: PlanarView, label: str) -> Measured:
    duration = view.timing.duration_s if view.timing else 0.0
    if not duration > 0:
        raise MissingInformation("A view does not say how long it was counted.", "Give --duration-s.")
    total = float(np.asarray(view.counts, np.float64).sum())
    return Measured(total / duration, math.sqrt(max(total, 0.0)) / duration, "1/s", label)
