"""How does activity leave the patient? From the whole-body scans of a gamma camera."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from hevesy.core import Administration, Curve, Measured, PlanarView
from hevesy.errors import BadInput, HevesyError, MissingInformation
from hevesy.stages.imaging.folder import read_folder
from hevesy.stages.imaging.planar_views import read_planar
from hevesy.stages.imaging.series import Kind, Series
from hevesy.stages.quantification.conjugate_pair import ConjugatePair
from hevesy.stages.quantification.planar import whole_body_curve


def whole_body(folder: Path, administration: Administration, decay_constant: Measured) -> tuple[Curve, Measured]:
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
