"""How does activity leave the patient? From the whole-body scans of a gamma camera."""

from __future__ import annotations

from pathlib import Path

from hevesy.core import Administration, Curve, Measured, PlanarView
from hevesy.errors import BadInput, MissingInformation
from hevesy.stages.imaging.folder import read_folder
from hevesy.stages.imaging.planar_views import read_planar
from hevesy.stages.imaging.series import Kind, Series
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
        If a scan is not a pair of views, or there are fewer than two.
    MissingInformation
        If the administered activity or the time of a scan is not known.
    """
    if administration.activity is None:
        raise MissingInformation("A whole-body curve is calibrated by the administered activity.", "Give it.")
    found = read_folder(folder).of_kind(Kind.WHOLE_BODY)
    if not found:
        raise BadInput(f"{folder} holds no whole-body scan.", "`hevesy inspect` lists what there is.")
    pairs = sorted((_pair(series) for series in found), key=_start)
    return whole_body_curve(pairs, administration.time, administration.activity, decay_constant.value)


def _start(pair: tuple[PlanarView, PlanarView]) -> float:
    timing = pair[0].timing
    if timing is None:
        raise MissingInformation("A whole-body scan says nothing of its time.", "Supply it.")
    return timing.start.timestamp()


def _pair(series: Series) -> tuple[PlanarView, PlanarView]:
    """Return the anterior and the posterior view of the photopeak: the first energy window."""
    views = [
        v for head, file in zip(series.headers, series.files, strict=True) for v in read_planar(head, file, series.name)
    ]
    peak = [v for v in views if v.window == views[0].window]
    if len(peak) != 2:
        raise BadInput(
            f"{series.name} has {len(peak)} views in its first energy window; a conjugate pair has two.",
            "Give whole-body scans with an anterior and a posterior view.",
        )
    posterior_first = peak[0].view.startswith("post") or peak[1].view.startswith("ant")
    return (peak[1], peak[0]) if posterior_first else (peak[0], peak[1])
