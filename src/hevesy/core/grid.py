"""The lattice of voxels that an image lives on."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hevesy.errors import BadInput, GridMismatch

#: two grids are one when no voxel centre differs by more than this
SAME_POSITION_MM = 1e-2


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """A regular lattice of voxels in the patient.

    Parameters
    ----------
    shape : tuple of int
        Voxels along each array axis (n0, n1, n2).
    affine : (4, 4) array
        Takes an array index to the voxel's centre in DICOM patient coordinates (LPS), mm.
    frame_of_reference : str or None
        DICOM frame of reference UID; None where the source has none.

    Raises
    ------
    BadInput
        If the shape is not three positive numbers or the affine is singular.
    """

    shape: tuple[int, int, int]
    affine: NDArray[np.float64] = field(repr=False)
    frame_of_reference: str | None = None

    def __post_init__(self) -> None:
        affine = np.array(self.affine, dtype=np.float64)
        shape = tuple(int(n) for n in self.shape)
        if len(shape) != 3 or min(shape) < 1:
            raise BadInput(f"A grid needs three positive sizes, not {self.shape}.")
        if affine.shape != (4, 4) or not np.allclose(affine[3], (0, 0, 0, 1)):
            raise BadInput("A grid needs a 4 × 4 affine whose last row is 0 0 0 1.")
        if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-12:
            raise BadInput("A grid's affine must be finite and must not be singular.")
        affine.setflags(write=False)
        object.__setattr__(self, "affine", affine)
        object.__setattr__(self, "shape", shape)

    @classmethod
    def regular(
        cls,
        shape: tuple[int, int, int],
        spacing_mm: tuple[float, float, float],
        origin_mm: tuple[float, float, float] = (0.0, 0.0, 0.0),
        frame_of_reference: str | None = None,
    ) -> Grid:
        """Return an axis-aligned grid: array axes 0, 1, 2 run along x, y, z of the patient."""
        affine = np.diag((*spacing_mm, 1.0))
        affine[:3, 3] = origin_mm
        return cls(shape, affine, frame_of_reference)

    def part(self, box: tuple[slice, slice, slice]) -> Grid:
        """Return the grid of a box of its voxels, each slice with a start, a stop and no step."""
        first = np.array([s.start for s in box])
        affine = self.affine.copy()
        affine[:3, 3] = self.to_mm(first)
        shape = (box[0].stop - box[0].start, box[1].stop - box[1].start, box[2].stop - box[2].start)
        return Grid(shape, affine, self.frame_of_reference)

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between neighbouring voxel centres along each array axis, mm."""
        a, b, c = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(a), float(b), float(c)

    @property
    def voxel_volume_mL(self) -> float:
        """Volume of one voxel, mL."""
        return float(abs(np.linalg.det(self.affine[:3, :3]))) * 1e-3

    @property
    def size(self) -> int:
        """Number of voxels."""
        return int(np.prod(self.shape))

    def to_mm(self, index: ArrayLike) -> NDArray[np.float64]:
        """Take array indices (..., 3) to patient coordinates (..., 3), mm."""
        return np.asarray(index, np.float64) @ self.affine[:3, :3].T + self.affine[:3, 3]

    def to_index(self, position_mm: ArrayLike) -> NDArray[np.float64]:
        """Take patient coordinates (..., 3) in mm to fractional array indices (..., 3)."""
        inverse = np.linalg.inv(self.affine[:3, :3])
        return (np.asarray(position_mm, np.float64) - self.affine[:3, 3]) @ inverse.T

    def corners_mm(self) -> NDArray[np.float64]:
        """Return the centres of the eight corner voxels (8, 3), mm."""
        last = np.array(self.shape) - 1
        return self.to_mm(np.array(list(np.ndindex(2, 2, 2))) * last)

    def matches(self, other: Grid) -> bool:
        """Say whether every voxel of the two grids lies at the same place in the same frame."""
        frames = {self.frame_of_reference, other.frame_of_reference} - {None}
        return (
            self.shape == other.shape
            and len(frames) < 2
            and bool(np.abs(self.corners_mm() - other.corners_mm()).max() <= SAME_POSITION_MM)
        )

    def require_match(self, other: Grid, what: str) -> None:
        """Refuse two grids that differ.

        Raises
        ------
        GridMismatch
            If a shape, a position beyond 0.01 mm or a frame of reference differs.
        """
        if not self.matches(other):
            raise GridMismatch(
                f"{what} lie on different grids ({self._brief()} and {other._brief()}).",
                "Resample one onto the other's grid first.",
            )

    def _brief(self) -> str:
        size = "×".join(map(str, self.shape))
        spacing = "×".join(f"{s:.4g}" for s in self.spacing_mm)
        return f"{size} voxels of {spacing} mm from {np.round(self.affine[:3, 3], 1).tolist()}"
