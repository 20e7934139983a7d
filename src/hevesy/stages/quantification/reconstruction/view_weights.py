"""What the counts of each view are multiplied by: for decay during the scan, and for counts lost to dead time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hevesy.core import Measured, Projections
from hevesy.errors import MissingInformation
from hevesy.stages.quantification.dead_time import Behaviour, true_rate

Array = NDArray[np.float64]


def decay_weights(projections: Projections, decay_constant: float) -> Array:
    """Return the weights (views,) that give every view the counts of the mean activity over the scan.

    The detectors count at the same time, each its views one after another, in the order stored.

    Parameters
    ----------
    projections : Projections
        With the length of each view.
    decay_constant : float
        Physical, 1/s.

    Raises
    ------
    MissingInformation
        If the length of the views is not stated.
    """
    length = _durations(projections, "decay during the scan")
    starts = np.zeros_like(length)
    detectors = np.ones(length.size) if projections.detectors is None else projections.detectors
    for detector in np.unique(detectors):
        own = np.flatnonzero(detectors == detector)
        starts[own] = np.cumsum(length[own]) - length[own]
    # the mean over a view; 1 where nothing decays
    mean = (
        np.exp(-decay_constant * starts)
        * -np.expm1(-decay_constant * length)
        / np.maximum(decay_constant * length, 1e-300)
    )
    mean = mean if decay_constant > 0 else np.ones_like(length)
    return np.asarray(np.average(mean, weights=length) / mean)


def dead_time_weights(windows: Sequence[Projections], tau_s: float, behaviour: Behaviour) -> Array:
    """Return true over observed counts for each view, from the rate of all energy windows together.

    Parameters
    ----------
    windows : sequence of Projections
        Of one acquisition, with the same views.
    tau_s : float
        Dead time of a detector, s.
    behaviour : str
        ``paralysable`` or ``non-paralysable``.

    Raises
    ------
    MissingInformation
        If the length of the views is not stated.
    OutsideValidity
        If the camera cannot show such a rate.
    """
    length = _durations(windows[0], "dead time")
    rates = sum(np.asarray(p.counts, np.float64).sum(axis=(1, 2)) for p in windows) / length
    tau = Measured(tau_s, 0.0, "s")
    true = [true_rate(Measured(float(rate), 0.0, "1/s"), tau, behaviour).value for rate in rates]
    return np.asarray(np.divide(true, rates, out=np.ones_like(rates), where=rates > 0))


def _durations(projections: Projections, purpose: str) -> Array:
    if projections.durations_s is None:
        raise MissingInformation(f"The length of the views is not stated, and {purpose} depends on it.")
    return np.asarray(projections.durations_s, np.float64)
