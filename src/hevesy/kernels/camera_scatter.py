"""Photons that scatter in the body and still reach a gamma camera: Monte Carlo with forced detection.

A photon walks through the body; wherever it scatters, its chance to turn towards each view, to leave the body that way
and to be counted is added to that view, so that no history is lost for missing the collimator's narrow acceptance
(Beekman, de Jong and van Geloven 2002, IEEE Trans Med Imaging 21:867).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import get_num_threads, njit, prange
from numpy.typing import NDArray

from hevesy.kernels.random import point_at, rotate, start_stream, uniform

Floats = NDArray[np.float64]

#: orders of scatter after which a photon is let go: its energy is then far below any window
MOST_ORDERS = 12
#: counts per history so unlikely are not worth a ray
NEGLIGIBLE = 1e-5


class Body(NamedTuple):
    """What scatters: attenuation at the reference energy, 1/mm, (n, n, nz); voxel sides across and along, mm."""

    mu: NDArray[np.float32]
    pixel: float
    slice: float
    greatest: float


class Photons(NamedTuple):
    """Where photons start, and what they do, by whole keV.

    Parameters
    ----------
    cumulative : (voxels,) array
        Rising sum of activity over `voxel`, to 1.
    voxel : (voxels,) array
        Flat index of voxels that hold activity.
    line_keV, line_cumulative, line_seen : (lines,) arrays
        Energies; rising sum of yields, to 1; 1 where unscattered photons are counted too.
    attenuation : (energies,) array
        Attenuation without coherent scattering over that at the reference energy.
    incoherent : (energies,) array
        Share of those interactions that scatter.
    per_electron : (energies,) array
        Incoherent cross-section of an electron over the square of its classical radius.
    scattering : (transfers,) array
        Incoherent scattering function over its limit, at momentum transfers `transfer_step` apart, 1/Å.
    transfer_step : float
        See `scattering`.
    accepted : (windows, energies) array
        Chance to be counted in each window, relative to that of an unscattered photon in the first.
    """

    cumulative: Floats
    voxel: NDArray[np.int64]
    line_keV: Floats
    line_cumulative: Floats
    line_seen: Floats
    attenuation: Floats
    incoherent: Floats
    per_electron: Floats
    scattering: Floats
    transfer_step: float
    accepted: Floats


class Camera(NamedTuple):
    """Views: normal and direction of bins, (views, 4); radii, mm; σ by distance, both in mm; bins and rows."""

    frames: Floats
    radii: Floats
    sigma: Floats
    bins: int
    rows: int


def scatter(body: Body, photons: Photons, camera: Camera, histories: int, seed: int) -> Floats:
    """Return counts for one photon's worth of emission, (windows, views, bins, rows).

    In units in which an unattenuated photon, unscattered, counts 1 in the first window of every view.
    """
    workers = get_num_threads()
    tally = np.zeros((workers, photons.accepted.shape[0], camera.radii.size, camera.bins, camera.rows))
    _run(tally, body, photons, camera, histories, seed)
    return np.asarray(tally.sum(axis=0) / histories)


@njit(cache=True, parallel=True)
def _run(tally, body, photons, camera, histories, seed):  # type: ignore[no-untyped-def]
    workers = tally.shape[0]
    for worker in prange(workers):
        _histories(tally[worker], body, photons, camera, (worker, workers, histories, seed))


@njit(cache=True)
def _histories(tally, body, photons, camera, work):  # type: ignore[no-untyped-def]
    worker, workers, histories, seed = work
    stream = np.zeros(1, np.uint64)
    particle = np.zeros(8)
    for history in range(worker, histories, workers):
        start_stream(stream, seed, 0, history)
        _follow(tally, body, photons, camera, (history + uniform(stream)) / histories, particle, stream)


@njit(cache=True)
def _follow(tally, body, photons, camera, place, particle, stream):  # type: ignore[no-untyped-def]
    """Emit one photon at a place of the cumulative activity, and walk it to its end."""
    n, depth = body.mu.shape[1], body.mu.shape[2]
    flat = photons.voxel[min(np.searchsorted(photons.cumulative, place), photons.voxel.size - 1)]
    particle[0] = (flat // (n * depth) + uniform(stream) - 0.5 * n) * body.pixel
    particle[1] = (flat // depth % n + uniform(stream) - 0.5 * n) * body.pixel
    particle[2] = (flat % depth + uniform(stream) - 0.5 * depth) * body.slice
    point_at(particle, 2 * uniform(stream) - 1, 2 * math.pi * uniform(stream))
    line = min(np.searchsorted(photons.line_cumulative, uniform(stream)), photons.line_keV.size - 1)
    energy, weight = photons.line_keV[line], 1.0
    if photons.line_seen[line] > 0:
        _detect(tally, body, photons, camera, particle, energy, weight, True, stream)
    for _ in range(MOST_ORDERS):
        if not _fly(body, photons, particle, energy, stream):
            return
        weight *= photons.incoherent[int(energy)]
        _detect(tally, body, photons, camera, particle, energy, weight, False, stream)
        energy = deflect(photons, particle, energy, stream)
        if photons.accepted[:, int(energy) :].max() < NEGLIGIBLE:
            return


@njit(cache=True)
def _mu_at(body, x, y, z):  # type: ignore[no-untyped-def]
    """Return the attenuation at a place, 1/mm; below zero outside the lattice."""
    n, depth = body.mu.shape[0], body.mu.shape[2]
    i = math.floor(x / body.pixel + 0.5 * n)
    j = math.floor(y / body.pixel + 0.5 * n)
    k = math.floor(z / body.slice + 0.5 * depth)
    if i < 0 or j < 0 or k < 0 or i >= n or j >= n or k >= depth:
        return -1.0
    return body.mu[i, j, k]


@njit(cache=True)
def _fly(body, photons, particle, energy, stream):  # type: ignore[no-untyped-def]
    """Fly to the next interaction by Woodcock's method; return whether it lies in the lattice."""
    most = body.greatest * photons.attenuation[int(energy)]
    while True:
        step = -math.log(uniform(stream)) / most
        for axis in range(3):
            particle[axis] += step * particle[3 + axis]
        mu = _mu_at(body, particle[0], particle[1], particle[2])
        if mu < 0:
            return False
        if uniform(stream) * body.greatest < mu:
            return True


@njit(cache=True)
def _detect(tally, body, photons, camera, particle, energy, weight, at_birth, stream):  # type: ignore[no-untyped-def]
    """Add the chance to be counted by every view, after a scatter here, or unscattered at birth."""
    # one draw of the blur serves all views: it is scaled by the σ of each
    far = math.sqrt(-2 * math.log(uniform(stream)))
    turn = 2 * math.pi * uniform(stream)
    for view in range(camera.radii.size):
        nx, ny = camera.frames[view, 0], camera.frames[view, 1]
        left, chance = energy, 1.0
        if not at_birth:
            away = 1.0 - (particle[3] * nx + particle[4] * ny)
            ratio = 1.0 / (1.0 + energy / 510.99895 * away)
            left = energy * ratio
            chance = 4 * math.pi * towards(photons, energy, ratio, away)
        here = chance * weight
        if here * photons.accepted[:, int(left)].max() < NEGLIGIBLE:
            continue
        here *= math.exp(-photons.attenuation[int(left)] * _depth(body, particle, nx, ny))
        along = particle[0] * nx + particle[1] * ny
        distance = max(0.0, camera.radii[view] - along)
        sigma = camera.sigma[min(int(distance), camera.sigma.size - 1)]
        across = particle[0] * camera.frames[view, 2] + particle[1] * camera.frames[view, 3]
        u = math.floor((across + sigma * far * math.cos(turn)) / body.pixel + 0.5 * camera.bins)
        k = math.floor((particle[2] + sigma * far * math.sin(turn)) / body.slice + 0.5 * camera.rows)
        if 0 <= u < camera.bins and 0 <= k < camera.rows:
            for window in range(tally.shape[0]):
                tally[window, view, u, k] += here * photons.accepted[window, int(left)]


@njit(cache=True)
def towards(photons, energy, ratio, away):  # type: ignore[no-untyped-def]
    """Return the chance per steradian to scatter by an angle of 1 − cos θ = away (Klein and Nishina, with S(x))."""
    sine2 = away * (2.0 - away)
    law = 0.5 * ratio * ratio * (ratio + 1.0 / ratio - sine2)
    return law * _bound(photons, energy, away) / photons.per_electron[int(energy)]


@njit(cache=True)
def _bound(photons, energy, away):  # type: ignore[no-untyped-def]
    at = energy / 12.39842 * math.sqrt(max(0.0, 0.5 * away)) / photons.transfer_step
    i = int(at)
    if i >= photons.scattering.size - 1:
        return 1.0
    return photons.scattering[i] + (at - i) * (photons.scattering[i + 1] - photons.scattering[i])


@njit(cache=True)
def _depth(body, particle, nx, ny):  # type: ignore[no-untyped-def]
    """Return ∫ μ dl at the reference energy from here to the lattice's edge, along the normal of a view."""
    step = body.pixel
    x, y, depth = particle[0] + 0.5 * step * nx, particle[1] + 0.5 * step * ny, 0.0
    while True:
        mu = _mu_at(body, x, y, particle[2])
        if mu < 0:
            return depth
        depth += mu * step
        x += step * nx
        y += step * ny


@njit(cache=True)
def deflect(photons, particle, energy, stream):  # type: ignore[no-untyped-def]
    """Scatter: draw an angle from Klein and Nishina's law with bound electrons; return the energy left, keV."""
    reduced = energy / 510.99895
    while True:
        away = 2.0 * uniform(stream)
        ratio = 1.0 / (1.0 + reduced * away)
        sine2 = away * (2.0 - away)
        law = 0.5 * ratio * ratio * (ratio + 1.0 / ratio - sine2)  # no more than 1
        if uniform(stream) < law * _bound(photons, energy, away):
            break
    rotate(particle, 1.0 - away, 2 * math.pi * uniform(stream))
    return energy * ratio
