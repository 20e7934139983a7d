"""Penalties on roughness, and their gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hevesy.errors import BadInput

#: two neighbours that hold less than this are both empty; its square is still a single-precision number
EMPTY = 1e-15


class Prior(Protocol):
    """A penalty R(f) that a maximum a posteriori image balances against its likelihood."""

    def value(self, volume: NDArray[Any]) -> float:
        """Return R(f)."""
        ...

    def gradient(self, volume: NDArray[Any]) -> NDArray[np.float32]:
        """Return ∂R/∂f, of the volume's shape."""
        ...


@dataclass(frozen=True, slots=True)
class Quadratic:
    """R = strength / 2 · Σ (f_a − f_b)² over pairs of face neighbours.

    Parameters
    ----------
    strength : float
        Weight, per squared unit of the image.
    """

    strength: float

    def __post_init__(self) -> None:
        _require_strength(self.strength)

    def value(self, volume: NDArray[Any]) -> float:
        """Return R(f)."""
        return self.strength / 2 * sum(float(np.sum(np.diff(volume, axis=a) ** 2)) for a in range(3))

    def gradient(self, volume: NDArray[Any]) -> NDArray[np.float32]:
        """Return ∂R/∂f."""
        out = np.zeros(volume.shape, np.float32)
        for axis in range(3):
            low, high = _neighbours(axis)
            step = self.strength * (volume[high] - volume[low])
            out[high] += step
            out[low] -= step
        return out


@dataclass(frozen=True, slots=True)
class RelativeDifference:
    """R = strength · Σ (f_a − f_b)² / (f_a + f_b + γ |f_a − f_b|) over pairs of face neighbours.

    Nuyts, Bequé, Dupont and Mortelmans 2002, IEEE Trans Nucl Sci 49:56, equation 7: it smooths by relative, not
    absolute, difference, and keeps edges by γ.

    Parameters
    ----------
    strength : float
        Weight, per unit of the image.
    gamma : float
        How much large steps are spared; 2 is usual.
    """

    strength: float
    gamma: float = 2.0

    def __post_init__(self) -> None:
        _require_strength(self.strength)
        _require_strength(self.gamma)

    def value(self, volume: NDArray[Any]) -> float:
        """Return R(f)."""
        total = 0.0
        for axis in range(3):
            low, high = _neighbours(axis)
            step, size = volume[high] - volume[low], volume[high] + volume[low]
            below = size + self.gamma * np.abs(step)
            total += float(np.sum(np.where(below > EMPTY, step**2 / np.where(below > EMPTY, below, 1), 0)))
        return self.strength * total

    def gradient(self, volume: NDArray[Any]) -> NDArray[np.float32]:
        """Return ∂R/∂f."""
        out = np.zeros(volume.shape, np.float32)
        for axis in range(3):
            low, high = _neighbours(axis)
            a, b = volume[high], volume[low]
            step = a - b
            distance = np.abs(step)
            below = a + b + self.gamma * distance
            scale = np.where(below > EMPTY, self.strength / np.where(below > EMPTY, below, 1) ** 2, 0)
            out[high] += scale * step * (self.gamma * distance + a + 3 * b)
            out[low] -= scale * step * (self.gamma * distance + b + 3 * a)
        return out


def _neighbours(axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    low = tuple(slice(None, -1) if a == axis else slice(None) for a in range(3))
    high = tuple(slice(1, None) if a == axis else slice(None) for a in range(3))
    return low, high


def _require_strength(strength: float) -> None:
    if not 0 <= strength < float("inf"):
        raise BadInput(f"A prior's weight must be 0 or more, not {strength}.")
