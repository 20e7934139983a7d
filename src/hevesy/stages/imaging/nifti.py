"""NIfTI, out."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel
import numpy as np
from numpy.typing import NDArray

from hevesy.core import Image
from hevesy.stages.imaging.nifti_in import FROM_RAS

#: longest description that a NIfTI-1 header holds
LONGEST = 79


def write(image: Image, path: Path) -> None:
    """Write an image as NIfTI-1, 32-bit floats in the image's own unit, which the header's description names.

    Array axes stay as they are; the affine goes to RAS, mm, in double precision as far as the header's single allows.
    The same image gives the same bytes.

    Parameters
    ----------
    image : Image
        Values on a grid, which may be oblique.
    path : Path
        File to write: ``.nii``, or ``.nii.gz`` to compress.

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


def _is_rectangular(affine: NDArray[np.float64]) -> bool:
    """Say whether the axes are perpendicular: a quaternion cannot hold a skewed grid."""
    directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    return bool(np.allclose(directions.T @ directions, np.eye(3), atol=1e-5))
