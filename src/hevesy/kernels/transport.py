"""Coupled transport of photons, electrons, positrons and alphas: one history, one batch."""

from __future__ import annotations

import math

from numba import njit

from hevesy.kernels.alpha import walk_alpha
from hevesy.kernels.electron import walk_electron
from hevesy.kernels.flight import add
from hevesy.kernels.inlined import inlined
from hevesy.kernels.photon import walk_photon
from hevesy.kernels.random import point_at, start_stream, uniform
from hevesy.kernels.tables import (
    ALPHA,
    DEPOSITED,
    DIMENSIONS,
    EMITTED,
    ENERGY,
    HISTORIES,
    ITEMS,
    KIND,
    PHOTON,
    POSITRON,
    SCORED,
    WEIGHT,
)

#: Kronecker's lattice is even in six dimensions by the powers of the root of x⁷ = x + 1
#: (M. Roberts, The unreasonable effectiveness of quasirandom sequences, 2018)
_STEPS = tuple(1.1127756842787055**-i for i in range(1, DIMENSIONS))


@njit(cache=True, _nrt=False, nogil=True, error_model="numpy")
def run_batch(world, source, stream, draw, scratch):  # type: ignore[no-untyped-def]
    """Run histories and add what they deposit to a thread's storage.

    Parameters
    ----------
    world : World
        What the particles meet.
    source : Source
        Where they start.
    stream : (int, int)
        Seed, and the number of this batch: its own for every source.
    draw : (int, float, bool)
        How many histories; the decays that each stands for; and whether the voxels and energies at the start are
        a lattice under a random shift of the batch, which is unbiased and leaves batches independent.
    scratch : Scratch
        The thread's storage.
    """
    begin_batch(stream, scratch)
    for history in range(draw[0]):
        run_history(world, source, stream, draw, history, scratch)


@inlined
def begin_batch(stream, scratch):  # type: ignore[no-untyped-def]
    """Draw the shift of a batch's lattice of starts."""
    start_stream(scratch.stream, stream[0], stream[1], -1)
    for i in range(DIMENSIONS):
        scratch.shift[i] = uniform(scratch.stream)


@inlined
def run_history(world, source, stream, draw, history, scratch):  # type: ignore[no-untyped-def]
    """Run one history of a batch; see `run_batch`."""
    histories, scale, stratified = draw
    start_stream(scratch.stream, stream[0], stream[1], history)
    for i in range(DIMENSIONS):
        if not stratified:
            scratch.start[i] = uniform(scratch.stream)
        elif i == 0:
            scratch.start[i] = _fraction(scratch.shift[i] + history / histories)
        else:
            scratch.start[i] = _fraction(scratch.shift[i] + history * _STEPS[i - 1])
    particle = scratch.stack[0]
    place, booked = _emit(particle, world, source, scratch.start)
    particle[WEIGHT] *= scale
    scratch.balance[HISTORIES] += 1
    if particle[KIND] == ALPHA:
        # its energy is booked already, where it is born
        walk_alpha(particle, world, scratch)
        return
    rest = 2.0 if particle[KIND] == POSITRON else 0.0
    scratch.balance[EMITTED] += particle[WEIGHT] * (particle[ENERGY] + rest)
    if booked > 0:
        _take(place, scratch, booked * particle[WEIGHT] * particle[ENERGY])
    scratch.depth[0] = 1
    current = scratch.current
    while scratch.depth[0] > 0:
        scratch.depth[0] -= 1
        for i in range(ITEMS):
            current[i] = scratch.stack[scratch.depth[0], i]
        if current[KIND] == PHOTON:
            walk_photon(current, world, scratch)
        else:
            walk_electron(current, world, scratch)


@inlined
def _take(place, scratch, energy):  # type: ignore[no-untyped-def]
    """Take what was booked for this history from the voxel of its birth."""
    scratch.balance[EMITTED] -= energy
    scratch.balance[DEPOSITED] -= energy
    scratch.balance[SCORED] -= energy
    add(scratch.tally, place, -energy)  # type: ignore[no-untyped-call]


@inlined
def _fraction(value):  # type: ignore[no-untyped-def]
    return value - math.floor(value)


@inlined
def _find(cumulative, guide, value):  # type: ignore[no-untyped-def]
    """Return the first index whose cumulative probability reaches a value below 1."""
    i = guide[min(int(value * guide.size), guide.size - 1)]
    while i < cumulative.size - 1 and cumulative[i] < value:
        i += 1
    return i


@inlined
def _emit(particle, world, source, start):  # type: ignore[no-untyped-def]
    """Place the particle that a point of the unit cube stands for; return its voxel and the share booked there."""
    lattice = world.lattice
    b = _find(source.bins[:, 4], source.bin_guide, start[1])
    before = source.bins[b - 1, 4] if b > 0 else 0.0
    within = (start[1] - before) / (source.bins[b, 4] - before)
    particle[ENERGY] = source.bins[b, 0] + within * (source.bins[b, 1] - source.bins[b, 0])
    particle[KIND] = source.bins[b, 2]
    particle[WEIGHT] = source.bins[b, 3]
    point_at(particle, 2.0 * start[5] - 1.0, 2.0 * math.pi * start[6])
    if source.at_centre:
        for a in range(3):
            particle[a] = 0.5 * lattice.shape[a] * lattice.spacing[a]
        return 0, 0.0
    v = _find(source.cumulative, source.voxel_guide, start[0])
    place = source.voxel[v]
    plane = lattice.shape[1] * lattice.shape[2]
    particle[0] = (place // plane + start[2]) * lattice.spacing[0]
    particle[1] = (place % plane // lattice.shape[2] + start[3]) * lattice.spacing[1]
    particle[2] = (place % lattice.shape[2] + start[4]) * lattice.spacing[2]
    return place, source.booked[source.level[v], b] if source.level.size else 0.0
