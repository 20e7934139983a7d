"""The grid of holes in front of a gamma camera."""

from __future__ import annotations

from dataclasses import dataclass

from hevesy.errors import BadInput


@dataclass(frozen=True, slots=True)
class Collimator:
    """A parallel-hole collimator.

    Parameters
    ----------
    name : str
        Such as ``"Siemens Symbia LEHR"``.
    hole_mm : float
        Distance between opposite flat sides of a hexagonal hole, mm.
    septum_mm : float
        Thickness of the wall between holes, mm.
    length_mm : float
        Length of the holes, mm.
    material : str
        What the walls are made of, by its name in ``hevesy.data.materials``.

    Raises
    ------
    BadInput
        If a size is not positive.
    """

    name: str
    hole_mm: float
    septum_mm: float
    length_mm: float
    material: str = "lead"

    def __post_init__(self) -> None:
        if not min(self.hole_mm, self.septum_mm, self.length_mm) > 0:
            raise BadInput(f"Collimator {self.name} needs hole, septum and length above 0 mm.")
