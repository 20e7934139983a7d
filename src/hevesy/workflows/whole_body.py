"""How does activity leave the patient? From whole-body scans of a gamma camera, or readings of a counter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from hevesy.core import Administration, Measured, PlanarView
from hevesy.errors import BadInput, HevesyError, MissingInformation, NoWashout
from hevesy.stages.imaging.folder import read_folder
from hevesy.stages.imaging.planar_views import read_planar
from hevesy.stages.imaging.series import Kind, Series
from hevesy.stages.kinetics import Fit, check_physical, fit_curve, still_rising
from hevesy.stages.kinetics.hybrid import scaled_to
from hevesy.stages.quantification.conjugate_pair import ConjugatePair
from hevesy.stages.quantification.first_reading import WholeBodyReadings
from hevesy.stages.quantification.planar import whole_body_curve
from hevesy.stages.quantification.whole_body_counter import counter_curve

#: what a closed system may do, and how many readings more than one of them needs
_WASHOUTS = ("mono", "bi")
_READINGS_FOR_TWO = 4


def whole_body(folder: Path, administration: Administration, decay_constant: Measured) -> WholeBodyReadings:
    """Return the whole body's curve from every whole-body scan in a folder, calibrated by the first, before voiding.

    Parameters
    ----------
    folder : Path
        DICOM NM whole-body scans of one patient and administration, anterior and posterior.
    administration : Administration
        Time and activity.
    decay_constant : Measured
        Physical, 1/s.

    Raises
    ------
    BadInput
        If there are fewer than two scans, or several views from one side in one of them.
    MissingInformation
        If a scan lacks a view, or the administered activity or the time of a scan is not known.
    """
    if administration.activity is None:
        raise MissingInformation("A whole-body curve is calibrated by the administered activity.", "Give it.")
    found = read_folder(folder).of_kind(Kind.WHOLE_BODY)
    if not found:
        raise BadInput(f"{folder} holds no whole-body scan.", "`hevesy inspect` lists what there is.")
    pairs = sorted((photopeak_pair(series) for series in found), key=pair_start)
    views = [(pair.anterior, pair.posterior) for pair in pairs]
    return whole_body_curve(views, administration.time, administration.activity, decay_constant.value)


def whole_body_fit(readings: WholeBodyReadings, decay_constant: Measured) -> Fit:
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

    Raises
    ------
    UnphysicalCurve
        If activity rises by more than counting allows.
    NoWashout
        If it does not fall by the last reading.
    """
    curve = readings.curve
    doubts = check_physical(curve, decay_constant, None, closed_system=True)
    if still_rising(curve, decay_constant):
        raise NoWashout(
            "The whole body's activity does not fall faster than it decays by the last reading.",
            "Check the readings and their background, or read the patient again later.",
        )
    models = _WASHOUTS if len(curve) >= _READINGS_FOR_TWO else _WASHOUTS[:1]
    fits = [fit_curve(curve, decay_constant, model) for model in models]
    fit = min(fits, key=lambda one: one.chi2 + 2 * len(one.parameters))
    scaled = scaled_to(fit, readings.present, float(curve.mid_s[0]))
    method = f"{fit.method.rstrip('.')}; at the first reading, before voiding, the curve is what was administered."
    return replace(scaled, method=method, warnings=(*scaled.warnings, *doubts))


def counted_fit(path: Path, administered: Measured, decay_constant: Measured, u_relative: float = 0.0) -> Fit:
    """Return the fit of a table of readings of a whole-body counter; see `counter_curve` and `whole_body_fit`."""
    return whole_body_fit(counter_curve(path, administered, decay_constant.value, u_relative), decay_constant)


def pair_start(pair: ConjugatePair) -> datetime:
    """Return when a conjugate pair was started."""
    timing = pair.anterior.timing
    if timing is None:
        raise MissingInformation("A whole-body scan says nothing of its time.", "Supply it.")
    return timing.start


def photopeak_pair(series: Series) -> ConjugatePair:
    """Return the anterior and the posterior view of the photopeak: the first energy window.

    Raises
    ------
    MissingInformation
        If either view is missing, or the views do not say where the detector stood or how long they were counted.
    BadInput
        If there are several views from one side.
    GridMismatch
        If the two heads differ in matrix or pixel.
    """
    views = views_of(series)
    return pair_of(series, [v for v in views if v.window == views[0].window])


def views_of(series: Series) -> list[PlanarView]:
    """Return every view of a planar series, in the order of its files and frames."""
    files = zip(series.headers, series.files, strict=True)
    return [view for head, file in files for view in read_planar(head, file, series.name)]


def pair_of(series: Series, views: Sequence[PlanarView]) -> ConjugatePair:
    """Pair views of a series, whose name a refusal carries; raises what `photopeak_pair` does."""
    try:
        return ConjugatePair.of(views)
    except HevesyError as refusal:
        raise type(refusal)(f"{series.name}: {refusal.refused}", refusal.remedy) from None
