"""Tomographic gamma camera objects to projections."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hevesy.core import EnergyWindow, Projections, Provenance
from hevesy.errors import MissingInformation
from hevesy.stages.imaging import header
from hevesy.stages.imaging.axis_of_rotation import Found, find_axis, first_view
from hevesy.stages.imaging.camera_frames import (
    acquisition_length_s,
    camera_timing,
    energy_windows,
    frame_counts,
    frame_vectors,
    lossy_notes,
    pick,
    pixel_mm,
    timing_notes,
)


def read_projections(head: Any, path: Path, what: str) -> tuple[Projections, ...]:
    """Read the projections of every energy window, and of every gate where there are several.

    Returns
    -------
    tuple of Projections
        In order of energy window, then of gate; views in order of rotation, detector and angular view.

    Raises
    ------
    MissingInformation
        If the angles are not stated.
    UnreadableFile
        If the object is damaged, or its frame vectors do not fit its frames.
    """
    counts = frame_counts(path, head)
    vectors = frame_vectors(head)
    windows = energy_windows(head)
    angles, durations = _angles_and_durations(head, vectors, what)
    length_s, length_notes = acquisition_length_s(head)
    radii = _radii(head, vectors)
    found = _placement(head, vectors, angles, radii, what)
    counts = counts[..., ::-1] if found.mirrored else counts
    notes = (*timing_notes(head), *length_notes, *lossy_notes(head), *found.notes)
    if radii is None:
        notes = (*notes, "The distance of the detectors from the axis (0018,1142) is not stated.")
    keys = np.stack([vectors["window"], vectors["interval"], vectors["slot"]], axis=1)
    made = []
    for key in np.unique(keys, axis=0):
        chosen = np.flatnonzero((keys == key).all(axis=1))
        made.append(
            Projections(
                counts=counts[chosen],
                angles_deg=angles[chosen],
                pixel_mm=pixel_mm(head, what),
                radii_mm=None if radii is None else radii[chosen],
                detectors=vectors["detector"][chosen],
                durations_s=None if durations is None else durations[chosen],
                window=pick(windows, int(key[0]), EnergyWindow()),
                timing=camera_timing(head, length_s),
                frame_of_reference=header.text(head, "FrameOfReferenceUID") or None,
                placement=found.placement,
                provenance=Provenance(f"DICOM series {header.text(head, 'SeriesInstanceUID')}", notes=notes),
            )
        )
    return tuple(made)


def _angles_and_durations(
    head: Any, vectors: dict[str, NDArray[np.int64]], what: str
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Return the angle and length of every frame, degrees and s.

    A detector starts at its own Start Angle, or at that of the rotation, and steps with the rotation's direction:
    CW falls, CC rises (PS3.3 C.8.4.11).
    """
    rotations = header.items(head, "RotationInformationSequence")
    detectors = header.items(head, "DetectorInformationSequence")
    if not rotations:
        raise MissingInformation(f"{what} has no Rotation Information Sequence, so that its angles are unknown.")
    angles = np.zeros(len(vectors["view"]))
    durations = np.zeros(len(vectors["view"]))
    for frame in range(len(angles)):
        rotation = pick(rotations, int(vectors["rotation"][frame]), rotations[0])
        detector = pick(detectors, int(vectors["detector"][frame]), None)
        start = header.number(detector, "StartAngle") if detector is not None else None
        start = header.number(rotation, "StartAngle") if start is None else start
        step = header.number(rotation, "AngularStep")
        direction = header.text(rotation, "RotationDirection").upper()
        if start is None or step is None or direction not in ("CW", "CC"):
            raise MissingInformation(f"{what} does not state start angle, angular step and direction of its rotation.")
        signed = step if direction == "CC" else -step
        angles[frame] = (start + (int(vectors["view"][frame]) - 1) * signed) % 360
        durations[frame] = (header.number(rotation, "ActualFrameDuration") or 0.0) / 1000
    return angles, durations if durations.all() else None


def _radii(head: Any, vectors: dict[str, NDArray[np.int64]]) -> NDArray[np.float64] | None:
    """Return the distance of the detector at every frame, mm: one for a circle, or one for each angular view."""
    rotations = header.items(head, "RotationInformationSequence")
    detectors = header.items(head, "DetectorInformationSequence")
    radii = np.zeros(len(vectors["view"]))
    for frame in range(len(radii)):
        sources = (
            pick(detectors, int(vectors["detector"][frame]), None),
            pick(rotations, int(vectors["rotation"][frame]), None),
        )
        for source in sources:
            values = None if source is None else header.numbers(source, "RadialPosition")
            if values is None:
                continue
            view = int(vectors["view"][frame])
            radius = float(values[0] if values.size == 1 else values[view - 1] if view <= values.size else 0)
            if radius > 0:
                radii[frame] = radius
                break
    return radii if radii.all() else None


def _placement(
    head: Any,
    vectors: dict[str, NDArray[np.int64]],
    angles: NDArray[np.float64],
    radii: NDArray[np.float64] | None,
    what: str,
) -> Found:
    """Find the axis of rotation from the first view of every detector."""
    detectors = header.items(head, "DetectorInformationSequence")
    views = []
    for number in np.unique(vectors["detector"]):
        detector = pick(detectors, int(number), head)
        first = int(np.lexsort((vectors["view"], vectors["detector"] != number))[0])
        view = first_view(detector, float(angles[first]), None if radii is None else float(radii[first]))
        if view is not None:
            views.append(view)
    return find_axis(head, views, pixel_mm(head, what)[1] * (header.whole(head, "Columns") - 1))
