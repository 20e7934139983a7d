"""A part of the body: how much of each voxel belongs to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hevesy.core.grid import Grid
from hevesy.core.image import Image
from hevesy.core.measured import Measured
from hevesy.core.provenance import Provenance
from hevesy.errors import BadInput

#: the step in the provenance of a region that no person drew; its setting `by` names what did
FOUND = "found automatically"


class Role(Enum):
    """What a region is for."""

    ORGAN = "organ"
    LESION = "lesion"
    BODY = "body"
    BACKGROUND = "background"


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """A structure as it was drawn: closed planar contours in the patient.

    Parameters
    ----------
    name : str
        The structure's name.
    contours_mm : tuple of (n, 3) arrays
        Vertices of each closed contour in patient coordinates (LPS), mm. A contour inside another one on its
        plane is a hole.
    frame_of_reference : str or None
        DICOM frame of reference UID.
    role : Role
        What the structure is for.
    """

    name: str
    contours_mm: tuple[NDArray[np.float64], ...] = field(repr=False)
    frame_of_reference: str | None = None
    role: Role = Role.ORGAN


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A named part of the body on a grid.

    Parameters
    ----------
    name : str
        The region's name.
    grid : Grid
        The grid that the whole mask lives on.
    coverage : (m0, m1, m2) array
        The covered fraction of each voxel, 0 to 1, within the box that starts at `offset`; zero
        outside it. Kept read-only.
    offset : tuple of int
        Array index on the grid of the box's first voxel.
    role : Role
        What the region is for.
    recovery : Measured
        Recovery coefficient: apparent over true activity; 1 where no correction is needed.
    provenance : Provenance
        Where it came from; empty where a person drew it.

    Raises
    ------
    BadInput
        If the region is empty, reaches outside the grid, or has a fraction outside 0 to 1.
    """

    name: str
    grid: Grid
    coverage: NDArray[np.float32] = field(repr=False)
    offset: tuple[int, int, int] = (0, 0, 0)
    role: Role = Role.ORGAN
    recovery: Measured = field(default_factory=lambda: Measured(1.0))
    provenance: Provenance = field(default_factory=Provenance, repr=False)

    def __post_init__(self) -> None:
        coverage = np.array(self.coverage, dtype=np.float32)
        if coverage.ndim != 3 or not coverage.any():
            raise BadInput(f"Region '{self.name}' covers no voxel of its grid.")
        if coverage.min() < 0 or coverage.max() > 1 + 1e-5:
            raise BadInput(f"Region '{self.name}' has a coverage outside 0 to 1.")
        ends = np.add(self.offset, coverage.shape)
        if min(self.offset) < 0 or (ends > self.grid.shape).any():
            raise BadInput(f"Region '{self.name}' reaches outside its grid.")
        coverage.setflags(write=False)
        object.__setattr__(self, "coverage", coverage)

    @classmethod
    def from_mask(cls, name: str, grid: Grid, mask: NDArray[Any], role: Role = Role.ORGAN) -> Region:
        """Crop a full-size mask (booleans or fractions on the grid) to a region.

        Raises
        ------
        BadInput
            If the mask does not fit the grid or is empty.
        """
        if mask.shape != grid.shape:
            raise BadInput(f"The mask of '{name}' has shape {mask.shape}; its grid has {grid.shape}.")
        offset, ends = [], []
        for axis in range(3):
            others = tuple(a for a in range(3) if a != axis)
            inside = np.flatnonzero(np.asarray(mask).any(axis=others))
            if not inside.size:
                raise BadInput(f"Region '{name}' covers no voxel of its grid.")
            offset.append(int(inside[0]))
            ends.append(int(inside[-1]) + 1)
        box = tuple(slice(a, b) for a, b in zip(offset, ends, strict=True))
        return cls(name, grid, mask[box], (offset[0], offset[1], offset[2]), role)

    @property
    def found_by(self) -> str:
        """What found it automatically; empty where a person drew it."""
        return next((str(step.settings["by"]) for step in self.provenance.steps if step.operation == FOUND), "")

    @property
    def box(self) -> tuple[slice, slice, slice]:
        """The slices of the grid that `coverage` fills."""
        a, b, c = (slice(o, o + n) for o, n in zip(self.offset, self.coverage.shape, strict=True))
        return a, b, c

    @property
    def volume_mL(self) -> float:
        """Covered volume, mL."""
        return float(self.coverage.sum(dtype=np.float64)) * self.grid.voxel_volume_mL

    def mask(self) -> NDArray[np.float32]:
        """Return the covered fraction on the whole grid (n0, n1, n2)."""
        full = np.zeros(self.grid.shape, np.float32)
        full[self.box] = self.coverage
        return full

    def integral(self, image: Image) -> float:
        """Integrate an image over the region: sum of value × covered volume, in (unit of image)·mL.

        Raises
        ------
        GridMismatch
            If the image lies on another grid.
        """
        self.grid.require_match(image.grid, f"Region '{self.name}' and the image")
        total = np.einsum("ijk,ijk->", image.values[self.box].astype(np.float64), self.coverage)
        return float(total) * self.grid.voxel_volume_mL
