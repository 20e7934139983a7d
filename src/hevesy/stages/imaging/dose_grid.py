"""RTDOSE to an image of absorbed dose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from hevesy.core import Grid, Image, Provenance, Quantity
from hevesy.errors import IncompleteSeries, MissingInformation, WrongQuantity
from hevesy.stages.imaging import header
from hevesy.stages.imaging.pixels import stored_pixels


def read_dose(head: Any, path: Path, what: str) -> Image:
    """Read an RTDOSE grid.

    Returns
    -------
    Image
        Absorbed dose, Gy: stored integers times Dose Grid Scaling (3004,000E).

    Raises
    ------
    WrongQuantity
        If Dose Units (3004,0002) are not GY, or the dose is an error or a difference.
    MissingInformation
        If scaling or place is not stated.
    IncompleteSeries
        If the frame offsets are uneven.
    UnreadableFile
        If the pixels cannot be decoded.
    """
    units = header.text(head, "DoseUnits").upper()
    if units != "GY":
        raise WrongQuantity(f"{what} holds dose in {units or 'no unit'}, not in GY, so that it means no absorbed dose.")
    kind = header.text(head, "DoseType").upper()
    if kind not in ("PHYSICAL", "EFFECTIVE"):
        raise WrongQuantity(f"{what} holds a dose of type {kind or 'unknown'}; PHYSICAL was expected.")
    scaling = header.positive(head, "DoseGridScaling")
    if scaling is None:
        raise MissingInformation(f"{what} does not state Dose Grid Scaling (3004,000E).")
    stored = stored_pixels(path)
    stored = stored[None] if stored.ndim == 2 else stored
    grid, backwards = _grid(head, stored.shape, what)
    values = (stored.astype(np.float64) * scaling).astype(np.float32)
    values = values[::-1] if backwards else values
    source = f"DICOM series {header.text(head, 'SeriesInstanceUID')}"
    notes = () if kind == "PHYSICAL" else ("The dose is EFFECTIVE: weighted for biological effect by its maker.",)
    return Image(np.ascontiguousarray(values.T), grid, Quantity.ABSORBED_DOSE, None, Provenance(source, notes=notes))


def _grid(head: Any, shape: tuple[int, ...], what: str) -> tuple[Grid, bool]:
    position = header.vector(head, "ImagePositionPatient", 3)
    directions = header.vector(head, "ImageOrientationPatient", 6)
    spacing = header.vector(head, "PixelSpacing", 2)
    if position is None or directions is None or spacing is None:
        raise MissingInformation(f"{what} does not state position, orientation and pixel spacing.")
    row, column = directions[:3], directions[3:]
    normal = np.cross(row, column)
    offsets = header.vector(head, "GridFrameOffsetVector", shape[0])
    thickness = header.positive(head, "SliceThickness")
    if (offsets is None and shape[0] > 1) or (thickness is None and shape[0] == 1):
        raise MissingInformation(f"{what} does not state Grid Frame Offset Vector (3004,000C).")
    offsets = np.zeros(1) if offsets is None else offsets
    steps = np.diff(offsets) if shape[0] > 1 else np.array([thickness])
    if np.ptp(steps) > 0.01 or not steps[0]:
        raise IncompleteSeries(f"{what} has planes at uneven distances ({steps.min():.4g} to {steps.max():.4g} mm).")
    relative = offsets - offsets[0] if offsets[0] == 0 else offsets - position @ normal
    first = min(relative[0], relative[-1])
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = row * spacing[1], column * spacing[0]
    affine[:3, 2] = normal * abs(float(steps.mean()))
    affine[:3, 3] = position + normal * first
    frame = header.text(head, "FrameOfReferenceUID") or None
    return Grid((shape[2], shape[1], shape[0]), affine, frame), bool(steps[0] < 0)
