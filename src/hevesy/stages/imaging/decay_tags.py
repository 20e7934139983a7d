"""When a series was acquired, and the instant to which its activity is decay-corrected: no tag is trusted alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from hevesy.core import Timing, seconds_between
from hevesy.errors import MissingInformation
from hevesy.physics.decay import decay_factor, frame_mean_factor
from hevesy.stages.imaging import header
from hevesy.stages.imaging.administration import Injected

#: to what activity is corrected: the instant of injection, the start of the scan, or nothing
Reference = Literal["administration", "start", "none"]

#: DECAY FACTOR is written with six figures or fewer
FACTOR_TOLERANCE = 2e-4
#: vendors round Acquisition Time and Series Time differently
CLOCK_ROUNDING_S = 1.0


@dataclass(frozen=True, slots=True)
class Frames:
    """When the slices of a series were acquired.

    Parameters
    ----------
    start : datetime
        Start of the first frame.
    end : datetime
        End of the last.
    starts : tuple of datetime
        Start of each slice's frame (bed position).
    durations_s : tuple of float
        Length of each slice's frame, s; 0 where it is not stated.
    notes : tuple of str
    """

    start: datetime
    end: datetime
    starts: tuple[datetime, ...]
    durations_s: tuple[float, ...]
    notes: tuple[str, ...] = ()

    @property
    def duration_s(self) -> float:
        """Length of the whole acquisition, s."""
        return seconds_between(self.start, self.end)


def frames_of(headers: Sequence[Any], among: Sequence[Any] | None = None) -> Frames:
    """Find when each slice was acquired.

    Bed positions and time frames are told by Acquisition Time where it varies, otherwise by Frame Reference Time.

    Parameters
    ----------
    headers : sequence of Dataset
        The slices of one volume.
    among : sequence of Dataset, optional
        All slices of the series, where it holds several volumes in time.

    Raises
    ------
    MissingInformation
        If no acquisition date and time are stated.
    """
    starts = [header.instant(h, "AcquisitionDate", "AcquisitionTime") or _one_value(h) for h in headers]
    notes: tuple[str, ...] = ()
    if any(s is None for s in starts):
        starts = [header.instant(h, "SeriesDate", "SeriesTime") for h in headers]
        notes = ("No acquisition date and time; the series date and time are taken for them.",)
    known = [s for s in starts if s is not None]
    if len(known) < len(headers):
        raise MissingInformation(
            "No date and time of acquisition (0008,0022), (0008,0032).", "Give scans: start: in case.yaml."
        )
    durations = tuple((header.positive(h, "ActualFrameDuration") or 0.0) / 1000 for h in headers)
    every = headers if among is None else among
    if len({header.text(h, "AcquisitionDate") + header.text(h, "AcquisitionTime") for h in every}) == 1:
        known = [s + timedelta(seconds=o) for s, o in zip(known, _offsets_s(headers, every), strict=True)]
    ends = [s + timedelta(seconds=d) for s, d in zip(known, durations, strict=True)]
    return Frames(min(known), max(ends), tuple(known), durations, notes)


def _offsets_s(headers: Sequence[Any], every: Sequence[Any]) -> list[float]:
    """Return the start of each slice's frame after the first frame's, s, by Frame Reference Time.

    Some vendors count it to the start of a frame, others to its mean count time; the first frame tells which.
    """
    first = min(every, key=lambda h: header.number(h, "FrameReferenceTime") or 0.0)
    to_middle = (header.number(first, "FrameReferenceTime") or 0.0) > 0.4 * (
        header.number(first, "ActualFrameDuration") or float("inf")
    )

    def start_ms(head: Any) -> float:
        half = 0.5 * (header.number(head, "ActualFrameDuration") or 0.0) if to_middle else 0.0
        return (header.number(head, "FrameReferenceTime") or 0.0) - half

    return [(start_ms(h) - start_ms(first)) / 1000 for h in headers]


def timing_of(headers: Sequence[Any], frames: Frames, injection: Injected) -> tuple[Timing, tuple[str, ...]]:
    """Find the instant to which a PET-like series is decay-corrected.

    Three tags tell: Decay Correction (0054,1102) names the instant, Corrected Image (0028,0051) says whether there was
    a correction, and Decay Factor (0054,1321) says by how much. A factor other than 1 that fits one instant is
    believed over both words, because nobody writes it by accident; otherwise Decay Correction is believed over
    Corrected Image, because it alone names an instant. A factor of exactly 1 beside a stated correction is what
    is written where the field is not filled in.

    Returns
    -------
    Timing
    tuple of str
        Which tag was believed and why, where they contradict each other.

    Raises
    ------
    MissingInformation
        If the tags do not tell the instant.
    """
    stated = _stated(headers[0])
    if stated is None:
        raise MissingInformation(
            "Neither Decay Correction (0054,1102) nor Corrected Image (0028,0051) tells whether decay was corrected.",
            "Give scans: decay_corrected_to: in case.yaml.",
        )
    reference, notes = stated
    scan, scan_notes = scan_start(headers, frames, injection.half_life_s)
    by_number = _by_factor(headers, frames, scan, injection)
    factors = [f for f in (header.positive(h, "DecayFactor") for h in headers) if f is not None]
    if by_number is not None and by_number != reference:
        notes = (*notes, _contradiction(reference, by_number, factors))
        reference = by_number
    elif reference != "none" and factors and all(f == 1 for f in factors):
        doubt = _doubt(reference, frames, scan, injection)
        notes = (*notes, doubt) if doubt else notes
    elif by_number is None and _factors_mean_something(factors):
        notes = (*notes, f"Decay Factor {factors[0]:g} fits neither the start of the scan nor the injection.")
    to = instant_of(reference, scan, injection)
    notes = (*notes, *scan_notes) if reference == "start" else notes
    return Timing(frames.start, frames.duration_s, to), notes


def instant_of(reference: Reference, scan: datetime, injection: Injected) -> datetime | None:
    """Return the instant that a reference names.

    Raises
    ------
    MissingInformation
        If it is the injection and that is not known.
    ImpossibleTiming
        If it is the injection and that lies after the scan.
    """
    if reference == "none":
        return None
    if reference == "start":
        return scan
    if injection.time is None:
        raise injection.missing or MissingInformation(
            "Activity is corrected to the injection, whose instant is unknown.",
            "Give administration: time: in case.yaml.",
        )
    return injection.time


def scan_start(headers: Sequence[Any], frames: Frames, half_life_s: float | None) -> tuple[datetime, tuple[str, ...]]:
    """Return the start of the scan to which decay correction START refers.

    After the vendor-neutral rules of QIBA (SUV computation, "robust version"): the series date and time
    unless they lie after the acquisition, as in a series made later; then what GE and Siemens write privately; then
    the frame reference time reckoned back from the acquisition; then the earliest acquisition.
    """
    series = header.instant(headers[0], "SeriesDate", "SeriesTime")
    if series is None:
        return frames.start, ("No series date and time; decay correction START is taken as the first acquisition.",)
    if (series - frames.start).total_seconds() <= 0:
        return series, ()
    for group, creator, element in ((0x0009, "GEMS_PETD_01", 0x0D), (0x0071, "SIEMENS MED PT", 0x22)):
        private = header.date_time(header.private(headers[0], group, creator, element), series.tzinfo)  # type: ignore[arg-type]
        if private is not None:
            return private, (
                f"The series is dated after its acquisition; ({group:04x},10{element:02x}) tells the scan's start.",
            )
    back = _reckoned_back(headers, half_life_s)
    if back is not None:
        if abs((back - series).total_seconds()) > CLOCK_ROUNDING_S:
            return back, (
                "The series is dated after its acquisition; the scan's start is reckoned from Frame Reference Time.",
            )
        return back, ()
    return frames.start, (
        "The series is dated after its acquisition; the first acquisition is taken as the scan's start.",
    )


def mean_count_time_s(half_life_s: float, duration_s: float) -> float:
    """Return the time within a frame at which the count rate equals its mean over the frame, s.

    ``ln(λT / (1 − exp(−λT))) / λ``, the "average count rate time" of QIBA's rules.
    """
    decay = math.log(2) / half_life_s
    return -math.log(float(frame_mean_factor(decay, duration_s))) / decay


def _one_value(head: Any) -> datetime | None:
    return header.date_time(
        header.text(head, "AcquisitionDateTime"), header.zone(header.text(head, "TimezoneOffsetFromUTC"))
    )


def _stated(head: Any) -> tuple[Reference, tuple[str, ...]] | None:
    word = header.text(head, "DecayCorrection").upper()
    corrected = header.words(head, "CorrectedImage")
    named: dict[str, Reference] = {"NONE": "none", "START": "start", "ADMIN": "administration"}
    if word in named:
        reference = named[word]
        contradicts = bool(corrected) and ("DECY" in corrected) == (reference == "none")
        lists = "lists" if reference == "none" else "does not list"
        note = (
            f"Decay Correction says {word}, but Corrected Image {lists} DECY;"
            " Decay Correction is believed because it alone names an instant."
        )
        return reference, ((note,) if contradicts else ())
    if corrected and "DECY" not in corrected:
        return "none", ("No Decay Correction tag; Corrected Image does not list DECY, so no correction is assumed.",)
    return None


def _by_factor(headers: Sequence[Any], frames: Frames, scan: datetime, injection: Injected) -> Reference | None:
    """Return the instant that the decay factors fit, if they are not 1 and fit exactly one."""
    factors = [header.positive(h, "DecayFactor") for h in headers]
    if injection.half_life_s is None or any(f is None for f in factors) or all(f == 1 for f in factors):
        return None
    candidates: dict[Reference, datetime] = {"start": scan}
    if injection.time is not None:
        candidates["administration"] = injection.time
    fitting: list[Reference] = [
        name
        for name, to in candidates.items()
        if all(
            abs((f or 0) / decay_correction(injection.half_life_s, to, start, duration) - 1) < FACTOR_TOLERANCE
            for f, start, duration in zip(factors, frames.starts, frames.durations_s, strict=True)
        )
    ]
    return fitting[0] if len(fitting) == 1 else None


def decay_correction(half_life_s: float, to: datetime, start: datetime, duration_s: float) -> float:
    """Return what the mean over a frame is multiplied by to be the activity at an instant."""
    rate = math.log(2) / half_life_s
    return 1 / float(decay_factor(rate, seconds_between(to, start)) * frame_mean_factor(rate, duration_s))


def _factors_mean_something(factors: Sequence[float]) -> bool:
    return any(abs(f - 1) > FACTOR_TOLERANCE for f in factors)


def _doubt(reference: Reference, frames: Frames, scan: datetime, injection: Injected) -> str:
    """Tell a factor of 1 that cannot be true of the correction stated; empty where it makes no difference."""
    to = scan if reference == "start" else injection.time
    if injection.half_life_s is None or to is None:
        return ""
    expected = decay_correction(injection.half_life_s, to, frames.start, frames.durations_s[0])
    if abs(expected - 1) < 0.002:
        return ""
    word = "ADMIN" if reference == "administration" else "START"
    return (
        f"Decay Correction says {word} (which multiplies by {expected:.4f}), but Decay Factor is 1, as if nothing had"
        f" been corrected. {word} is believed: 1 is what is written where the factor is not filled in. If the series is"
        f" in truth uncorrected, its activity is {expected - 1:.1%} higher than taken here;"
        " scans: decay_corrected_to: none in case.yaml says so."
    )


def _contradiction(word: Reference, number: Reference, factors: Sequence[float]) -> str:
    names = {"administration": "the injection", "start": "the start of the scan", "none": "nothing"}
    return (
        f"The words say that decay is corrected to {names[word]}, but Decay Factor {factors[0]:g} is that of a"
        f" correction to {names[number]}; the number is believed."
    )


def _reckoned_back(headers: Sequence[Any], half_life_s: float | None) -> datetime | None:
    """Return the scan's start from acquisition time, frame reference time and duration of a slice."""
    reference_ms = header.positive(headers[0], "FrameReferenceTime")
    duration_ms = header.positive(headers[0], "ActualFrameDuration")
    acquired = header.instant(headers[0], "AcquisitionDate", "AcquisitionTime")
    if reference_ms is None or duration_ms is None or acquired is None or half_life_s is None:
        return None
    return acquired + timedelta(seconds=mean_count_time_s(half_life_s, duration_ms / 1000) - reference_ms / 1000)
