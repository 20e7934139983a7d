"""The numbers of an image as the viewer fetches them: all of them, and before these a preview of a large image."""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Stored = NDArray[np.int16]
#: voxels of the largest image that is fetched whole at once, and of the largest preview
PREVIEW_VOXELS = 128**3
#: the viewer's window ends at first where one in 200 of the voxels above a two-hundredth of the greatest is brighter
_BRIGHT, _FLOOR, _SAMPLED = 0.995, 0.005, 400_000


def write_numbers(stored: Stored, target: Path) -> dict[str, Any]:
    """Write an image's numbers into a folder, and return what the manifest says of them (docs/reference/viewer.md).

    Parameters
    ----------
    stored : array of int16, shape (n0, n1, n2)
        What the manifest's `slope` and `intercept` turn into values.
    target : Path
        Where the files go, each compressed by zlib and named for its content.
    """
    entry = {"dtype": "int16", "url": write_compressed(stored, target)}
    factor = preview_factor(stored.shape)
    if factor == 1:
        return entry
    facts = {"greatest": int(stored.max()), "bright": _bright(stored)}
    url = write_compressed(averaged(stored, factor), target)
    return {**entry, "preview": {"factor": factor, "url": url, **facts}}


def write_compressed(data: NDArray[Any], target: Path) -> str:
    """Write an array's bytes, and return the name of the file."""
    plain = data.tobytes()
    name = f"{hashlib.sha256(plain).hexdigest()}.z"
    (target / name).write_bytes(zlib.compress(plain, 1))
    return name


def preview_factor(shape: tuple[int, ...]) -> int:
    """Return how many voxels on a side become one in the preview; 1 where an image needs none."""
    factor = 1
    while np.prod([-(-n // factor) for n in shape]) > PREVIEW_VOXELS:
        factor += 1
    return factor


def averaged(stored: Stored, factor: int) -> Stored:
    """Average cubes of voxels; those at the far faces are of the voxels that there are."""
    mean = stored.astype(np.float32)
    for axis, n in enumerate(stored.shape):
        starts = np.arange(0, n, factor)
        counts = np.diff(np.append(starts, n)).astype(np.float32)
        mean = np.add.reduceat(mean, starts, axis=axis)
        mean /= np.expand_dims(counts, [a for a in range(3) if a != axis])
    return np.rint(mean).astype("<i2")


def _bright(stored: Stored) -> float:
    """Return the number above which one in 200 of the voxels that hold something lies, as the viewer samples them."""
    sample = stored.ravel()[:: max(1, stored.size // _SAMPLED)]
    held = np.sort(sample[sample > _FLOOR * stored.max()])
    return float(held[int(held.size * _BRIGHT)]) if held.size else float(stored.max())
