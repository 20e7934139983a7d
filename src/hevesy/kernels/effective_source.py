"""Where photons that are counted scattered last, in a medium without end: Monte Carlo with forced detection."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from hevesy.kernels.camera_scatter import MOST_ORDERS, NEGLIGIBLE, Photons, deflect, towards
from hevesy.kernels.random import point_at, start_stream, uniform

Floats = NDArray[np.float64]


def effective_source(photons: Photons, mu_per_mm: float, bins: tuple[int, float], histories: int, seed: int) -> Floats:
    """Return what scatters last at each place on its way to a camera in the direction of the third axis.

    Parameters
    ----------
    photons : Photons
        Lines and laws; where they start is not used: all start about the origin, as in a voxel.
    mu_per_mm : float
        Attenuation at the reference energy, 1/mm.
    bins : (int, float)
        Number of bins along the radius, twice as many along the axis, and their size, mm. A photon starts within a
        voxel of this size.
    histories, seed : int
        Photons to follow, and of the random numbers.

    Returns
    -------
    (2, depths, radii) array
        Counts for one emitted photon, in units in which an unscattered one counts 1, and the same times the attenuation
        of what is left of the photon's energy, over that at the reference energy.
    """
    n, size = bins
    tally = np.zeros((2, 2 * n, n))
    _histories(tally, photons, mu_per_mm, size, (histories, seed))
    return np.asarray(tally / histories)


@njit(cache=True)
def _histories(tally, photons, mu, size, work):  # type: ignore[no-untyped-def]
    histories, seed = work
    stream = np.zeros(1, np.uint64)
    particle = np.zeros(8)
    for history in range(histories):
        start_stream(stream, seed, 0, history)
        _follow(tally, photons, mu, size, particle, stream)


@njit(cache=True)
def _follow(tally, photons, mu, size, particle, stream):  # type: ignore[no-untyped-def]
    """Emit one photon in a voxel about the origin, and walk it to its end."""
    for axis in range(3):
        particle[axis] = size * (uniform(stream) - 0.5)
    point_at(particle, 2 * uniform(stream) - 1, 2 * math.pi * uniform(stream))
    line = min(np.searchsorted(photons.line_cumulative, uniform(stream)), photons.line_keV.size - 1)
    energy, weight = photons.line_keV[line], 1.0
    if photons.line_seen[line] > 0:
        _count(tally, photons, size, particle, energy, weight)
    for _ in range(MOST_ORDERS):
        step = -math.log(uniform(stream)) / (mu * photons.attenuation[int(energy)])
        for axis in range(3):
            particle[axis] += step * particle[3 + axis]
        weight *= photons.incoherent[int(energy)]
        away = 1.0 - particle[5]
        ratio = 1.0 / (1.0 + energy / 510.99895 * away)
        chance = 4 * math.pi * towards(photons, energy, ratio, away)
        _count(tally, photons, size, particle, energy * ratio, weight * chance)
        energy = deflect(photons, particle, energy, stream)
        if photons.accepted[0, int(energy) :].max() < NEGLIGIBLE:
            return


@njit(cache=True)
def _count(tally, photons, size, particle, left, weight):  # type: ignore[no-untyped-def]
    """Add what is counted of a photon that leaves from here towards the camera with an energy that is left."""
    counted = weight * photons.accepted[0, int(left)]
    i = math.floor(particle[2] / size) + tally.shape[1] // 2
    j = math.floor(math.hypot(particle[0], particle[1]) / size)
    if 0 <= i < tally.shape[1] and j < tally.shape[2]:
        tally[0, i, j] += counted
        tally[1, i, j] += counted * photons.attenuation[int(left)]
