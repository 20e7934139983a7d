"""Coupled transport of photons, electrons, positrons and alphas: one history, one batch."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from hevesy.kernels.alpha import walk_alpha
from hevesy.kernels.electron import walk_electron
from hevesy.kernels.photon import walk_photon
from hevesy.kernels.random import point_at, start_stream, uniform
from hevesy.kernels.tables import ALPHA, DIMENSIONS, EMITTED, ENERGY, HISTORIES, ITEMS, KIND, PHOTON, POSITRON, WEIGHT

#: the golden section: with j/n it makes a lattice in two dimensions that is even for every n
_GOLDEN = 0.5 * (math.sqrt(5.0) - 1.0)


@njit(cache=True, _nrt=False, nogil=True)
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
    histories, scale, stratified = draw
    shift, start = scratch.shift, scratch.start
    start_stream(scratch.stream, stream[0], stream[1], -1)
    for i in range(DIMENSIONS):
        shift[i] = uniform(scratch.stream)
    for history in range(histories):
        start_stream(scratch.stream, stream[0], stream[1], history)
        for i in range(DIMENSIONS):
            start[i] = uniform(scratch.stream)
        if stratified:
            start[0] = (shift[0] + history / histories) % 1.0
            start[1] = (shift[1] + history * _GOLDEN) % 1.0
        _run_history(world, source, start, scale, scratch)
    scratch.balance[HISTORIES] += histories


@njit(cache=True, _nrt=False)
def _run_history(world, source, start, scale, scratch):  # type: ignore[no-untyped-def]
    particle = scratch.stack[0]
    _emit(particle, world, source, start)
    particle[WEIGHT] *= scale
    if particle[KIND] == ALPHA:
        # its energy is booked already, where it is born
        walk_alpha(particle, world, scratch)
        return
    rest = 2.0 if particle[KIND] == POSITRON else 0.0
    scratch.balance[EMITTED] += particle[WEIGHT] * (particle[ENERGY] + rest)
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


@njit(cache=True, _nrt=False)
def _emit(particle, world, source, start):  # type: ignore[no-untyped-def]
    """Place the source particle that a point of the unit cube stands for."""
    lattice = world.lattice
    b = min(np.searchsorted(source.bins[:, 4], start[1]), source.bins.shape[0] - 1)
    before = source.bins[b - 1, 4] if b > 0 else 0.0
    within = (start[1] - before) / (source.bins[b, 4] - before)
    particle[ENERGY] = source.bins[b, 0] + within * (source.bins[b, 1] - source.bins[b, 0])
    particle[KIND] = source.bins[b, 2]
    particle[WEIGHT] = source.bins[b, 3]
    point_at(particle, 2.0 * start[5] - 1.0, 2.0 * math.pi * start[6])
    if source.at_centre:
        for a in range(3):
            particle[a] = 0.5 * lattice.shape[a] * lattice.spacing[a]
        return
    place = source.voxel[min(np.searchsorted(source.cumulative, start[0]), source.voxel.size - 1)]
    plane = lattice.shape[1] * lattice.shape[2]
    particle[0] = (place // plane + start[2]) * lattice.spacing[0]
    particle[1] = (place % plane // lattice.shape[2] + start[3]) * lattice.spacing[1]
    particle[2] = (place % lattice.shape[2] + start[4]) * lattice.spacing[2]
