"""The plan of a blur that grows with distance: which five-tap filters, between which depth planes of a view."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

#: largest variance of one five-tap pass, in pixels²: up to here its response stays positive at every frequency
PASS_VARIANCE = 0.6
#: variance between checkpoints, in pixels²: one pass,
CHECKPOINT_VARIANCE = 0.5
#: and of the variance there at most this part: a plane shared halfway then has a kurtosis of 3.03, a Gaussian 3
CHECKPOINT_PART = 0.2


class Walk(NamedTuple):
    """How the planes of each view are gathered, from `walk`.

    Attributes
    ----------
    starts : (views, groups + 1) array
        Planes of group g are starts[g] … starts[g + 1] − 1.
    passes : (views, groups) array
        Five-tap passes after each group.
    taps : (views, groups, 6) array
        Of these passes, from `blur_taps`.
    shares : (views, planes) array
        Part of a plane that is added before its group is blurred; the rest is added after.
    """

    starts: Ints
    passes: Ints
    taps: Floats
    shares: Floats

    def of(self, views: Ints) -> Walk:
        """Return the walk of some views."""
        return Walk(self.starts[views], self.passes[views], self.taps[views], self.shares[views])


def blur_taps(variance: NDArray[np.float64]) -> tuple[Ints, Floats]:
    """Return how many passes of which five-tap filter blur by given variances.

    Variance and fourth moment of the filter are those of a Gaussian: 2 w₁ + 8 w₂ = v and 2 w₁ + 32 w₂ = 3 v².

    Parameters
    ----------
    variance : (views, planes, 2) array
        Variance to add along the two detector axes, pixels².

    Returns
    -------
    (views, planes) array
        Number of passes; 0 where nothing is to be blurred.
    (views, planes, 6) array
        w₀, w₁, w₂ along the first detector axis, then along the second.
    """
    passes = np.ceil(variance.max(axis=-1) / PASS_VARIANCE - 1e-9).astype(np.int64)
    v = variance / np.maximum(passes, 1)[..., None]
    second = (3 * v**2 - v) / 24
    first = (v - 8 * second) / 2
    taps = np.stack([1 - 2 * first - 2 * second, first, second], axis=-1)
    return passes, taps.reshape(*variance.shape[:2], 6).astype(np.float32)


def walk(variance: NDArray[np.float64]) -> Walk:
    """Plan the blur of each view.

    Parameters
    ----------
    variance : (views, planes, 2) array
        Variance of the response at each plane along the two detector axes, pixels²; it may not rise from a plane to
        the next, which is nearer.
    """
    views, planes, _ = variance.shape
    kinds, kind = np.unique(variance.reshape(views, -1), axis=0, return_inverse=True)
    kinds = kinds.reshape(-1, planes, 2)
    ways = [_checkpoints(one.max(axis=1)) for one in kinds]
    groups = max(len(way) for way in ways)
    starts = np.full((len(kinds), groups + 1), planes, np.int64)
    steps = np.zeros((len(kinds), groups, 2))
    shares = np.ones((len(kinds), planes))
    for v, way in enumerate(ways):
        starts[v, : len(way)] = way
        at = np.vstack([kinds[v][way[:-1]], kinds[v][-1:], np.zeros((1, 2))])
        steps[v, : len(way)] = at[:-1] - at[1:]
        for g in range(len(way) - 1):
            own, step = slice(way[g], way[g + 1]), steps[v, g].max()
            if step > 0:
                shares[v, own] = (kinds[v][own].max(axis=1) - at[g + 1].max()) / step
    passes, taps = blur_taps(steps)
    plan = Walk(starts, passes, taps, np.clip(shares, 0, 1).astype(np.float32))
    return plan.of(kind.ravel())


def _checkpoints(variance: NDArray[np.float64]) -> list[int]:
    """Return the first plane of each group; the last group is empty, for the blur of the nearest plane."""
    starts = [0]
    for plane, here in enumerate(variance):
        if variance[starts[-1]] - here > min(CHECKPOINT_VARIANCE, CHECKPOINT_PART * here):
            starts.append(plane)
    return [*starts, variance.size]
