"""What a structure set or a segmentation object holds."""

from __future__ import annotations

from dataclasses import dataclass

from hevesy.core import Outline, Region


@dataclass(frozen=True, slots=True, eq=False)
class Structures:
    """The regions of one RTSTRUCT or SEG object.

    Parameters
    ----------
    label : str
        The object's own label.
    sop_instance_uid : str
        Which object it is.
    frame_of_reference : str or None
        Frame of reference UID of the outlines or regions; None where the object names none or several.
    referenced_series_uids : tuple of str
        Series that the object says it was drawn on.
    outlines : tuple of Outline
        Closed contours, from an RTSTRUCT.
    regions : tuple of Region
        Masks on the object's own grid, from a SEG.
    notes : tuple of str
        What was passed over or assumed, for the report.
    """

    label: str
    sop_instance_uid: str
    frame_of_reference: str | None
    referenced_series_uids: tuple[str, ...]
    outlines: tuple[Outline, ...] = ()
    regions: tuple[Region, ...] = ()
    notes: tuple[str, ...] = ()
