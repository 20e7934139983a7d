"""Straight rays through a grid of densities: where a point kernel leaves its energy when thickness is what counts."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

#: an irrational step of a low-discrepancy sequence in five dimensions (Roberts 2018: powers of the root of x⁶ = x + 1)
_ROOT = 1.1347241384015194
_STEPS = np.array([_ROOT ** -(i + 1) for i in range(5)])
_FAR = 1e30


class Body(NamedTuple):
    """What photons pass, in blocks.

    Parameters
    ----------
    density : (n0, n1, n2) array
        Relative to water's.
    bone : (n0, n1, n2) array
        Part of the mass that is bone.
    scatterers : (n0, n1, n2) array
        How much of the matter that surrounds a point in water surrounds it here, 0 to 1.
    bone_around : (n0, n1, n2) array
        Bone that scattered photons pass in the surroundings of a point, mm at water's density.
    spacing : (3,) array
        Sides of a block, mm.
    """

    density: NDArray[np.float64]
    bone: NDArray[np.float64]
    scatterers: NDArray[np.float64]
    bone_around: NDArray[np.float64]
    spacing: NDArray[np.float64]


@njit(cache=True, nogil=True)
def trace_difference(energy, sources, rays, density, spacing, table, step):  # type: ignore[no-untyped-def]
    """Add what rays leave in a medium, less what the same rays leave where density is the same all around.

    Parameters
    ----------
    energy : (n0, n1, n2) array
        Is added to: energy per voxel, in the unit of `table`.
    sources : (s, 5) array
        Voxel indices of each source, its weight, and the density (relative to water's) all around for which its energy
        was counted already; 0 if it was not.
    rays : (s,) array of int
        Rays of each source.
    density : (n0, n1, n2) array
        Thickness over length, relative to water's.
    spacing : (3,) array
        Voxel sides, mm.
    table : (k,) array
        Energy left within a thickness of water, at 0, `step`, 2 `step`, … mm; the last value is all.
    step : float
        Step of the table, mm.
    """
    place = np.empty(3)
    turn = np.empty(3)
    voxel = np.empty(3, np.int64)
    draw = np.empty(5)
    for s in range(sources.shape[0]):
        weight = sources[s, 3] / rays[s]
        for ray in range(rays[s]):
            for d in range(5):
                draw[d] = (0.5 + s * 0.6180339887498949 + (ray + 1) * _STEPS[d] + s * _STEPS[4 - d]) % 1.0
            for a in range(3):
                voxel[a] = int(sources[s, a])
                place[a] = draw[a]
            cosine = 2.0 * draw[3] - 1.0
            sine = math.sqrt(max(0.0, 1.0 - cosine * cosine))
            turn[0] = sine * math.cos(2.0 * math.pi * draw[4])
            turn[1] = sine * math.sin(2.0 * math.pi * draw[4])
            turn[2] = cosine
            _follow(energy, (weight, sources[s, 4]), voxel, place, turn, density, spacing, table, step)


@njit(cache=True, nogil=True)
def _follow(energy, source, voxel, place, turn, density, spacing, table, step):  # type: ignore[no-untyped-def]
    """Follow one ray voxel by voxel until neither the medium nor an even density holds more of its energy."""
    weight, even = source
    reach = (table.size - 1) * step
    reach_even = reach / even if even > 0.0 else 0.0
    to_face = np.empty(3)
    for a in range(3):
        left = 1.0 - place[a] if turn[a] > 0 else place[a]
        to_face[a] = left * spacing[a] / abs(turn[a]) if turn[a] != 0 else _FAR
    length, thickness = 0.0, 0.0
    in_even, in_medium = 0.0, 0.0
    while length < reach_even or thickness < reach:
        axis = 0
        if to_face[1] < to_face[axis]:
            axis = 1
        if to_face[2] < to_face[axis]:
            axis = 2
        thickness += (to_face[axis] - length) * density[voxel[0], voxel[1], voxel[2]]
        length = to_face[axis]
        counted, medium = _left_within(table, step, even * length), _left_within(table, step, thickness)
        energy[voxel[0], voxel[1], voxel[2]] += weight * (medium - in_medium - counted + in_even)
        in_even, in_medium = counted, medium
        voxel[axis] += 1 if turn[axis] > 0 else -1
        if voxel[axis] < 0 or voxel[axis] >= density.shape[axis]:
            return
        to_face[axis] += spacing[axis] / abs(turn[axis])


@njit(cache=True, nogil=True)
def _left_within(table, step, thickness):  # type: ignore[no-untyped-def]
    at = thickness / step
    i = int(at)
    if i >= table.size - 1:
        return table[-1]
    return table[i] + (at - i) * (table[i + 1] - table[i])


@njit(cache=True, nogil=True)
def photon_ratios(targets, sources, body, groups, log_table):  # type: ignore[no-untyped-def]
    """Return the dose of photons to water and to bone at targets, over that to water with water all around.

    Primary photons are attenuated along straight lines, group by group of energy; scattered ones by the thickness
    passed, as much as there is matter about source and target to scatter them.

    Parameters
    ----------
    targets, sources : (t, 3), (s, 3) array
        Places, mm from the grid's corner; all sources are equal.
    body : Body
        Density, bone and nearness of scatterers.
    groups : (g, 8) array
        As from `hevesy.physics.photon_field.PhotonField.groups`.
    log_table : (k, 2) array
        Logarithms of thickness of water (mm, even steps) and of the energy left per mm there, J per decay.

    Returns
    -------
    (t, 2) array
        For water and for bone at the target.
    """
    ratios = np.ones((targets.shape[0], 2))
    shortest = 0.5 * min(body.spacing[0], body.spacing[1], body.spacing[2])
    found = np.empty(5)
    for t in range(targets.shape[0]):
        to_water, to_bone, alone = 0.0, 0.0, 0.0
        for s in range(sources.shape[0]):
            apart = 0.0
            for a in range(3):
                apart += (targets[t, a] - sources[s, a]) ** 2
            length = max(shortest, math.sqrt(apart))
            _pass(targets[t], sources[s], body, found)
            _pair(length, found, groups, log_table)
            nearness = 1.0 / (length * length)
            to_water += nearness * found[0]
            to_bone += nearness * found[1]
            alone += nearness * _left_per_mm(log_table, length)
        if alone > 0:
            ratios[t, 0] = to_water / alone
            ratios[t, 1] = to_bone / alone
    return ratios


@njit(cache=True, nogil=True)
def _pair(length, found, groups, log_table):  # type: ignore[no-untyped-def]
    """Turn density and bone on a line, and what surrounds its ends, into what water and bone take at its end."""
    thickness, bony, scatterers, around = length * found[0], length * found[1], found[2], found[3]
    primary, primary_bone, by_density = 0.0, 0.0, 0.0
    soft, soft_bone, without = 0.0, 0.0, 0.0
    for g in range(groups.shape[0]):
        here = groups[g, 0]
        first = here * math.exp(-groups[g, 2] * thickness)
        by_density += first
        emitted = 1.0 + groups[g, 7] * found[4]
        first *= emitted * math.exp(-groups[g, 3] * bony)
        primary += first
        primary_bone += first * groups[g, 4]
        later = here * math.exp(-groups[g, 1] * thickness)
        without += later
        later *= emitted * math.exp(-groups[g, 5] * (bony + around))
        soft += later
        soft_bone += later * groups[g, 6]
    whole = _left_per_mm(log_table, max(1e-3, thickness))
    scattered = scatterers * max(0.0, whole - by_density)
    # within the reach of electrons the kernel of photons holds less than bremsstrahlung gives
    part = min(1.0, whole / by_density)
    found[0] = part * primary + scattered * soft / without
    found[1] = part * primary_bone + scattered * soft_bone / without


@njit(cache=True, nogil=True)
def _left_per_mm(log_table, thickness):  # type: ignore[no-untyped-def]
    step = log_table[1, 0] - log_table[0, 0]
    at = (math.log(thickness) - log_table[0, 0]) / step
    i = min(max(int(at), 0), log_table.shape[0] - 2)
    return math.exp(log_table[i, 1] + min(1.0, max(0.0, at - i)) * (log_table[i + 1, 1] - log_table[i, 1]))


@njit(cache=True, nogil=True)
def _pass(target, source, body, found):  # type: ignore[no-untyped-def]
    """Average density and bone along a line, at points a third of a voxel apart; and what surrounds its ends."""
    spacing, shape = body.spacing, body.density.shape
    longest = 0.0
    for a in range(3):
        longest = max(longest, abs(target[a] - source[a]) / spacing[a])
    points = 2 + int(3.0 * longest)
    found[:] = 0.0
    near = 1.0
    for p in range(points):
        part = (p + 0.5) / points
        i = min(max(int((source[0] + part * (target[0] - source[0])) / spacing[0]), 0), shape[0] - 1)
        j = min(max(int((source[1] + part * (target[1] - source[1])) / spacing[1]), 0), shape[1] - 1)
        k = min(max(int((source[2] + part * (target[2] - source[2])) / spacing[2]), 0), shape[2] - 1)
        found[0] += body.density[i, j, k] / points
        found[1] += body.density[i, j, k] * body.bone[i, j, k] / points
        if p == 0 or p == points - 1:
            near *= body.scatterers[i, j, k]
            found[3] += body.bone_around[i, j, k]
        if p == 0:
            found[4] = body.bone[i, j, k]
    found[2] = math.sqrt(near)
