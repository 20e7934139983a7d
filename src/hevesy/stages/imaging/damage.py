"""Damaged DICOM objects: found out, and refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

from hevesy.errors import HevesyError, UnreadableFile

#: the length of an element that ends with a delimiter
UNDEFINED = 0xFFFFFFFF


def read_whole(path: Path) -> Dataset:
    """Read a DICOM file, with its preamble or without, down to its last byte.

    A sequence cut off in its midst is read by pydicom as what is left of it: that would be a smaller region.

    Raises
    ------
    UnreadableFile
        If the file is not DICOM, or ends before its last element does.
    """
    try:
        dataset = pydicom.dcmread(path, force=True)
        kind = dataset.get("SOPClassUID")
        elements = [dataset.get_item(tag) for tag in dataset.keys()]  # noqa: SIM118 - items would be decoded
    except Exception as fault:  # pydicom raises many kinds on damaged files
        raise UnreadableFile(f"{path} cannot be read as DICOM.") from fault
    if kind is None:
        raise UnreadableFile(f"{path} cannot be read as DICOM.")
    for element in elements:
        stored = isinstance(element, RawDataElement) and element.length != UNDEFINED
        if stored and len(element.value or b"") < element.length:
            raise UnreadableFile(f"{path} is truncated: it ends within an element.", "Copy it again.")
    return dataset


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
