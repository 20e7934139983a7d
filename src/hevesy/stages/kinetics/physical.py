"""What physics allows a time-activity curve to do."""

from __future__ import annotations

import math

import numpy as np

from hevesy.core import Curve, Measured
from hevesy.errors import UnphysicalCurve
from hevesy.physics.decay import decay_factor

#: standard uncertainties past which an excess is refused, and past which it is warned of
REFUSED, WARNED = 3.0, 2.0


def decay_rate(decay_constant: Measured | float) -> float:
    """Return the value of a decay constant given with or without uncertainty, 1/s."""
    value = decay_constant.value if isinstance(decay_constant, Measured) else float(decay_constant)
    if not (math.isfinite(value) and value > 0):
        raise UnphysicalCurve(f"A physical decay constant cannot be {value} per second.", "Name the nuclide.")
    return value


def still_rising(curve: Curve, decay_constant: Measured | float) -> bool:
    """Say whether no washout can be fitted because activity has not begun to fall by the last scan.

    True where the last point is above the one before it by more than the standard uncertainty of their
    difference, or where, with two points alone, it is above the physical decay of the first by more
    than two.
    """
    if len(curve) < 2:
        return False
    t, a, u = curve.mid_s[-2:], curve.activity_Bq[-2:], curve.u_Bq[-2:]
    if a[1] - a[0] > math.hypot(*u):
        return True
    kept = float(decay_factor(decay_rate(decay_constant), t[1] - t[0]))
    return len(curve) == 2 and bool(a[1] - a[0] * kept > WARNED * math.hypot(u[0] * kept, u[1]))


def check_physical(
    curve: Curve,
    decay_constant: Measured | float,
    administered: Measured | None = None,
    closed_system: bool = False,
) -> tuple[str, ...]:
    """Refuse a curve that breaks a law of decay or conservation.

    Parameters
    ----------
    curve : Curve
        Activity as present.
    decay_constant : Measured or float
        Physical, 1/s.
    administered : Measured or None
        Administered activity at time 0, Bq; no part of the body can hold more than what is left of it.
    closed_system : bool
        Whether the region is the whole body, into which nothing can come: then the activity must fall
        at least as fast as physical decay.

    Returns
    -------
    tuple of str
        Warnings, for an excess between 2 and 3 standard uncertainties.

    Raises
    ------
    UnphysicalCurve
        If an excess is beyond 3 standard uncertainties.
    """
    rate = decay_rate(decay_constant)
    warnings: list[str] = []
    if administered is not None:
        warnings += _check_administered(curve, rate, administered)
    if closed_system:
        warnings += _check_closed(curve, rate)
    return tuple(warnings)


def _check_administered(curve: Curve, rate: float, administered: Measured) -> list[str]:
    kept = decay_factor(rate, curve.mid_s)
    left = administered.value * kept
    u = np.hypot(curve.u_Bq, administered.u * kept)
    worst = int(np.argmax((curve.activity_Bq - left) / u))
    ratio = curve.activity_Bq[worst] / max(left[worst], 1.0)  # less than 1 Bq is nothing left
    line = (
        f"Curve '{curve.name}' holds {curve.activity_Bq[worst] / 1e6:.4g} MBq at {curve.mid_s[worst] / 3600:.4g} h,"
        f" {ratio:.3g} times what is left of the administered {administered.value / 1e6:.4g} MBq."
    )
    remedy = "Check the calibration factor, the unit (MBq or kBq?) and the injection time."
    return _judge((curve.activity_Bq - left)[worst] / u[worst], line, remedy)


def _check_closed(curve: Curve, rate: float) -> list[str]:
    if len(curve) < 2:
        return []
    kept = decay_factor(rate, np.diff(curve.mid_s))
    expected = curve.activity_Bq[:-1] * kept
    u = np.hypot(curve.u_Bq[:-1] * kept, curve.u_Bq[1:])
    excess = (curve.activity_Bq[1:] - expected) / u
    worst = int(np.argmax(excess))
    line = (
        f"Curve '{curve.name}' is a closed system, yet from {curve.mid_s[worst] / 3600:.4g} h to"
        f" {curve.mid_s[worst + 1] / 3600:.4g} h it holds {curve.activity_Bq[worst + 1] / expected[worst]:.3g} times"
        " what physical decay leaves."
    )
    return _judge(float(excess[worst]), line, "Check the calibration of both scans, their fields of view and times.")


def _judge(excess: float, line: str, remedy: str) -> list[str]:
    if excess > REFUSED:
        raise UnphysicalCurve(line, remedy)
    return [f"{line} {remedy}"] if excess > WARNED else []
