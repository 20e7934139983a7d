"""How many times each view is used, and in which groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hevesy.errors import BadInput


@dataclass(frozen=True, slots=True)
class Schedule:
    """Iterations over ordered subsets.

    Parameters
    ----------
    iterations : int
        Passes over all views.
    subsets : int
        Groups that the views are dealt into: group s holds views s, s + subsets, …
    tolerance : float
        Stop early when an iteration changes the image by less than this fraction (L2); 0 never stops early.

    Raises
    ------
    BadInput
        If a number is not positive.
    """

    iterations: int = 4
    subsets: int = 8
    tolerance: float = 0.0

    def __post_init__(self) -> None:
        if self.iterations < 1 or self.subsets < 1 or self.tolerance < 0:
            raise BadInput(f"A reconstruction needs at least one iteration of one subset, not {self}.")

    def groups(self, views: int) -> list[NDArray[np.int64]]:
        """Return the views of each subset, in order of use.

        Raises
        ------
        BadInput
            If there are more subsets than views.
        """
        if self.subsets > views:
            raise BadInput(f"{views} views cannot be dealt into {self.subsets} subsets.")
        return [np.arange(s, views, self.subsets) for s in range(self.subsets)]

    def settled(self, before: NDArray[np.float32], after: NDArray[np.float32]) -> bool:
        """Say whether an iteration changed so little that it was the last."""
        change = float(np.linalg.norm(after - before))
        return self.tolerance > 0 and change <= self.tolerance * float(np.linalg.norm(after))
