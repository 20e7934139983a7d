"""What does this camera count for a becquerel? From scans of a phantom of known activity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np

from hevesy.core import Image, Measured, PlanarView, Quantity, Region, Timing
from hevesy.errors import BadInput, ContradictoryInformation, MissingInformation, OutsideValidity, WrongQuantity
from hevesy.stages.imaging import header
from hevesy.stages.imaging.folder import read_folder
from hevesy.stages.imaging.readers import read_volumes
from hevesy.stages.imaging.series import VOLUME_KINDS, Kind, Series
from hevesy.stages.imaging.supplied import Supplied
from hevesy.stages.quantification.calibration import KnownActivity, calibrate_image, calibration_factor, combine
from hevesy.stages.quantification.energy_windows import WindowRequest
from hevesy.stages.quantification.planar_dead_time import DeadTime
from hevesy.workflows.conjugate_scans import Losses, made_up, photopeak_views, views_of

_PLANAR = (Kind.STATIC, Kind.WHOLE_BODY)
#: dead time of a count in a photopeak that a scan is suspected by, s: 4.6 µs at 208 keV of Lu-177 (Uribe et al., EJNMMI
#: Phys 2017;4:2, Siemens Symbia T), 4.3 to 10 µs at 140 keV (Adams et al., J Nucl Med 1978;19:538, 39 cameras)
SUSPECTED_TAU_S = 5e-6
#: share of the counts that may go missing without a word
_SUSPECTED_LOSS = 0.01
#: where more than this is lost, what was lost hangs on how the camera loses it
_LARGEST_LOSS = 0.2


@dataclass(frozen=True, slots=True)
class Calibration:
    """Counts per second and becquerel (``"1/s/Bq"``), and what must be known of the scans that it is of."""

    factor: Measured
    warnings: tuple[str, ...] = ()


def calibrate(
    scans: Sequence[Path],
    known: KnownActivity,
    supplied: Supplied,
    windows: WindowRequest,
    radius_mm: float | None = None,
    dead_time: DeadTime | None = None,
) -> Calibration:
    """Return the calibration factor of repeated scans of one phantom.

    Parameters
    ----------
    scans : sequence of Path
        A folder or file for each scan: a reconstruction in counts, or planar views.
    known : KnownActivity
        What was in the phantom.
    supplied : Supplied
        Start and duration where the files lack them.
    windows : WindowRequest
        Which energy windows of planar views to count in, and to take scatter from.
    radius_mm : float or None
        Count in the sphere of this radius about the centre of the counts; None takes the whole image.
    dead_time : DeadTime or None
        Of the camera, to put back what it missed in planar views; None where it misses nothing.

    Raises
    ------
    BadInput
        If a folder does not hold one scan that counts.
    ContradictoryInformation
        If a dead time is given for scans that were corrected for theirs.
    OutsideValidity
        If a dead time is given for a reconstruction, or for views that moved or lost more than a fifth of their counts.
    """
    found, doubts = [], []
    for series in map(_phantom, scans):
        if series.kind in _PLANAR:
            factor, rate_per_s = _planar(series, known, supplied, windows, dead_time)
        else:
            _refuse_reconstruction(series, dead_time)
            factor, rate_per_s = _volume(series, known, supplied, radius_mm)
        found.append(factor)
        doubts += [] if dead_time or _is_corrected(series) else _suspected(series, rate_per_s)
    return Calibration(combine(found), tuple(doubts))


def _is_corrected(series: Series) -> bool:
    """Whether tags say that dead time was corrected for: DTIM in Corrected Image (0028,0051)."""
    return bool(series.headers) and "DTIM" in header.words(series.headers[0], "CorrectedImage")


def _suspected(series: Series, rate_per_s: float) -> list[str]:
    loss = rate_per_s * SUSPECTED_TAU_S
    if loss <= _SUSPECTED_LOSS:
        return []
    return [
        f"{series.name} was counted at {rate_per_s:.3g} per second and nothing says what dead time took: with"
        f" {SUSPECTED_TAU_S * 1e6:g} µs a count, as of published cameras, {loss:.1%} is missing and the factor is"
        " as much too low. Measure the camera's dead time, or scan a weaker source."
    ]


def _refuse_reconstruction(series: Series, dead_time: DeadTime | None) -> None:
    if dead_time is None:
        return
    _refuse_twice(series)
    raise OutsideValidity(
        f"{series.name} is reconstructed: at what rate its views were counted is not known any more.",
        "Correct its projections: hevesy reconstruct --dead-time-us.",
    )


def _refuse_twice(series: Series) -> None:
    if _is_corrected(series):
        raise ContradictoryInformation(
            f"{series.name} was corrected for dead time already (DTIM in Corrected Image).", "Leave the dead time out."
        )


def _phantom(scan: Path) -> Series:
    folder = read_folder(scan)
    found = folder.of_kind(*VOLUME_KINDS, *_PLANAR)
    if len(found) != 1:
        names = ", ".join(s.name for s in found) or "none"
        raise BadInput(
            f"{scan} must hold one scan of the phantom; it holds {len(found)} ({names}).", "Give its folder."
        )
    return found[0]


def _volume(
    series: Series, known: KnownActivity, supplied: Supplied, radius_mm: float | None
) -> tuple[Measured, float]:
    """Return the factor of a reconstruction, and the rate of all that is in it."""
    image = _counts(series, supplied)
    factor = calibrate_image(image, known, _sphere(image, radius_mm) if radius_mm else None)
    assert image.timing is not None  # or there were no factor
    return factor, float(image.values.sum(dtype=np.float64)) / image.timing.duration_s


def _counts(series: Series, supplied: Supplied) -> Image:
    images = read_volumes(series, supplied)
    if len(images) != 1:
        raise BadInput(f"{series.name} holds {len(images)} volumes.", "Give the one of the photopeak.")
    images[0].require(Quantity.COUNTS)
    return images[0]


def _sphere(image: Image, radius_mm: float) -> Region:
    """Cover the sphere about the centre of the counts."""
    weights = np.asarray(image.values, np.float64)
    axes = [np.arange(n) for n in weights.shape]
    total = weights.sum()
    if not total > 0:
        raise WrongQuantity("The scan holds no counts.")
    centre = [float((weights.sum(axis=tuple({0, 1, 2} - {i})) * axes[i]).sum() / total) for i in range(3)]
    index = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    offset = image.grid.to_mm(index) - image.grid.to_mm(np.array(centre))
    inside = np.linalg.norm(offset, axis=-1) <= radius_mm
    return Region.from_mask("phantom", image.grid, inside)


def _planar(
    series: Series, known: KnownActivity, supplied: Supplied, windows: WindowRequest, dead_time: DeadTime | None
) -> tuple[Measured, float]:
    """Take the mean over detectors: the factor of one in the photopeak, without scatter; and its rate as counted."""
    counted = views_of(series)
    detectors = len({view.detector for view in counted})
    start, duration = _when(series, counted[0], supplied)
    gain = Measured(1.0)
    if dead_time is not None:
        counted, gain = _with_losses(series, counted, duration, dead_time)
    views = photopeak_views(series, counted, windows)
    total, variance = (
        sum(float(a.sum(dtype=np.float64)) for a in found)
        for found in zip(*((view.counts, view.counts_variance) for view in views), strict=True)
    )
    counts = Measured(total / detectors, math.sqrt(variance) / detectors, "", "counts") * gain
    stated = views[0].timing
    corrected = stated is not None and stated.decay_corrected_to is not None
    rate = sum(float(view.counts.sum(dtype=np.float64)) for view in views_of(series)) / detectors / duration
    return calibration_factor(counts, Timing(start, duration, start if corrected else None), known), rate


def _when(series: Series, view: PlanarView, supplied: Supplied) -> tuple[datetime, float]:
    stated = view.timing
    start: datetime | None = supplied.start or (stated.start if stated else None)
    duration = supplied.duration_s or (stated.duration_s if stated else 0.0)
    if start is None or not duration > 0:
        raise MissingInformation(f"{series.name} does not say when and how long.", "Give --start and --duration-s.")
    return start, duration


def _with_losses(
    series: Series, views: Sequence[PlanarView], duration_s: float, dead_time: DeadTime
) -> tuple[list[PlanarView], Measured]:
    """Put back what dead time took; 1 ± u carries what the dead time's own uncertainty, one for all scans, makes of it.

    A rate of a paralysable camera is that of two sources, and the models part as more is lost: above a fifth (which
    NEMA NU 1 states cameras by) what was lost cannot be told from the rate alone.
    """
    _refuse_twice(series)
    if series.kind is Kind.WHOLE_BODY:
        raise OutsideValidity(
            f"{series.name} was swept past the detector, at no one rate.", "Calibrate by static views."
        )
    made, gain = made_up(series, [_lasting(view, duration_s) for view in views], Losses(dead_time))
    if gain.value > 1 / (1 - _LARGEST_LOSS):
        raise OutsideValidity(
            f"{series.name} lost {1 - 1 / gain.value:.0%} of its counts to a dead time of"
            f" {dead_time.tau.value * 1e6:g} µs: what it lost hangs on how the camera loses it.",
            "Scan a weaker source, or wait.",
        )
    steepness = gain.u_relative / dead_time.tau.u_relative if dead_time.tau.u else 0.0
    return made, (dead_time.tau / dead_time.tau.value).to(1.0, "") ** steepness


def _lasting(view: PlanarView, duration_s: float) -> PlanarView:
    """Return a view that was counted for so long."""
    timing = view.timing
    return view if timing is None else replace(view, timing=replace(timing, duration_s=duration_s))
