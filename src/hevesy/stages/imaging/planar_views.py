"""Whole body, static, dynamic and gated gamma camera objects to planar views."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hevesy.core import EnergyWindow, PlanarView, Provenance
from hevesy.stages.imaging import header
from hevesy.stages.imaging.camera_frames import (
    camera_timing,
    energy_windows,
    frame_counts,
    frame_vectors,
    lossy_notes,
    pick,
    pixel_mm,
    timing_notes,
)


def read_planar(head: Any, path: Path, what: str) -> tuple[PlanarView, ...]:
    """Read every frame of a planar object, in the order of its frames.

    Parameters
    ----------
    head : Dataset
        Its header.
    path : Path
        Its file.
    what : str
        What to call it in a refusal.

    Raises
    ------
    UnreadableFile
        If it is damaged, or its frame vectors do not fit its frames.
    BadInput
        If it has no pixel spacing.
    """
    counts = frame_counts(path, head)
    vectors = frame_vectors(head)
    windows = energy_windows(head)
    detectors = header.items(head, "DetectorInformationSequence")
    size = pixel_mm(head, what)
    provenance = Provenance(
        f"DICOM series {header.text(head, 'SeriesInstanceUID')}", notes=(*timing_notes(head), *lossy_notes(head))
    )
    views = []
    for frame, plane in enumerate(counts):
        offset_s, duration_s = _place_in_time(head, int(vectors["phase"][frame]), int(vectors["time"][frame]))
        number = int(vectors["detector"][frame])
        views.append(
            PlanarView(
                plane,
                size,
                number,
                pick(windows, int(vectors["window"][frame]), EnergyWindow()),
                camera_timing(head, duration_s, offset_s),
                _view_name(pick(detectors, number, None)),
                provenance,
            )
        )
    return tuple(views)


def _place_in_time(head: Any, phase: int, time: int) -> tuple[float, float]:
    """Return a frame's start after that of the acquisition, and its length, s (PS3.3 C.8.4.14)."""
    phases = header.items(head, "PhaseInformationSequence")
    if not phases:
        return 0.0, _seconds(head, "ActualFrameDuration")
    start = 0.0
    for earlier in phases[: phase - 1]:
        frames = header.number(earlier, "NumberOfFramesInPhase") or 0.0
        start += _seconds(earlier, "PhaseDelay") + frames * _step(earlier)
    own = phases[min(phase, len(phases)) - 1]
    return start + _seconds(own, "PhaseDelay") + (time - 1) * _step(own), _seconds(own, "ActualFrameDuration")


def _step(phase: Any) -> float:
    return _seconds(phase, "ActualFrameDuration") + _seconds(phase, "PauseBetweenFrames")


def _seconds(item: Any, keyword: str) -> float:
    return (header.number(item, keyword) or 0.0) / 1000


def _view_name(detector: Any | None) -> str:
    codes = header.items(detector, "ViewCodeSequence") if detector is not None else ()
    return header.text(codes[0], "CodeMeaning").lower() if codes else ""
