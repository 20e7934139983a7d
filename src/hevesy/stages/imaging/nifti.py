"""NIfTI with a JSON sidecar, out."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray

from hevesy.core import Image
from hevesy.stages.imaging.nifti_in import FROM_RAS, sidecar_path

#: longest description that a NIfTI-1 header holds
LONGEST = 79


def write(image: Image, path: Path, **facts: str) -> None:
    """Write an image as NIfTI-1, 32-bit floats in the image's own unit, and beside it the sidecar that says so.

    Array axes stay as they are; the affine goes to RAS, mm, in double precision as far as the header's single allows.
    The same image gives the same bytes. `hevesy.stages.imaging.nifti_in.read_nifti` reads both.

    Parameters
    ----------
    image : Image
        Values on a grid, which may be oblique.
    path : Path
        File to write: ``.nii``, or ``.nii.gz`` to compress.
    **facts : str
        More keys of the sidecar: ``nuclide``, ``same_as``.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    affine = FROM_RAS @ image.grid.affine  # the door between RAS and LPS is its own inverse
    made = nibabel.Nifti1Image(np.asarray(image.values, dtype=np.float32), affine)
    made.header.set_xyzt_units("mm")
    name = image.quantity.name.lower().replace("_", " ")
    made.header["descrip"] = f"{name}, {image.quantity.unit}".encode()[:LONGEST]
    made.set_sform(affine, code="scanner")
    if _is_rectangular(affine):
        made.set_qform(affine, code="scanner")
    content = made.to_bytes()
    if path.suffix == ".gz":
        content = gzip.compress(content, compresslevel=1, mtime=0)  # noisy floats gain nothing from more
    path.write_bytes(content)
    beside = json.dumps({**_meaning(image), **facts}, indent=2, ensure_ascii=False)
    sidecar_path(path).write_text(beside + "\n", encoding="utf-8")


def _meaning(image: Image) -> dict[str, Any]:
    """Return what the sidecar says of an image: quantity, unit, timing and frame of reference."""
    found: dict[str, Any] = {"quantity": image.quantity.name.lower(), "unit": image.quantity.unit}
    timing = image.timing
    if timing is not None:
        to = timing.decay_corrected_to
        found["start"], found["duration_s"] = timing.start.isoformat(), timing.duration_s
        found["decay_corrected_to"] = "none" if to is None else to.isoformat()
    if image.grid.frame_of_reference is not None:
        found["frame_of_reference"] = image.grid.frame_of_reference
    return found


def _is_rectangular(affine: NDArray[np.float64]) -> bool:
    """Say whether the axes are perpendicular: a quaternion cannot hold a skewed grid."""
    directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    return bool(np.allclose(directions.T @ directions, np.eye(3), atol=1e-5))
