"""SPECT projections of one energy window."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hevesy.core.grid import Grid
from hevesy.core.placement import Placement
from hevesy.core.planar import EnergyWindow
from hevesy.core.provenance import Provenance
from hevesy.core.timing import Timing
from hevesy.errors import BadInput


@dataclass(frozen=True, slots=True, eq=False)
class Projections:
    """Counts seen from many angles in one energy window.

    Parameters
    ----------
    counts : (views, rows, columns) array
        Counts; rows run along the axis of rotation. Kept read-only.
    angles_deg : (views,) array
        Where the detector stood about the patient, degrees: 0 at the patient's back, rising towards the patient's
        left (PS3.3 C.8.4.11, Start Angle). In patient coordinates the detector lies along (sin θ, cos θ, 0).
    pixel_mm : tuple of float
        Distance between rows and between columns, mm.
    radii_mm : (views,) array or None
        Distance of the detector from the axis of rotation, mm; None where the source does not say.
    detectors : (views,) array or None
        Which detector saw each view, from 1; None means one detector.
    durations_s : (views,) array or None
        How long each view was counted, s; None where the source does not say.
    window : EnergyWindow
        What was counted.
    timing : Timing or None
        Start and length of the whole acquisition; None where the source does not say.
    frame_of_reference : str or None
        DICOM frame of reference UID.
    placement : Placement
        Where the axis of rotation lies in the patient, as far as the source says.
    provenance : Provenance
        Where the counts came from.

    Raises
    ------
    BadInput
        If sizes do not agree, counts are not finite, or a pixel has no size.
    """

    counts: NDArray[Any] = field(repr=False)
    angles_deg: NDArray[np.float64] = field(repr=False)
    pixel_mm: tuple[float, float]
    radii_mm: NDArray[np.float64] | None = field(default=None, repr=False)
    detectors: NDArray[np.int64] | None = field(default=None, repr=False)
    durations_s: NDArray[np.float64] | None = field(default=None, repr=False)
    window: EnergyWindow = field(default_factory=EnergyWindow)
    timing: Timing | None = None
    frame_of_reference: str | None = None
    placement: Placement = field(default_factory=Placement)
    provenance: Provenance = field(default_factory=Provenance, repr=False)

    def __post_init__(self) -> None:
        counts = np.asarray(self.counts).view()
        if counts.ndim != 3 or not counts.size or not np.isfinite(counts).all():
            raise BadInput(f"Projections need finite counts (views, rows, columns), not shape {counts.shape}.")
        if min(self.pixel_mm) <= 0:
            raise BadInput(f"Projections cannot have pixels of {self.pixel_mm} mm.")
        counts.setflags(write=False)
        object.__setattr__(self, "counts", counts)
        for name in ("angles_deg", "radii_mm", "detectors", "durations_s"):
            value = getattr(self, name)
            if value is None:
                continue
            array = np.array(value)
            if array.shape != counts.shape[:1] or not np.isfinite(array).all():
                raise BadInput(f"{len(counts)} views need as many {name.replace('_', ' ')}, not shape {array.shape}.")
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @property
    def grid(self) -> Grid:
        """The volume that the projections see: (columns, columns, rows) voxels about the axis of rotation.

        Array axes 0 and 1 run to the patient's left and back, axis 2 as the rows do. Where the axis lies is not
        known, the volume is centred on the origin, without a frame of reference.
        """
        _, rows, columns = self.counts.shape
        along, across = self.pixel_mm
        step = -along if self.placement.rows_to_feet else along
        affine = np.diag([across, across, step, 1.0])
        if self.placement.axis_mm is None:
            axis, frame = (0.0, 0.0, -step * (rows - 1) / 2), None
        else:
            axis, frame = self.placement.axis_mm, self.frame_of_reference
        affine[:3, 3] = np.array(axis) - (across * (columns - 1) / 2, across * (columns - 1) / 2, 0.0)
        return Grid((columns, columns, rows), affine, frame)
