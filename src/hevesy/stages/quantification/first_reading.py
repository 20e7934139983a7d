"""Readings of one patient made absolute by the first, taken before the patient voids.

Then the body holds all that was administered and has not decayed, and what a geometric mean loses on its way to the
detectors is the same in every later reading. Sources: Siegel JA et al., MIRD Pamphlet 16, J Nucl Med 1999;40:37S-61S;
Lassmann M et al., EANM SOP for pre-therapeutic dosimetry I, Eur J Nucl Med Mol Imaging 2008;35:1405.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hevesy.core import Curve, Measured
from hevesy.physics.decay import decay_factor


@dataclass(frozen=True, slots=True, eq=False)
class WholeBodyReadings:
    """The whole body over time.

    Parameters
    ----------
    curve : Curve
        Activity, Bq. Each point, the first too, has the uncertainty of its own counting; that of the scale is not here.
    present : Measured
        What the body held at the first reading, Bq. A fit of `curve` is to be scaled so that it passes through it there
        (`hevesy.stages.kinetics.hybrid.scaled_to`): the first reading's counting is then in the result once, with what
        it shares with the fit.
    """

    curve: Curve
    present: Measured


def calibrated_by_first(
    times_s: tuple[NDArray[np.float64], NDArray[np.float64]],
    rates: Sequence[Measured],
    administered: Measured,
    decay_constant: float,
) -> WholeBodyReadings:
    """Turn count rates into activity.

    Parameters
    ----------
    times_s : tuple of (n,) arrays
        Start and end of each reading after administration, s.
    rates : sequence of Measured
        Of the whole body, as counted, 1/s.
    administered : Measured
        Administered activity, Bq.
    decay_constant : float
        Physical, 1/s.

    Raises
    ------
    ImpossibleTiming
        If readings are out of order or before administration.
    """
    starts, ends = times_s
    left = float(decay_factor(decay_constant, 0.5 * (starts[0] + ends[0])))
    scale = administered.value * left / rates[0].value
    values, own = np.array([(rate.value, rate.u) for rate in rates]).T * scale
    return WholeBodyReadings(Curve(starts, ends, values, own, "whole body"), administered.to(left, "Bq"))
