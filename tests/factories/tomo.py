"""Tomographic acquisitions of a point source, as vendors of several conventions would store them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from factories import camera, dicom

COLUMNS, ROWS, PIXEL, SLICE = 21, 9, 8.0, 6.0
UP = {"S": (0, -1), "P": (0, 1), "DR": (1, 0), "DL": (-1, 0)}


@dataclass(frozen=True)
class Scan:
    """How a point is seen: where the axis lies, how the heads turn, and what the vendor writes."""

    axis: tuple[float, float, float]
    point: tuple[float, float, float]
    start: float = 180.0
    clockwise: bool = True
    heads: int = 1
    between: float = 180.0  # degrees from one head to the next
    radius: float = 150.0
    to_feet: bool = True
    mirrored: bool = False
    position: str = "HFS"
    writes: str = "corner"
    views: int = 24

    def angles(self, head: int) -> NDArray[np.float64]:
        step = (360.0 / self.views) * (-1 if self.clockwise else 1)
        arc = np.arange(self.views // self.heads) if self.covers() else np.arange(self.views)
        return (self.start + head * self.between + step * arc) % 360

    def covers(self) -> bool:
        """Whether heads that each turn through their share see all directions."""
        return self.heads > 1 and np.isclose(self.heads * self.between % 360, 0)


def bins(angle: float) -> NDArray[np.float64]:
    """The direction in which bins rise: as seen from the detector's side, from the patient's right to left in front."""
    theta = np.deg2rad(angle)
    return np.array([-np.cos(theta), np.sin(theta), 0])


def normal(angle: float) -> NDArray[np.float64]:
    """From the axis to the detector."""
    theta = np.deg2rad(angle)
    return np.array([np.sin(theta), np.cos(theta), 0])


def point_views(scan: Scan) -> NDArray[np.uint16]:
    """Counts (views, rows, columns): the point shared among the four pixels about it."""
    offset = np.subtract(scan.point, scan.axis)
    row = offset[2] / (-SLICE if scan.to_feet else SLICE)
    planes = []
    for head in range(scan.heads):
        for angle in scan.angles(head):
            column = offset @ bins(angle) / PIXEL + (COLUMNS - 1) / 2
            if scan.mirrored:
                column = COLUMNS - 1 - column
            planes.append(np.outer(_shared(row, ROWS), _shared(column, COLUMNS)) * 20000)
    return np.round(planes).astype(np.uint16)


def _shared(place: float, size: int) -> NDArray[np.float64]:
    return np.maximum(0, 1 - np.abs(np.arange(size) - place))


def stored(scan: Scan, **tags: Any) -> Dataset:
    """The acquisition as an object."""
    views = len(scan.angles(0))
    heads = [_detector(scan, head) for head in range(scan.heads)]
    rotation = dicom.item(
        StartAngle=dicom.ds(scan.start),
        AngularStep=dicom.ds(360 / scan.views),
        ScanArc=dicom.ds(views * 360 / scan.views),
        RotationDirection="CW" if scan.clockwise else "CC",
        ActualFrameDuration=20000,
        NumberOfFramesInRotation=views,
        TableHeight=dicom.ds(_height(scan)),
        TableTraverse=dicom.ds(-500),
    )
    facts: dict[str, Any] = {
        "PixelSpacing": [SLICE, PIXEL],
        "PatientPosition": scan.position,
        "EnergyWindowVector": [1] * views * scan.heads,
        "DetectorVector": [h + 1 for h in range(scan.heads) for _ in range(views)],
        "RotationVector": [1] * views * scan.heads,
        "AngularViewVector": list(range(1, views + 1)) * scan.heads,
        "RotationInformationSequence": [rotation],
        "DetectorInformationSequence": heads,
    }
    facts.update(tags)
    return camera.camera(point_views(scan), "TOMO", **facts)


def _height(scan: Scan) -> float:
    """How far the table lies below the axis where its top is at 0."""
    return float(np.dot(scan.axis[:2], UP[scan.position[2:]]))


def _detector(scan: Scan, head: int) -> Dataset:
    start = float(scan.angles(head)[0])
    width = (COLUMNS - 1) / 2 * PIXEL
    axis = np.array(scan.axis)
    row = -bins(start) if scan.mirrored else bins(start)
    down = [0, 0, -1 if scan.to_feet else 1]
    orientation: Any = [*row, *down]
    if scan.writes == "view":
        place = axis + scan.radius * normal(start) - width * row
    elif scan.writes == "view through axis":
        place = axis - width * row
    elif scan.writes == "corner":
        place, orientation = axis - (width, width, 0), [1, 0, 0, 0, 1, 0]
    elif scan.writes == "axis":
        place, orientation = axis, [1, 0, 0, *down]
    else:
        height = np.abs([*UP[scan.position[2:]], 0])
        place, orientation = axis * (1 - height), None
    tags: dict[str, Any] = {
        "ImagePositionPatient": [dicom.ds(round(x, 3)) for x in place],
        "ImageOrientationPatient": None if orientation is None else [dicom.ds(round(x, 6)) for x in orientation],
        "StartAngle": dicom.ds(start),
        "RadialPosition": [dicom.ds(scan.radius)],
    }
    return camera.detector(**tags)
