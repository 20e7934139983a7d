"""Whole-body views of the patient of `therapy_case`, whose trunk goes on above and below the SPECT; by closed form."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from pydicom.dataset import Dataset
from scipy.ndimage import gaussian_filter

from factories import camera, dicom, therapy_case

PIXEL_MM = 4.0
ROWS, COLUMNS = 160, 80
#: patient coordinates of the outer corner of the first pixel: left edge (x) and upper edge (z), mm
LEFT_MM, TOP_MM = -167.0, 403.0
TRUNK_Z_MM = (-180.0, 361.0)
DURATION_S = 900.0
#: water at 208 keV, 1/mm, and counts per s per Bq that no one needs to know
MU_PER_MM, SENSITIVITY = 0.0137, 3.1e-5
#: samples along a pixel's side
_FINE = 4


def _edges(box: tuple[tuple[int, int], ...], axis: int) -> tuple[float, float]:
    low, high = ((end - 0.5) * therapy_case.VOXEL_MM + therapy_case.ORIGIN_MM[axis] for end in box[axis])
    return low, high


def _line(parts: list[tuple[float, float, float]], front: float, back: float) -> np.ndarray:
    """Counts from the front and from behind of stretches of a line: concentration, from, to (mm)."""
    mu = MU_PER_MM
    ahead = sum(c * (np.exp(-mu * (a - front)) - np.exp(-mu * (b - front))) / mu for c, a, b in parts)
    behind = sum(c * (np.exp(-mu * (back - b)) - np.exp(-mu * (back - a))) / mu for c, a, b in parts)
    return np.array([ahead, behind])


def counts(start_s: float, moved_mm: tuple[float, float]) -> np.ndarray:
    """Expected counts of both heads (2, rows, columns), the posterior one as a camera shows it; moved along x and z."""
    x = LEFT_MM + (np.arange(COLUMNS * _FINE) + 0.5) * PIXEL_MM / _FINE - moved_mm[0]
    z = TOP_MM - (np.arange(ROWS * _FINE) + 0.5) * PIXEL_MM / _FINE - moved_mm[1]
    mean = {}
    for name, (peak, half_life) in therapy_case.WASHOUT.items():
        rate = np.log(2) / half_life
        mean[name] = peak * np.exp(-rate * start_s) * -np.expm1(-rate * DURATION_S) / (rate * DURATION_S)
    front, back = _edges(therapy_case.BODY, 1)

    def within(box: tuple[tuple[int, int], ...]) -> tuple[np.ndarray, np.ndarray]:
        (left, right), (low, high) = _edges(box, 0), _edges(box, 2)
        return (z > low) & (z < high), (x > left) & (x < right)

    fine = np.zeros((2, z.size, x.size))
    trunk = (z > TRUNK_Z_MM[0]) & (z < TRUNK_Z_MM[1])
    body = mean["body"]
    beside = within(therapy_case.BODY)[1]
    fine[np.ix_([True, True], trunk, beside)] = _line([(body, front, back)], front, back)[:, None, None]
    for name, box in (("organ", therapy_case.ORGAN), ("lesion", therapy_case.LESION)):
        near, far = _edges(box, 1)
        rows, columns = within(box)
        value = _line([(body, front, near), (mean[name], near, far), (body, far, back)], front, back)
        fine[np.ix_([True, True], rows, columns)] = value[:, None, None]
    mL_per_mm = (PIXEL_MM / _FINE) ** 2 * 1e-3
    pixels = fine.reshape(2, ROWS, _FINE, COLUMNS, _FINE).sum(axis=(2, 4)) * mL_per_mm * SENSITIVITY * DURATION_S
    return np.stack([pixels[0], pixels[1][:, ::-1]])


#: counts in the peak per keV, over those of all photons, and the slope over the peak's width, of what scattered
SCATTER = 0.4
PEAK_KEV = (187.0, 229.0)
#: the windows of a study, in the order in which they are stored
WINDOWS = {
    "peak": (("208 keV", PEAK_KEV),),
    "triple": (("below", (166.0, 187.0)), ("208 keV", PEAK_KEV), ("above", (229.0, 250.0))),
    "above": (("208 keV", PEAK_KEV), ("above", (229.0, 250.0))),
    "two peaks": (("113 keV", (101.0, 124.0)), ("208 keV", PEAK_KEV)),
    "off peak": (("a", (166.0, 187.0)), ("b", (229.0, 250.0))),
}


def scattered(primary: np.ndarray) -> np.ndarray:
    """Scatter in the photopeak: broad, and everywhere where photons go."""
    return SCATTER * np.stack([gaussian_filter(side, 40.0 / PIXEL_MM) for side in primary])


def in_window(name: str, primary: np.ndarray, limits: tuple[float, float], scatter: bool) -> np.ndarray:
    """Expected counts of both heads in a window: photons in the peak, scatter that falls with energy in a line."""
    middle, whole = sum(PEAK_KEV) / 2, PEAK_KEV[1] - PEAK_KEV[0]
    share = (limits[1] - limits[0]) / whole * (1 - 0.8 * (sum(limits) / 2 - middle) / whole)
    mean = scattered(primary) * share if scatter else np.full_like(primary, 1e-9)
    return mean + (primary if name in ("113 keV", "208 keV") else 0.0)


def scan(
    hours: float,
    number: int,
    moved_mm: tuple[float, float] = (0.0, 0.0),
    views: tuple[str, ...] = ("Anterior", "Posterior"),
    windows: str = "peak",
) -> Dataset:
    """One whole-body scan with counting noise, in the windows of a study; where there are several, with scatter."""
    start = therapy_case.INJECTED + timedelta(hours=hours)
    primary, rng = counts(hours * 3600.0, moved_mm), np.random.default_rng(number)
    kept = [("Anterior", "Posterior").index(view) for view in views]
    codes = [dicom.item(CodeValue="x", CodingSchemeDesignator="99TEST", CodeMeaning=view) for view in views]
    study = WINDOWS[windows]
    frames = [rng.poisson(in_window(name, primary, limits, len(study) > 1))[kept] for name, limits in study]
    return camera.camera(
        np.concatenate(frames).astype(np.uint16),
        "WHOLE BODY",
        PixelSpacing=[PIXEL_MM, PIXEL_MM],
        DetectorVector=list(range(1, len(views) + 1)) * len(study),
        DetectorInformationSequence=[camera.detector(ViewCodeSequence=[code]) for code in codes],
        EnergyWindowInformationSequence=[camera.window(*limits, name) for name, limits in study],
        EnergyWindowVector=[k for k in range(1, len(study) + 1) for _ in views],
        ActualFrameDuration=int(DURATION_S * 1000),
        SeriesDescription=f"Whole body {number}",
        SeriesInstanceUID=f"1.2.3.7.{number}",
        AcquisitionDate=f"{start:%Y%m%d}",
        AcquisitionTime=f"{start:%H%M%S}",
    )
