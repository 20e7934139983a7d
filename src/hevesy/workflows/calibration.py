"""What does this camera count for a becquerel? From scans of a phantom of known activity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np

from hevesy.core import Image, Measured, Quantity, Region, Timing
from hevesy.errors import BadInput, MissingInformation, WrongQuantity
from hevesy.stages.imaging.folder import read_folder
from hevesy.stages.imaging.readers import read_volumes
from hevesy.stages.imaging.series import VOLUME_KINDS, Kind, Series
from hevesy.stages.imaging.supplied import Supplied
from hevesy.stages.quantification.calibration import KnownActivity, calibrate_image, calibration_factor, combine
from hevesy.stages.quantification.energy_windows import WindowRequest
from hevesy.workflows.conjugate_scans import photopeak_views

_PLANAR = (Kind.STATIC, Kind.WHOLE_BODY)


def calibrate(
    scans: Sequence[Path],
    known: KnownActivity,
    supplied: Supplied,
    windows: WindowRequest,
    radius_mm: float | None = None,
) -> Measured:
    """Return the calibration factor (``"1/s/Bq"``) of repeated scans of one phantom.

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

    Raises
    ------
    BadInput
        If a folder does not hold one scan that counts.
    """
    return combine([_one(_phantom(scan), known, supplied, windows, radius_mm) for scan in scans])


def _phantom(scan: Path) -> Series:
    folder = read_folder(scan)
    found = folder.of_kind(*VOLUME_KINDS, *_PLANAR)
    if len(found) != 1:
        names = ", ".join(s.name for s in found) or "none"
        raise BadInput(
            f"{scan} must hold one scan of the phantom; it holds {len(found)} ({names}).", "Give its folder."
        )
    return found[0]


def _one(
    series: Series, known: KnownActivity, supplied: Supplied, windows: WindowRequest, radius_mm: float | None
) -> Measured:
    if series.kind in _PLANAR:
        return _planar(series, known, supplied, windows)
    image = _counts(series, supplied)
    return calibrate_image(image, known, _sphere(image, radius_mm) if radius_mm else None)


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


def _planar(series: Series, known: KnownActivity, supplied: Supplied, windows: WindowRequest) -> Measured:
    """Take the mean over detectors: the factor of one, in the photopeak's window without scatter."""
    views = photopeak_views(series, windows)
    total, variance = (
        sum(float(a.sum(dtype=np.float64)) for a in found)
        for found in zip(*((view.counts, view.counts_variance) for view in views), strict=True)
    )
    stated = views[0].timing
    start: datetime | None = supplied.start or (stated.start if stated else None)
    duration = supplied.duration_s or (stated.duration_s if stated else 0.0)
    if start is None or not duration > 0:
        raise MissingInformation(f"{series.name} does not say when and how long.", "Give --start and --duration-s.")
    detectors = len({view.detector for view in views})
    counts = Measured(total / detectors, math.sqrt(variance) / detectors, "", "counts")
    corrected = stated is not None and stated.decay_corrected_to is not None
    return calibration_factor(counts, Timing(start, duration, start if corrected else None), known)
