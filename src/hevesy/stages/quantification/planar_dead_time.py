"""Counts that a camera misses in planar views: at once in a static view, along the way in one that sweeps the body.

What the camera misses depends on the rate of all that it counts at one moment. A static view has one rate, but for
decay. In a sweep a line of the body is counted while the field of the detector passes over it: the rate at one moment
is that of the lines in the field.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hevesy.core import Measured
from hevesy.errors import BadInput
from hevesy.stages.quantification.dead_time import Behaviour, true_rate

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DeadTime:
    """Of a camera: time lost a count (s), measured in the energy windows that the views hold together."""

    tau: Measured
    behaviour: Behaviour

    def gain(self, observed_per_s: float) -> Measured:
        """Return the true rate over an observed one; 1 for none.

        Raises
        ------
        OutsideValidity
            If the camera cannot show such a rate.
        """
        if not observed_per_s > 0:
            return Measured(1.0)
        return (true_rate(Measured(observed_per_s, 0.0, "1/s"), self.tau, self.behaviour) / observed_per_s).to(1.0, "")


@dataclass(frozen=True, slots=True)
class Sweep:
    """A detector's way along the body: its speed, and the length of its field along the way."""

    mm_per_s: float
    field_mm: float

    def __post_init__(self) -> None:
        if not (self.mm_per_s > 0 and self.field_mm > 0):
            raise BadInput(f"A sweep needs a speed and a field, not {self.mm_per_s} mm/s and {self.field_mm} mm.")


def line_gains(
    counts: Array, dead_time: DeadTime, duration_s: float, sweep: Sweep | None, line_mm: float
) -> tuple[Array, Array]:
    """Return by what the counts of every line of a view are to be multiplied, and its standard uncertainty.

    Parameters
    ----------
    counts : (rows,) array
        Of every line across the body, in all energy windows together.
    dead_time : DeadTime
        Of the camera.
    duration_s : float
        Of the view, s.
    sweep : Sweep or None
        How the detector moved; None where it stood still.
    line_mm : float
        Distance between lines, mm.

    Raises
    ------
    OutsideValidity
        If the camera cannot show such a rate.
    """
    if sweep is None:
        gain = dead_time.gain(float(counts.sum()) / duration_s)
        return np.full(counts.shape, gain.value), np.full(counts.shape, gain.u)
    lines = min(max(round(sweep.field_mm / line_mm), 1), counts.size)
    dwell_s = lines * line_mm / sweep.mm_per_s
    # the field, line by line from where it meets the body to where it leaves it
    rates = np.convolve(counts, np.ones(lines)) / dwell_s
    found = [dead_time.gain(float(rate)) for rate in rates]
    over = np.ones(lines) / lines
    return (
        np.convolve([gain.value for gain in found], over, mode="valid"),
        np.convolve([gain.u for gain in found], over, mode="valid"),
    )
