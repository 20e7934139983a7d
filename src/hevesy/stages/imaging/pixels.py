"""Stored integers to values: decoding, and the rescale of each slice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from hevesy.errors import UnreadableFile, UnsupportedObject
from hevesy.stages.imaging import header


def stored_pixels(path: Path) -> NDArray[Any]:
    """Return the decoded pixels of a file as stored: (rows, columns) or (frames, rows, columns).

    Raises
    ------
    UnreadableFile
        If the pixels cannot be decoded, as in a damaged file.
    UnsupportedObject
        If the pixels have colours.
    """
    try:
        dataset = _with_syntax(pydicom.dcmread(path, force=True))
        if dataset.get("SamplesPerPixel", 1) != 1:
            raise UnsupportedObject(f"{path.name} has colours; only images of one value per pixel have a meaning here.")
        return np.asarray(dataset.pixel_array)
    except UnsupportedObject:
        raise
    except Exception as error:  # pydicom and its decoders raise many kinds
        raise UnreadableFile(f"The pixels of {path.name} cannot be decoded ({_first_line(error)}).") from error


def rescaled(stored: NDArray[Any], head: Any) -> NDArray[np.float32]:
    """Apply a header's Rescale Slope and Intercept in double precision."""
    slope = header.number(head, "RescaleSlope")
    intercept = header.number(head, "RescaleIntercept")
    if slope is None and intercept is None:
        return stored.astype(np.float32)
    values = stored.astype(np.float64) * (1.0 if slope is None else slope) + (intercept or 0.0)
    return values.astype(np.float32)


def _with_syntax(dataset: Any) -> Any:
    """State the encoding of an object that was written without file meta information."""
    if not dataset.file_meta.get("TransferSyntaxUID"):
        implicit = dataset.original_encoding[0]
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    return dataset


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
