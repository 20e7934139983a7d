"""What a structure set or a segmentation object holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from hevesy.core import Outline, Region
from hevesy.errors import HevesyError, UnreadableFile


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


@contextmanager
def refusing_damage(what: str) -> Iterator[None]:
    """Turn whatever a damaged object makes the parser raise, often only as a part of it is used, into a refusal.

    Raises
    ------
    UnreadableFile
        If anything but a refusal is raised within.
    """
    try:
        yield
    except HevesyError:
        raise
    except Exception as fault:
        raise UnreadableFile(f"{what} is damaged: a part that it must have is missing or cut off.") from fault
