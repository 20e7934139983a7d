"""What the stored values of the scans of a case are, as a DICOM object for viewers of others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from hevesy.core import seconds_between
from hevesy.stages.imaging import header
from hevesy.stages.imaging.real_world_value_object import Mapped, write
from hevesy.stages.reporting.results import CaseResult
from hevesy.workflows.scans import Scan


def write_real_world_values(result: CaseResult, scans: Sequence[Scan], path: Path, created: datetime) -> bool:
    """Write how the stored values of every scan become Bq/mL, and SUV where body mass and activity are known.

    Left out are scans that are no DICOM, and those whose bed positions are each corrected to a time of their own.

    Parameters
    ----------
    result : CaseResult
        Whose scans they are.
    scans : sequence of Scan
        As they were read.
    path : Path
        File to write.
    created : datetime
        The date that it bears.

    Returns
    -------
    bool
        Whether there was anything to write.
    """
    series = [Mapped(_headers(scan), scan.stored_Bq_mL, _suv(result, scan)) for scan in scans if _is_mapped(scan)]
    if series:
        write(series, path, created)
    return bool(series)


def _headers(scan: Scan) -> list[object]:
    return sorted(scan.series.headers, key=lambda head: header.text(head, "SOPInstanceUID"))


def _is_mapped(scan: Scan) -> bool:
    heads = scan.series.headers
    if not heads or not all(head.get("BitsStored") and head.get("StudyInstanceUID") for head in heads):
        return False
    starts = {header.text(head, "AcquisitionTime") for head in heads}
    return len(starts) == 1 or header.text(heads[0], "DecayCorrection") != "NONE"


def _suv(result: CaseResult, scan: Scan) -> float | None:
    """Return SUV (g/mL) of 1 Bq/mL at the instant that the image's values refer to."""
    given, mass_kg = result.administration.activity, result.patient.mass_kg
    timing = scan.activity.timing
    if given is None or mass_kg is None or timing is None:
        return None
    at = scan.refers_to or timing.start + timedelta(seconds=timing.duration_s / 2)
    decayed = math.exp(-result.nuclide.decay_constant.value * seconds_between(result.administration.time, at))
    return mass_kg * 1e3 / (given.value * decayed)
