"""What decays where a nuclide did."""

from __future__ import annotations

import numpy as np

from hevesy.core import Nuclide
from hevesy.physics.decay import Chain


def chain(nuclide: Nuclide) -> tuple[tuple[Nuclide, float], ...]:
    """Return a nuclide and the daughters that decay where it did, each with its decays per decay of the parent.

    Daughters that live no longer than the parent are taken to stay in place; longer-lived ones, and what
    comes after them, are left out.
    """
    whole = Chain.of(nuclide)
    shares = np.zeros(len(whole.nuclides))
    shares[0] = 1.0
    for row, member in enumerate(whole.nuclides[1:], start=1):
        if member.half_life.value <= nuclide.half_life.value:
            shares[row] = whole.feeding[row, :row] @ shares[:row]
    return tuple((n, float(s)) for n, s in zip(whole.nuclides, shares, strict=True) if s > 0)
