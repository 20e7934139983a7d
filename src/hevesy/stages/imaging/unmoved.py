"""Proof that de-identification left quantification as it was: what numbers rest on, before and after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from hevesy.core import Timing, seconds_between
from hevesy.errors import HevesyError, QuantificationMoved
from hevesy.stages.imaging import header
from hevesy.stages.imaging.administration import Injected, injected
from hevesy.stages.imaging.decay_tags import decay_correction
from hevesy.stages.imaging.identity import elements_within
from hevesy.stages.imaging.pet import known_frames, known_injection, pet_quantity, pet_timing
from hevesy.stages.imaging.series import Kind, kind_of
from hevesy.stages.imaging.supplied import NOTHING
from hevesy.stages.imaging.suv import suv_scale

#: dates and the times that belong to them
INSTANTS = (
    ("StudyDate", "StudyTime"),
    ("SeriesDate", "SeriesTime"),
    ("AcquisitionDate", "AcquisitionTime"),
    ("ContentDate", "ContentTime"),
)
#: what a number of an image rests on, wherever it stands in the header
NUMBERS = frozenset(
    {
        "RadionuclideTotalDose",
        "RadionuclideHalfLife",
        "RadionuclidePositronFraction",
        "RescaleSlope",
        "RescaleIntercept",
        "DecayFactor",
        "DecayCorrection",
        "CorrectedImage",
        "Units",
        "FrameReferenceTime",
        "ActualFrameDuration",
        "PatientWeight",
        "PatientSize",
        "PatientSex",
        "DoseGridScaling",
        "RealWorldValueSlope",
        "RealWorldValueIntercept",
        "PixelSpacing",
        "ImagePositionPatient",
        "ImageOrientationPatient",
        "RadiopharmaceuticalStartTime",
    }
)

Facts = dict[str, Any]


def require_unmoved(before: Sequence[Any], after: Sequence[Any], what: str) -> None:
    """Refuse a de-identification that moves a number.

    Parameters
    ----------
    before, after : sequence of Dataset
        Headers of one series.
    what : str
        How a refusal names it.

    Raises
    ------
    QuantificationMoved
        If a SUV factor, a decay factor, a time between injection and scan, or a number of the header differs.
    """
    moved = moved_fact(before, after)
    if moved:
        was, became = facts(before)[moved], facts(after)[moved]
        raise QuantificationMoved(
            f"De-identification of {what} would change {moved} from {was} to {became}.",
            "Nothing was written. Report the header's dates and private elements.",
        )


def moved_fact(before: Sequence[Any], after: Sequence[Any]) -> str | None:
    """Return the name of a fact that numbers rest on and that differs between headers of one series; None if none."""
    was, became = facts(before), facts(after)
    return next((name for name in was if was[name] != became[name]), None)


def facts(headers: Sequence[Any]) -> Facts:
    """Return what the numbers of a series rest on, as it would be read: seconds, factors and values, but no date."""
    start = header.instant(headers[0], "AcquisitionDate", "AcquisitionTime") or header.instant(headers[0], *INSTANTS[1])
    injection = injected(headers[0], start)
    found: Facts = {
        "the nuclide": injection.nuclide,
        "the half-life (s)": injection.half_life_s,
        "the administered activity (Bq)": injection.activity_Bq,
        "the instants after injection (s)": _told(lambda: _after(headers, injection.time)),
        "the values of the header": [_values(head) for head in headers],
    }
    if kind_of(headers[0]) in (Kind.PET, Kind.SPECT):
        found["the factor to SUV"] = _told(lambda: _suv(headers))
        found["the decay factors and times (s)"] = _told(lambda: _decay(headers))
    return found


def _told(compute: Callable[[], Any]) -> Any:
    """Return what is computed, or what kind of refusal it meets."""
    try:
        return compute()
    except HevesyError as refused:
        return type(refused).__name__


def _after(headers: Sequence[Any], origin: datetime | None) -> list[list[float | None]]:
    instants = [[header.instant(head, *pair) for pair in INSTANTS] for head in headers]
    known = [origin, *(instant for row in instants for instant in row)]
    first = next((instant for instant in known if instant is not None), None)
    return [[None if i is None or first is None else seconds_between(first, i) for i in row] for row in instants]


def _values(head: Any) -> list[str]:
    return [f"{e.keyword}={e.value}" for e in elements_within(head) if e.keyword in NUMBERS]


def _suv(headers: Sequence[Any]) -> float:
    quantity, *_ = pet_quantity(headers[0], "The series", NOTHING)
    timing, _ = pet_timing(headers, quantity, NOTHING)
    return suv_scale(headers, quantity, timing=timing)[0]


def _decay(headers: Sequence[Any]) -> tuple[float | None, ...]:
    quantity, *_ = pet_quantity(headers[0], "The series", NOTHING)
    timing, _ = pet_timing(headers, quantity, NOTHING)
    return (
        () if timing is None else _elapsed(timing, known_injection(headers[0], known_frames(headers, NOTHING), NOTHING))
    )


def _elapsed(timing: Timing, injection: Injected) -> tuple[float | None, ...]:
    to, given, half_life = timing.decay_corrected_to, injection.time, injection.half_life_s
    factor = None
    if to is not None and half_life is not None:
        factor = decay_correction(half_life, to, timing.start, timing.duration_s)
    since = None if given is None else seconds_between(given, timing.start)
    reference = None if to is None else seconds_between(timing.start, to)
    return timing.duration_s, since, reference, factor
