"""PET objects, and SPECT stored as PET, to images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hevesy.core import Image, Provenance, Quantity, Timing
from hevesy.errors import BadInput, IncompleteSeries, MissingInformation, UnsupportedObject
from hevesy.stages.imaging import header
from hevesy.stages.imaging.administration import Injected, injected
from hevesy.stages.imaging.decay_tags import Frames, decay_correction, frames_of, instant_of, scan_start, timing_of
from hevesy.stages.imaging.supplied import NOTHING, Supplied
from hevesy.stages.imaging.volume import read_values, stack_slices

UNITS = {
    "BQML": Quantity.ACTIVITY_CONCENTRATION,
    "GML": Quantity.STANDARDISED_UPTAKE,
    "CNTS": Quantity.COUNTS,
    "PROPCNTS": Quantity.PROPORTIONAL_TO_COUNTS,
}
NO_DURATION = (
    "No Actual Frame Duration (0018,1242); the scan is taken as an instant at its start, unless scans: duration_s:"
    " is given."
)


def read_pet(
    headers: Sequence[Any], files: Sequence[Path], what: str, supplied: Supplied = NOTHING
) -> tuple[Image, ...]:
    """Read a series of PET slices: one volume, or one for each time or gate of a dynamic or gated series.

    Parameters
    ----------
    headers : sequence of Dataset
        Header of each slice.
    files : sequence of Path
        File of each slice, in the same order.
    what : str
        What to call the series in a refusal.
    supplied : Supplied
        Facts that replace the header's.

    Returns
    -------
    tuple of Image
        In order of time; Bq/mL, g/mL (SUV), counts, or a.u. proportional to counts, with Timing where it is known; an
        image of activity always has it.

    Raises
    ------
    MissingInformation
        If units, times or, for activity, decay correction are not stated.
    IncompleteSeries, DuplicateSlices, MixedSeries, UnreadableFile
        If the slices do not form a volume.
    """
    quantity, scale, notes = pet_quantity(headers[0], what, supplied)
    images = []
    for members in volumes_in_time(headers):
        own = [headers[i] for i in members]
        stack = stack_slices(own, what)
        require_all_slices(own, what)
        timing, timing_notes = pet_timing(own, quantity, supplied, headers)
        values: NDArray[np.float32] = read_values(stack, [files[i] for i in members], own)
        factors, timing, bed_notes = _one_instant(own, stack.order, timing, supplied)
        if scale != 1 or factors is not None:
            values = (values.astype(np.float64) * scale * (1.0 if factors is None else factors)).astype(np.float32)
        source = f"DICOM series {header.text(headers[0], 'SeriesInstanceUID')}"
        provenance = Provenance(source, notes=(*notes, *stack.notes, *timing_notes, *bed_notes))
        images.append(Image(values, stack.grid, quantity, timing, provenance))
    return tuple(images)


def _one_instant(
    headers: Sequence[Any], order: Sequence[int], timing: Timing | None, supplied: Supplied
) -> tuple[NDArray[np.float64] | None, Timing | None, tuple[str, ...]]:
    """Bring uncorrected bed positions, which are means over different frames, to the start of the scan.

    Returns factors for the slices in their order, or None where one instant or frame belongs to all of them.
    """
    if timing is None or timing.decay_corrected_to is not None:
        return None, timing, ()
    frames = known_frames(headers, supplied)
    if len(set(frames.starts)) == 1:
        return None, timing, ()
    half_life = known_injection(headers[0], frames, supplied).half_life_s
    if half_life is None:
        raise MissingInformation(
            "Bed positions are not decay-corrected and the half-life is not stated, so that they cannot be joined."
        )
    factors = [decay_correction(half_life, frames.start, frames.starts[i], frames.durations_s[i]) for i in order]
    note = "Bed positions, stored without decay correction, were corrected to the start of the first."
    return np.array(factors), replace(timing, decay_corrected_to=frames.start), (note,)


def volumes_in_time(headers: Sequence[Any]) -> list[list[int]]:
    """Return the slices of each volume of a series, in order of time or gate.

    Only a series that says DYNAMIC or GATED in Series Type (0054,1000) may hold a position more than once.
    """
    if not {"DYNAMIC", "GATED"} & set(header.words(headers[0], "SeriesType")):
        return [list(range(len(headers)))]
    order = sorted(range(len(headers)), key=lambda i: _moment(headers[i]))
    seen: Counter[str] = Counter()
    volumes: list[list[int]] = []
    for index in order:
        place = header.text(headers[index], "ImagePositionPatient")
        if seen[place] == len(volumes):
            volumes.append([])
        volumes[seen[place]].append(index)
        seen[place] += 1
    return volumes


def _moment(head: Any) -> tuple[str, float, float, float]:
    return (
        header.text(head, "AcquisitionDate") + header.text(head, "AcquisitionTime"),
        header.number(head, "FrameReferenceTime") or 0.0,
        header.number(head, "TriggerTime") or 0.0,
        header.number(head, "ImageIndex") or 0.0,
    )


def pet_quantity(head: Any, what: str, supplied: Supplied = NOTHING) -> tuple[Quantity, float, tuple[str, ...]]:
    """Tell what a series' values mean, and the factor that brings them to the unit of that meaning.

    Philips scanners write counts with a private factor to Bq/mL, (7053,1009).

    Raises
    ------
    MissingInformation
        If Units (0054,1001) is absent.
    UnsupportedObject
        If the units have no meaning here.
    """
    units = (supplied.units or header.text(head, "Units")).upper()
    if not units:
        raise MissingInformation(
            f"{what} does not state its Units (0054,1001), so that its values have no meaning.",
            "Give scans: units: in case.yaml: BQML, GML, CNTS or PROPCNTS.",
        )
    if units not in UNITS:
        raise UnsupportedObject(f"{what} has Units {units}; only {', '.join(UNITS)} are read.")
    factor = philips_activity_factor(head)
    if units == "CNTS" and factor is not None:
        note = f"Counts were brought to Bq/mL by the private factor {factor:g} of Philips (7053,1009)."
        return Quantity.ACTIVITY_CONCENTRATION, factor, (note,)
    return UNITS[units], 1.0, ()


def philips_activity_factor(head: Any) -> float | None:
    """Return Philips' private factor from stored values to Bq/mL; None where it is absent or zero."""
    return _private_number(head, 0x09)


def philips_suv_factor(head: Any) -> float | None:
    """Return Philips' private factor from rescaled values to SUVbw, g/mL; None where it is absent or zero."""
    return _private_number(head, 0x00)


def pet_timing(
    headers: Sequence[Any],
    quantity: Quantity,
    supplied: Supplied = NOTHING,
    among: Sequence[Any] | None = None,
) -> tuple[Timing | None, tuple[str, ...]]:
    """Find when a series was acquired and the instant that its activity refers to.

    For values other than activity, what is missing leaves the timing out, with a note.

    Raises
    ------
    MissingInformation, ImpossibleTiming, ContradictoryInformation
        If values are an activity and the times are missing or impossible.
    """
    try:
        frames = known_frames(headers, supplied, among)
        injection = known_injection(headers[0], frames, supplied)
        if supplied.decay_corrected_to is None:
            timing, notes = timing_of(headers, frames, injection)
        else:
            timing, notes = _supplied_timing(headers, frames, injection, supplied)
        return timing, (*frames.notes, *injection.notes, *notes)
    except BadInput as refusal:
        if quantity is Quantity.ACTIVITY_CONCENTRATION:
            raise
        return None, (f"No timing: {refusal.refused}",)


def known_frames(headers: Sequence[Any], supplied: Supplied, among: Sequence[Any] | None = None) -> Frames:
    """Return when the slices were acquired, by header and by what is supplied."""
    if supplied.start is None:
        frames = frames_of(headers, among)
    else:
        durations = tuple((header.positive(h, "ActualFrameDuration") or 0.0) / 1000 for h in headers)
        frames = Frames(supplied.start, supplied.start, (supplied.start,) * len(headers), durations)
        frames = replace(frames, end=frames.start + timedelta(seconds=max(durations)))
    if supplied.duration_s is not None:
        frames = replace(frames, end=frames.start + timedelta(seconds=supplied.duration_s))
    if not frames.duration_s > 0:
        frames = replace(frames, notes=(*frames.notes, NO_DURATION))
    return frames


def known_injection(head: Any, frames: Frames, supplied: Supplied) -> Injected:
    """Return what is known about the injection, by header and by what is supplied."""
    found = injected(head, frames.start)
    if supplied.administered_at is not None:
        found = replace(found, time=supplied.administered_at, missing=None)
    if supplied.half_life_s is not None:
        found = replace(found, half_life_s=supplied.half_life_s)
    return found


def require_all_slices(headers: Sequence[Any], what: str) -> None:
    """Refuse fewer slices than Number of Slices (0054,0081) states: a slice missing at an end leaves no gap."""
    stated = header.positive(headers[0], "NumberOfSlices")
    if stated is not None and len(headers) < stated:
        raise IncompleteSeries(
            f"{what} has {len(headers)} of {stated:.0f} slices that it states.", "Supply the missing slices."
        )


def _supplied_timing(
    headers: Sequence[Any], frames: Frames, injection: Injected, supplied: Supplied
) -> tuple[Timing, tuple[str, ...]]:
    given = supplied.decay_corrected_to
    if isinstance(given, datetime) or given is None:
        to = given
    else:
        scan, _ = scan_start(headers, frames, injection.half_life_s)
        to = instant_of(given, scan, injection)
    note = f"Decay correction to '{given}' was supplied; the header's tags were not consulted."
    return Timing(frames.start, frames.duration_s, to), (note,)


def _private_number(head: Any, element: int) -> float | None:
    value = header.private(head, 0x7053, "Philips PET Private Group", element)
    try:
        number = float(value)
    except ValueError:
        return None
    return number if number > 0 else None
