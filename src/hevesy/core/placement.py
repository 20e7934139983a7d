"""Where a gamma camera's axis of rotation lies in the patient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hevesy.errors import BadInput

#: Patient Position (0018,5100) → direction, in patient coordinates, that points up from the table
UPWARDS: dict[str, tuple[float, float, float]] = {
    "S": (0.0, -1.0, 0.0),
    "P": (0.0, 1.0, 0.0),
    "DR": (1.0, 0.0, 0.0),
    "DL": (-1.0, 0.0, 0.0),
}
POSITIONS = tuple(first + side for first in ("HF", "FF") for side in UPWARDS)


@dataclass(frozen=True, slots=True)
class Placement:
    """Place and direction of the axis of rotation, which runs along the patient (z).

    Parameters
    ----------
    axis_mm : tuple of float or None
        Where the axis meets the middle of the first row of the projections, in patient coordinates (LPS), mm; None
        where the source does not say.
    rows_to_feet : bool
        Whether rows run from head to feet.
    patient_position : str
        DICOM Patient Position, such as ``"HFS"``; empty where the source does not say. Angles of views are counted
        from the patient's back, so that it does not enter them.
    table_height_mm : float or None
        How far the top of the table lies below the axis, mm.
    table_traverse_mm : float or None
        How far the table had moved into the gantry, mm.

    Raises
    ------
    BadInput
        If a number is not finite, or there is no such patient position.
    """

    axis_mm: tuple[float, float, float] | None = None
    rows_to_feet: bool = True
    patient_position: str = ""
    table_height_mm: float | None = None
    table_traverse_mm: float | None = None

    def __post_init__(self) -> None:
        known = [x for x in (*(self.axis_mm or ()), self.table_height_mm, self.table_traverse_mm) if x is not None]
        if not np.isfinite(known).all():
            raise BadInput("The place of an axis of rotation must be finite.")
        if self.patient_position and self.patient_position not in POSITIONS:
            raise BadInput(f"There is no patient position '{self.patient_position}'; known are {', '.join(POSITIONS)}.")

    @property
    def upwards(self) -> NDArray[np.float64] | None:
        """Direction that points up from the table in patient coordinates; None where it is not known."""
        return np.array(UPWARDS[self.patient_position[2:]]) if self.patient_position else None
