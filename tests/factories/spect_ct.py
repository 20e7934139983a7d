"""A patient on a table seen by SPECT and CT in one frame of reference, off the scanner's middle."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from factories import dicom
from hevesy.core import Administration, EnergyWindow, Grid, Image, Measured, Patient, Placement, Projections, Quantity
from hevesy.core import Timing as When
from hevesy.data.collimators import collimator
from hevesy.data.nuclides import nuclide
from hevesy.physics.attenuation_map import attenuation_from_hounsfield
from hevesy.stages.imaging.camera_writer import Session, tomographic
from hevesy.stages.quantification.reconstruction import Orbit, SystemModel
from hevesy.stages.quantification.reconstruction.acquisition import lattice_of
from hevesy.stages.quantification.reconstruction.photons import photons_above
from hevesy.stages.quantification.reconstruction.response import SharpenedResponse, collimator_response
from hevesy.stages.quantification.reconstruction.simulated_scatter import Detection, scattered
from hevesy.stages.registration.averaging import average

SIDE, ROWS, PIXEL, VIEWS, SECONDS = 28, 8, 9.0, 40, 30.0
FRAME, START = "1.2.826.0.1.3680043.8.498.77", datetime(2024, 3, 6, 9, 30)
ISOCENTRE = np.array([12.0, -35.0, 900.0])  # middle of the detectors on the axis
KNOWN = 8e4  # Bq/mL
FACTOR = 1.2e-5  # counts per second and becquerel
DECAY = np.log(2) / (6.647 * 86400)
WINDOWS = (EnergyWindow(((187.56, 229.24),), "208"), EnergyWindow(((166.72, 187.56),), "lower"))


def placed() -> Projections:
    """Empty projections where the camera stands: two heads, anterior and posterior at the start."""
    half = VIEWS // 2
    arc = -9.0 * np.arange(half)
    radii = 160.0 + 25 * np.abs(np.cos(np.deg2rad(arc)))
    top = (ISOCENTRE[0], ISOCENTRE[1], ISOCENTRE[2] + (ROWS - 1) / 2 * PIXEL)
    return Projections(
        np.zeros((VIEWS, ROWS, SIDE)),
        np.concatenate([180 + arc, arc]) % 360,
        (PIXEL, PIXEL),
        np.concatenate([radii, radii]),
        np.repeat([1, 2], half),
        np.full(VIEWS, SECONDS),
        WINDOWS[0],
        When(START, SECONDS * half),
        FRAME,
        Placement(top),
    )


def hounsfield(size: int = 112, spacing: float = 2.5, thick: float = 4.0, slices: int = 24) -> Image:
    """CT numbers: water, a spine of 600 HU, a lung of −700 HU, and a table under the back."""
    origin = ISOCENTRE - np.array([(size - 1) / 2 * spacing, (size - 1) / 2 * spacing, (slices - 1) / 2 * thick])
    grid = Grid.regular((size, size, slices), (spacing, spacing, thick), tuple(origin), FRAME)
    x, y, _ = np.moveaxis(grid.to_mm(np.stack(np.meshgrid(*map(np.arange, grid.shape), indexing="ij"), -1)), -1, 0)
    x, y = x - ISOCENTRE[0], y - ISOCENTRE[1]
    values = np.full(grid.shape, -1000.0)
    values[(np.abs(x) < 100) & (np.abs(y - 85) < 6)] = -50
    values[(x / 95) ** 2 + (y / 70) ** 2 < 1] = 0
    values[np.hypot(x + 45, y) < 22] = -700
    values[np.hypot(x, y - 45) < 14] = 600
    return Image(values, grid, Quantity.HOUNSFIELD)


def activity(grid: Grid) -> NDArray[np.float64]:
    """Bq/mL at the start of the scan: a kidney's worth on the patient's left, in the middle slices."""
    place = grid.to_mm(np.stack(np.meshgrid(*map(np.arange, grid.shape), indexing="ij"), -1)) - ISOCENTRE
    x, y, z = np.moveaxis(place, -1, 0)
    return KNOWN * ((np.hypot(x - 48, y - 8) < 28) & (np.abs(z) < 28)).astype(float)


def write(folder: Path, *, ct_tags: dict[str, Any] | None = None, days: float = 0.0, followed: int = 0) -> Path:
    """Write ``spect`` and ``ct`` into a folder; scatter of a fifth of the primary counts is in both windows.

    With `days`, the scan is so much later and the activity has decayed since. With `followed` photons, scatter is that
    of the body in their place.
    """
    empty = replace(placed(), timing=When(START + timedelta(days=days), SECONDS * VIEWS / 2))
    ct = hounsfield()
    mu, _ = average(attenuation_from_hounsfield(ct, 208.4), empty.grid)
    response = SharpenedResponse(collimator_response(collimator("Siemens Symbia ME"), 208.4, 3.8), PIXEL)
    system = SystemModel(lattice_of(empty), Orbit(empty.angles_deg, empty.radii_mm), response, mu.values)
    late = np.tile(np.arange(VIEWS // 2) * SECONDS, 2)
    decays = np.exp(-DECAY * late) * -np.expm1(-DECAY * SECONDS) / DECAY
    scale = (
        FACTOR / 2 * PIXEL**3 * 1e-3 * decays * np.exp(-DECAY * 86400 * days)
    )  # the factor is that of both heads together
    seen = system.forward(activity(empty.grid)) * scale[:, None, None]
    counts = np.swapaxes(np.maximum(seen, 0), 1, 2)
    scatter = [np.full_like(counts, np.ceil(0.2 * counts.mean()))] * 2
    if followed:
        detection = Detection(208.366, photons_above(nuclide("Lu-177"), 166.7), WINDOWS)
        besides = scattered(system, activity(empty.grid), detection, followed, 9) * scale[:, None, None]
        scatter = list(np.swapaxes(besides, 2, 3))
    session = Session(
        Patient("SPECT-CT", "F"),
        Administration("Lu-177", datetime(2024, 3, 5, 9, 30), Measured(7.4e9, 1e8, "Bq"), "DOTATATE"),
        "SPECT",
        FRAME,
    )
    made = tomographic([_with(empty, counts + scatter[0], 0), _with(empty, scatter[1], 1)], session)
    dicom.write(folder / "spect", [made])
    stored = np.transpose(ct.values, (2, 1, 0)) + 1024
    slices = dicom.ct(
        stored.astype(np.uint16),
        spacing_mm=ct.grid.spacing_mm,
        origin_mm=ct.grid.affine[:3, 3],
        **({"FrameOfReferenceUID": FRAME, "PatientID": "SPECT-CT", "KVP": dicom.ds(120)} | (ct_tags or {})),
    )
    dicom.write(folder / "ct", slices)
    return folder


def _with(empty: Projections, counts: NDArray[np.float64], window: int) -> Projections:
    return replace(empty, counts=np.round(counts), window=WINDOWS[window])
