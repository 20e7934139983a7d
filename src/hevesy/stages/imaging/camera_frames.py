"""The frames of a gamma camera object: which window, detector, phase, rotation, gate and slice each one is."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from hevesy.core import EnergyWindow, Timing
from hevesy.errors import BadInput, UnreadableFile
from hevesy.stages.imaging import header
from hevesy.stages.imaging.pixels import rescaled, stored_pixels

T = TypeVar("T")

#: PS3.3 C.8.4.8: what tells frames apart
VECTORS = {
    "window": "EnergyWindowVector",
    "detector": "DetectorVector",
    "phase": "PhaseVector",
    "rotation": "RotationVector",
    "interval": "RRIntervalVector",
    "slot": "TimeSlotVector",
    "slice": "SliceVector",
    "view": "AngularViewVector",
    "time": "TimeSliceVector",
}


#: numbers that frames get by their order where the vector is absent
COUNTABLE = ("slice", "view", "time")


def frame_vectors(head: Any) -> dict[str, NDArray[np.int64]]:
    """Return for every frame its number, from 1, in each of `VECTORS`.

    Where a vector is absent, slices, angular views and time slices are counted in the order of frames within their
    window, detector, phase, rotation and gate; of everything else there is one.

    Raises
    ------
    UnreadableFile
        If a vector does not have one number for each frame.
    """
    frames = header.frames(head)
    found = {}
    for name, keyword in VECTORS.items():
        vector = header.numbers(head, keyword)
        if vector is not None and vector.shape != (frames,):
            raise UnreadableFile(f"{keyword} has {vector.size} numbers for {frames} frames.")
        if vector is not None:
            found[name] = vector.astype(np.int64)
    order = _order_within(list(found.values()), frames)
    ones = np.ones(frames, np.int64)
    return {name: found.get(name, order if name in COUNTABLE else ones) for name in VECTORS}


def _order_within(vectors: list[NDArray[np.int64]], frames: int) -> NDArray[np.int64]:
    """Return the place, from 1, of each frame among those that share all the numbers given."""
    seen: Counter[tuple[int, ...]] = Counter()
    order = np.empty(frames, np.int64)
    for frame in range(frames):
        group = tuple(int(v[frame]) for v in vectors)
        seen[group] += 1
        order[frame] = seen[group]
    return order


def frame_counts(path: Path, head: Any) -> NDArray[np.float32]:
    """Decode and rescale every frame: (frames, rows, columns).

    Raises
    ------
    UnreadableFile
        If the pixels cannot be decoded or are not as many as the header says.
    """
    counts = rescaled(stored_pixels(path), head)
    counts = counts[None] if counts.ndim == 2 else counts
    if len(counts) != header.frames(head):
        raise UnreadableFile(f"{path.name} holds {len(counts)} frames and states {header.frames(head)}.")
    return counts


def energy_windows(head: Any) -> tuple[EnergyWindow, ...]:
    """Return the energy windows in their order; ranges that are absent or do not rise are left out."""
    windows = []
    for item in header.items(head, "EnergyWindowInformationSequence"):
        ranges = []
        for limits in header.items(item, "EnergyWindowRangeSequence"):
            lower = header.number(limits, "EnergyWindowLowerLimit")
            upper = header.number(limits, "EnergyWindowUpperLimit")
            if lower is not None and upper is not None and 0 <= lower < upper:
                ranges.append((lower, upper))
        windows.append(EnergyWindow(tuple(ranges), header.text(item, "EnergyWindowName")))
    return tuple(windows)


def pick(things: tuple[T, ...], number: int, default: T) -> T:
    """Return the thing of a number counted from 1, or the default where there are fewer."""
    return things[number - 1] if 1 <= number <= len(things) else default


def pixel_mm(head: Any, what: str) -> tuple[float, float]:
    """Return the distance between rows and between columns, mm.

    Raises
    ------
    BadInput
        If Pixel Spacing (0028,0030) is absent or not positive.
    """
    spacing = header.vector(head, "PixelSpacing", 2)
    if spacing is None or spacing.min() <= 0:
        raise BadInput(f"{what} does not state its Pixel Spacing (0028,0030).", "Its counts have no size without it.")
    return float(spacing[0]), float(spacing[1])


def camera_timing(head: Any, duration_s: float, offset_s: float = 0.0) -> Timing | None:
    """Return when frames were acquired, offset from the acquisition's start; None where no date and time are stated.

    Gamma camera objects have no Decay Correction tag. Corrected Image DECY means that views were brought to the
    start of the acquisition.
    """
    start = header.instant(head, "AcquisitionDate", "AcquisitionTime")
    if start is None:
        return None
    corrected = "DECY" in header.words(head, "CorrectedImage")
    return Timing(start + timedelta(seconds=offset_s), duration_s, start if corrected else None)


def timing_notes(head: Any) -> tuple[str, ...]:
    """Tell what was assumed or is missing about time."""
    if header.instant(head, "AcquisitionDate", "AcquisitionTime") is None:
        return ("No timing: no date and time of acquisition (0008,0022), (0008,0032).",)
    if "DECY" in header.words(head, "CorrectedImage"):
        return ("Corrected Image lists DECY and no tag names the instant; the start of acquisition is taken for it.",)
    return ()


def lossy_notes(head: Any) -> tuple[str, ...]:
    """Tell of lossy compression, which changes counts."""
    if header.text(head, "LossyImageCompression") == "01":
        ratio = header.text(head, "LossyImageCompressionRatio")
        return (f"Pixels went through lossy compression{f' ({ratio}:1)' if ratio else ''}: counts are not exact.",)
    return ()


def acquisition_length_s(head: Any) -> tuple[float, tuple[str, ...]]:
    """Return how long a tomographic acquisition lasted, s, and what was doubtful about it; 0 where nothing tells.

    A reconstruction often carries its number of slices as Number of Frames in Rotation; where that contradicts the
    arc and the angular step, these are believed.
    """
    stated = header.positive(head, "ActualFrameDuration")
    if stated is not None:
        return stated / 1000, ()
    length, notes = 0.0, []
    for rotation in header.items(head, "RotationInformationSequence"):
        frames = header.number(rotation, "NumberOfFramesInRotation") or 0.0
        arc, step = header.positive(rotation, "ScanArc"), header.positive(rotation, "AngularStep")
        if arc is not None and step is not None and round(arc / step) != frames:
            notes.append(
                f"{frames:.0f} frames in rotation contradict {arc:g} degrees in steps of {step:g}; the arc is believed"
                f" ({arc / step:.0f} views, one after another)."
            )
            frames = round(arc / step)
        length += frames * (header.number(rotation, "ActualFrameDuration") or 0.0) / 1000
    return length, tuple(notes)
