"""A three-dimensional image: values, and all that is needed to know what they mean."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hevesy.core.grid import Grid
from hevesy.core.provenance import Provenance
from hevesy.core.quantity import Quantity
from hevesy.core.timing import Timing
from hevesy.errors import BadInput, GridMismatch, WrongQuantity


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """Values on a grid.

    Parameters
    ----------
    values : (n0, n1, n2) array
        Finite values in the unit of `quantity`; kept read-only.
    grid : Grid
        Where the voxels are.
    quantity : Quantity
        What the values mean.
    timing : Timing or None
        When they were acquired; None where time has no meaning, as for density.
    provenance : Provenance
        Where they came from.

    Raises
    ------
    GridMismatch
        If the array's shape is not the grid's.
    BadInput
        If a value is not finite.
    """

    values: NDArray[Any] = field(repr=False)
    grid: Grid
    quantity: Quantity
    timing: Timing | None = None
    provenance: Provenance = field(default_factory=Provenance, repr=False)

    def __post_init__(self) -> None:
        values = np.asarray(self.values)
        if values.shape != self.grid.shape:
            raise GridMismatch(f"Values of shape {values.shape} do not fit a grid of {self.grid.shape}.")
        if not np.isfinite(values).all():
            raise BadInput(f"An image of {self.quantity.name.lower()} holds values that are not finite.")
        values = values.view()
        values.setflags(write=False)
        object.__setattr__(self, "values", values)

    def require(self, *quantities: Quantity) -> None:
        """Refuse an image of another quantity.

        Raises
        ------
        WrongQuantity
            If the image's quantity is none of those given.
        """
        if self.quantity not in quantities:
            wanted = " or ".join(f"{q.name.lower().replace('_', ' ')} ({q.unit})" for q in quantities)
            have = f"{self.quantity.name.lower().replace('_', ' ')} ({self.quantity.unit})"
            raise WrongQuantity(f"Expected an image of {wanted}; got {have}.")

    def with_values(self, values: NDArray[Any], quantity: Quantity | None = None) -> Image:
        """Return an image on the same grid with other values, and another meaning if given."""
        return replace(self, values=values, quantity=quantity or self.quantity)
