"""How does activity leave the patient? From whole-body scans of a gamma camera, or readings of a counter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from hevesy.core import Administration, Measured
from hevesy.errors import BadInput, MissingInformation, NoWashout
from hevesy.stages.kinetics import Fit, check_physical, fit_curve, still_rising
from hevesy.stages.kinetics.hybrid import scaled_to
from hevesy.stages.quantification.first_reading import WholeBodyReadings
from hevesy.stages.quantification.planar import whole_body_curve
from hevesy.stages.quantification.whole_body_counter import counter_curve
from hevesy.workflows.conjugate_scans import ConjugateScan

#: what a closed system may do, and how many readings more than one of them needs
_WASHOUTS = ("mono", "bi")
_READINGS_FOR_TWO = 4


def whole_body(
    scans: Sequence[ConjugateScan], administration: Administration, decay_constant: Measured, u_relative: float = 0.0
) -> WholeBodyReadings:
    """Return the whole body's activity from whole-body scans, calibrated by the first, before voiding.

    Parameters
    ----------
    scans : sequence of ConjugateScan
        Of one patient and administration, in any order.
    administration : Administration
        Time and activity.
    decay_constant : Measured
        Physical, 1/s.
    u_relative : float
        Of each scan beside its counting.

    Raises
    ------
    BadInput
        If there are fewer than two scans, or one holds no counts.
    MissingInformation
        If the administered activity or the time of a scan is not known.
    """
    if administration.activity is None:
        raise MissingInformation("A whole-body curve is calibrated by the administered activity.", "Give it.")
    ordered = sorted(scans, key=lambda scan: scan.start)
    pairs = [scan.pair for scan in ordered]
    found = whole_body_curve(pairs, administration.time, administration.activity, decay_constant.value)
    beside = np.hypot(u_relative, [scan.gain.u_relative for scan in ordered])
    own = np.hypot(found.curve.u_Bq, beside * found.curve.activity_Bq)
    return replace(found, curve=replace(found.curve, u_Bq=own))


def whole_body_fit(readings: WholeBodyReadings, decay_constant: Measured, model: str = "auto") -> Fit:
    """Fit whole-body readings so that the curve passes at the first through what was administered, less decay.

    The body is a closed system: nothing comes in, so that one or two washouts are fitted, and no uptake; of the two
    the one with the lesser Akaike criterion, where four or more readings allow both. The uncertainty of counting is
    that of the fit, and of the fitted curve where it is calibrated, with what the two share.

    Parameters
    ----------
    readings : WholeBodyReadings
        Calibrated by the first.
    decay_constant : Measured
        Physical, 1/s.
    model : str
        ``mono`` or ``bi``; ``auto`` takes the better.

    Raises
    ------
    BadInput
        If the model is not one of a closed system, or has too many parameters for the readings.
    UnphysicalCurve
        If activity rises by more than counting allows.
    NoWashout
        If it does not fall by the last reading.
    """
    if model not in ("auto", *_WASHOUTS):
        raise BadInput(
            f"The whole body's readings cannot be fitted by '{model}': nothing comes in, and activity washes out in one"
            " exponential or two.",
            f"Take auto, {' or '.join(_WASHOUTS)}.",
        )
    curve = readings.curve
    doubts = check_physical(curve, decay_constant, None, closed_system=True)
    if still_rising(curve, decay_constant):
        raise NoWashout(
            "The whole body's activity does not fall faster than it decays by the last reading.",
            "Check the readings and their background, or read the patient again later.",
        )
    both = _WASHOUTS if len(curve) >= _READINGS_FOR_TWO else _WASHOUTS[:1]
    models = both if model == "auto" else (model,)
    fits = [fit_curve(curve, decay_constant, model, immediate=True) for model in models]
    fit = min(fits, key=lambda one: one.chi2 + 2 * len(one.parameters))
    scaled = scaled_to(fit, readings.present, float(curve.mid_s[0]))
    method = f"{fit.method.rstrip('.')}; at the first reading, before voiding, the curve is what was administered."
    return replace(scaled, method=method, warnings=(*scaled.warnings, *doubts))


def counted_fit(
    path: Path, administered: Measured, decay_constant: Measured, u_relative: float = 0.0, model: str = "auto"
) -> Fit:
    """Return the fit of a table of readings of a whole-body counter; see `counter_curve` and `whole_body_fit`."""
    return whole_body_fit(counter_curve(path, administered, decay_constant.value, u_relative), decay_constant, model)
