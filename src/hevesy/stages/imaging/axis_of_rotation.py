"""Where the axis of rotation lies in the patient, from what vendors write about their projections.

Image Position (Patient) and Image Orientation (Patient) of the Detector Information Sequence are defined for planes of
images; for projections vendors write one of three things:

view
    the middle of the first pixel of the detector's first view, with the directions of its rows and columns;
corner
    the middle of the first voxel of the transverse slices that the projections reconstruct to;
axis
    a point of the axis itself; where its height is 0, heights are counted from the table's top.

The readings differ by about half a field of view, and a patient lies in the middle of the table. The first is believed
where the stated directions fit the angles and it puts the axis within a quarter of a field of view of the table's
middle line; otherwise the one of the others that puts it nearer. Which was taken is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hevesy.core import Placement
from hevesy.core.placement import POSITIONS
from hevesy.stages.imaging import header

Vector = NDArray[np.float64]
#: cosines this near to 1 or 0 are taken for it: vendors write few decimals
SAME_DIRECTION = 0.02
#: part of the field of view that the axis may lie beside the middle line of the table
BESIDE = 0.25
SIDES = {"supine": "S", "prone": "P", "right lateral decubitus": "DR", "left lateral decubitus": "DL"}


@dataclass(frozen=True, slots=True, eq=False)
class FirstView:
    """What an object says of a detector's first view.

    Parameters
    ----------
    angle_deg : float
        Where the detector stood, as in `hevesy.core.Projections`.
    radius_mm : float or None
        Its distance from the axis, mm.
    position_mm : (3,) array
        Image Position (Patient), mm.
    row, column : (3,) array or None
        Image Orientation (Patient).
    """

    angle_deg: float
    radius_mm: float | None
    position_mm: Vector = field(repr=False)
    row: Vector | None = field(default=None, repr=False)
    column: Vector | None = field(default=None, repr=False)

    @property
    def normal(self) -> Vector:
        """From the axis to the detector."""
        theta = np.deg2rad(self.angle_deg)
        return np.array([np.sin(theta), np.cos(theta), 0.0])

    @property
    def turn(self) -> int:
        """1 where the stated rows run as bins do at this angle, −1 where against them, 0 where they do neither."""
        if self.row is None or self.column is None or abs(abs(self.column[2]) - 1) > SAME_DIRECTION:
            return 0
        theta = np.deg2rad(self.angle_deg)
        along = float(self.row @ np.array([-np.cos(theta), np.sin(theta), 0.0]))
        return int(np.sign(along)) if abs(abs(along) - 1) < SAME_DIRECTION else 0


@dataclass(frozen=True, slots=True)
class Found:
    """What was found: the placement, whether stored columns run against the bins, and what was believed."""

    placement: Placement
    mirrored: bool = False
    notes: tuple[str, ...] = ()


def first_view(detector: Any, angle_deg: float, radius_mm: float | None) -> FirstView | None:
    """Read position and orientation of a detector's first view; None where no position is stated."""
    position = header.vector(detector, "ImagePositionPatient", 3)
    directions = header.vector(detector, "ImageOrientationPatient", 6)
    if position is None:
        return None
    if directions is None:
        return FirstView(angle_deg, radius_mm, position)
    return FirstView(angle_deg, radius_mm, position, directions[:3], directions[3:])


def find_axis(head: Any, views: Sequence[FirstView], width_mm: float) -> Found:
    """Find the axis of rotation.

    Parameters
    ----------
    head : Dataset
        The object's header.
    views : sequence of FirstView
        One for each detector; empty where no position is stated.
    width_mm : float
        From the middle of the first column of a projection to that of the last, mm.
    """
    position = patient_position(head)
    rotations = header.items(head, "RotationInformationSequence")
    table = rotations[0] if rotations else head
    height = header.number(table, "TableHeight")
    down = _rows_to_feet(views)
    bare = Placement(None, down is not False, position, height, header.number(table, "TableTraverse"))
    notes = () if down is not None else ("Rows of the projections are taken to run from head to feet.",)
    if not views:
        return Found(bare, notes=(*notes, "No position in the patient is stated: where the axis of rotation lies."))
    turns = {view.turn for view in views}
    mirrored = turns == {-1} and len({round(view.angle_deg, 1) for view in views}) > 1
    whole = turns == {1} or mirrored
    readings = _readings(views, width_mm, bare, whole=whole)
    if whole and "view" not in readings:
        said = "How far the axis of rotation lies behind the detector's first view is not stated: where the axis lies."
        return Found(bare, mirrored, (*notes, said))
    across = 1 if position[2:] in ("DR", "DL") else 0
    near = {name: abs(axis[across]) for name, axis in readings.items()}
    name = "view" if near.pop("view", np.inf) <= BESIDE * width_mm else min(near, key=lambda other: near[other])
    x, y = (float(v) for v in readings[name][:2])
    placed = Placement((x, y, float(views[0].position_mm[2])), *_facts(bare))
    said = f"Image Position (Patient) is read as {MEANING[name]}; the axis of rotation lies at x {x:.1f}, y {y:.1f} mm."
    return Found(placed, mirrored, (*notes, said))


MEANING = {
    "view": "the first pixel of each detector's first view",
    "corner": "the first voxel of the transverse slices",
    "axis": "a point of the axis of rotation",
    "table": "a point of the axis of rotation at the height of the table's top",
}


def _facts(placement: Placement) -> tuple[bool, str, float | None, float | None]:
    return (
        placement.rows_to_feet,
        placement.patient_position,
        placement.table_height_mm,
        placement.table_traverse_mm,
    )


def _readings(views: Sequence[FirstView], width_mm: float, bare: Placement, *, whole: bool) -> dict[str, Vector]:
    """Return where each reading that is possible puts the axis, (2,) mm; the standard's own first."""
    stated = views[0].position_mm[:2]
    found: dict[str, Vector] = {}
    by_view = _axis_of_views(views, width_mm) if whole else None
    if by_view is not None:
        found["view"] = by_view
    found["corner"] = stated + width_mm / 2
    up = np.array([0.0, -1.0]) if bare.upwards is None else bare.upwards[:2]
    if stated @ up == 0 and bare.table_height_mm:
        found["table"] = stated + bare.table_height_mm * up
    else:
        found["axis"] = stated
    return found


def _axis_of_views(views: Sequence[FirstView], width_mm: float) -> Vector | None:
    """Intersect the middle lines of the views; where these are parallel, use their distances. None if not known."""
    rows = np.array([view.row[:2] for view in views if view.row is not None])
    middle = np.array([view.position_mm[:2] @ row for view, row in zip(views, rows, strict=True)]) + width_mm / 2
    if np.linalg.matrix_rank(rows, tol=10 * SAME_DIRECTION) == 2:
        return np.asarray(np.linalg.lstsq(rows, middle, rcond=None)[0])
    normals = np.array([view.normal[:2] for view in views])
    reach = np.array([view.position_mm[:2] @ n for view, n in zip(views, normals, strict=True)])
    radii = [view.radius_mm for view in views if view.radius_mm is not None]
    ahead = np.zeros((len(views), 1))
    if len(radii) < len(views):  # opposite detectors stand as far ahead of the axis, however far that is
        ahead[:] = 1
    elif reach.mean() > np.mean(radii) / 2:  # the position lies on the detector, not beside the axis
        reach = reach - radii
    known = np.block([[rows, np.zeros((len(views), 1))], [normals, ahead]])
    if np.linalg.matrix_rank(known, tol=10 * SAME_DIRECTION) < 2 + ahead.max():
        return None
    return np.asarray(np.linalg.lstsq(known, np.append(middle, reach), rcond=None)[0][:2])


def _rows_to_feet(views: Sequence[FirstView]) -> bool | None:
    along = [float(v.column[2]) for v in views if v.column is not None and abs(abs(v.column[2]) - 1) < SAME_DIRECTION]
    return along[0] < 0 if along else None


def patient_position(head: Any) -> str:
    """Return Patient Position (0018,5100), or what the codes for orientation and gantry say in its words."""
    stated = header.text(head, "PatientPosition").upper()
    if stated in POSITIONS:
        return stated
    gantry = _meanings(header.items(head, "PatientGantryRelationshipCodeSequence"))
    lying = header.items(head, "PatientOrientationCodeSequence")
    sides = [s for item in lying for s in _meanings(header.items(item, "PatientOrientationModifierCodeSequence"))]
    first = {"head": "HF", "feet": "FF"}.get(gantry[0][:4], "") if gantry else ""
    side = SIDES.get(sides[0], "") if sides else ""
    return first + side if first and side else ""


def _meanings(codes: Iterable[Any]) -> list[str]:
    return [header.text(code, "CodeMeaning").lower() for code in codes if header.text(code, "CodeMeaning")]
