"""CT and MR slices to images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hevesy.core import Image, Provenance, Quantity, Timing
from hevesy.errors import MissingInformation, UnsupportedObject
from hevesy.stages.imaging import header
from hevesy.stages.imaging.volume import read_values, stack_slices


def read_anatomy(headers: Sequence[Any], files: Sequence[Path], what: str) -> Image:
    """Read a series of CT or MR slices.

    Returns
    -------
    Image
        Hounsfield units for CT; a.u. (relative) for MR. Timing is None where the header states none.

    Raises
    ------
    MissingInformation
        If a CT slice has no rescale, so that its values are not HU.
    UnsupportedObject
        If a CT's values are rescaled to something else than HU.
    IncompleteSeries, DuplicateSlices, MixedSeries, UnreadableFile
        If the slices do not form a volume.
    """
    quantity = anatomy_quantity(headers, what)
    stack = stack_slices(headers, what)
    values = read_values(stack, files, headers)
    source = f"DICOM series {header.text(headers[0], 'SeriesInstanceUID')}"
    return Image(values, stack.grid, quantity, anatomy_timing(headers), Provenance(source, notes=stack.notes))


def anatomy_quantity(headers: Sequence[Any], what: str) -> Quantity:
    """Tell what the values of CT or MR slices mean."""
    if header.text(headers[0], "Modality") != "CT":
        return Quantity.RELATIVE
    if any(header.number(h, "RescaleSlope") is None for h in headers):
        raise MissingInformation(f"{what} has a slice without Rescale Slope, so that its values are not HU.")
    kinds = {header.text(h, "RescaleType").upper() or "HU" for h in headers}
    if kinds != {"HU"}:
        raise UnsupportedObject(f"{what} is rescaled to {', '.join(sorted(kinds))}, not to HU.")
    return Quantity.HOUNSFIELD


def anatomy_timing(headers: Sequence[Any]) -> Timing | None:
    """Return the earliest acquisition of the slices, or None where no time is stated."""
    starts = [header.instant(h, "AcquisitionDate", "AcquisitionTime") for h in headers]
    known = [s for s in starts if s is not None]
    return Timing(min(known)) if known else None
