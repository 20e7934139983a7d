"""Moving through a lattice of voxels, and scoring on the way."""

from __future__ import annotations

import math

import numpy as np
from numba.extending import overload

from hevesy.kernels.inlined import inlined
from hevesy.kernels.random import uniform
from hevesy.kernels.tables import DEPOSITED, ENERGY, ESCAPED, ITEMS, KIND, SCORED, WEIGHT

_FAR = 1e30


@inlined
def locate(particle, lattice, voxel):  # type: ignore[no-untyped-def]
    """Set the voxel that holds a particle; return whether the particle is in the grid."""
    for a in range(3):
        n = math.floor(particle[a] / lattice.spacing[a])
        # a point on a face belongs to the voxel that it flies into
        if particle[3 + a] < 0 and particle[a] == n * lattice.spacing[a]:
            n -= 1
        voxel[a] = n
    inside = True
    for a in range(3):
        inside = inside and 0 <= voxel[a] < lattice.shape[a]
    return inside


@inlined
def _to_face(position, direction, voxel, spacing):  # type: ignore[no-untyped-def]
    if direction > 0:
        return max(0.0, ((voxel + 1) * spacing - position) / direction)
    if direction < 0:
        return max(0.0, (voxel * spacing - position) / direction)
    return _FAR


@inlined
def to_faces(particle, lattice, voxel):  # type: ignore[no-untyped-def]
    """Return the distance along the flight to the next face on each axis, mm."""
    x = _to_face(particle[0], particle[3], voxel[0], lattice.spacing[0])
    y = _to_face(particle[1], particle[4], voxel[1], lattice.spacing[1])
    z = _to_face(particle[2], particle[5], voxel[2], lattice.spacing[2])
    return x, y, z


@inlined
def _between(spacing, direction):  # type: ignore[no-untyped-def]
    return spacing / abs(direction) if direction != 0 else _FAR


@inlined
def between_faces(particle, lattice):  # type: ignore[no-untyped-def]
    """Return the distance along the flight from face to face on each axis, mm."""
    x = _between(lattice.spacing[0], particle[3])
    y = _between(lattice.spacing[1], particle[4])
    z = _between(lattice.spacing[2], particle[5])
    return x, y, z


@inlined
def strides(particle, lattice):  # type: ignore[no-untyped-def]
    """Return the change of the flat index where the flight crosses a face on each axis."""
    x = lattice.shape[1] * lattice.shape[2]
    y = lattice.shape[2]
    return (x if particle[3] > 0 else -x), (y if particle[4] > 0 else -y), (1 if particle[5] > 0 else -1)


@inlined
def voxels_left(particle, lattice, voxel):  # type: ignore[no-untyped-def]
    """Return the number of voxels ahead on each axis before the grid ends."""
    x = lattice.shape[0] - 1 - voxel[0] if particle[3] > 0 else voxel[0]
    y = lattice.shape[1] - 1 - voxel[1] if particle[4] > 0 else voxel[1]
    z = lattice.shape[2] - 1 - voxel[2] if particle[5] > 0 else voxel[2]
    return x, y, z


@inlined
def advance(particle, lattice, voxel, distance, left):  # type: ignore[no-untyped-def]
    """Move a particle straight on by a distance (mm), into the voxel with so many others `left` ahead on each axis."""
    for a in range(3):
        particle[a] += particle[3 + a] * distance
        voxel[a] = lattice.shape[a] - 1 - left[a] if particle[3 + a] > 0 else left[a]


@inlined
def stays(particle, lattice, voxel, distance):  # type: ignore[no-untyped-def]
    """Say whether a particle is still in its voxel after flying a distance (mm)."""
    inside = True
    for a in range(3):
        at = particle[a] + particle[3 + a] * distance - voxel[a] * lattice.spacing[a]
        inside = inside and 0.0 < at < lattice.spacing[a]
    return inside


@inlined
def index_of(lattice, voxel):  # type: ignore[no-untyped-def]
    """Return the flat index of a voxel."""
    return (voxel[0] * lattice.shape[1] + voxel[1]) * lattice.shape[2] + voxel[2]


@inlined
def clearance(particle, lattice, voxel):  # type: ignore[no-untyped-def]
    """Return the distance from a particle to the nearest face of its voxel, mm."""
    least = _FAR
    for a in range(3):
        low = particle[a] - voxel[a] * lattice.spacing[a]
        least = min(least, low, lattice.spacing[a] - low)
    return least


@inlined
def _shell_of(lattice, x, y, z):  # type: ignore[no-untyped-def]
    x -= 0.5 * lattice.spacing[0] * lattice.shape[0]
    y -= 0.5 * lattice.spacing[1] * lattice.shape[1]
    z -= 0.5 * lattice.spacing[2] * lattice.shape[2]
    radius = math.sqrt(x * x + y * y + z * z)
    return np.searchsorted(lattice.shells, radius, side="right") - 1


def add(tally, place, energy):  # type: ignore[no-untyped-def]
    """Add energy to one place of a tally that no other thread writes; `hevesy.kernels.cuda` has it done atomically."""
    tally[place] += energy


@overload(add)
def _add(tally, place, energy):  # type: ignore[no-untyped-def]
    return add


@inlined
def score(particle, place, lattice, scratch, energy, span):  # type: ignore[no-untyped-def]
    """Score energy (weight included) evenly over `span` of the flight, start and length in mm, in voxel `place`.

    With shells, all of it is scored at a random point of that length.
    """
    if lattice.shells.size == 0:
        add(scratch.tally, place, energy)  # type: ignore[no-untyped-call]
        return
    along = span[0] + span[1] * uniform(scratch.stream)
    shell = _shell_of(
        lattice,
        particle[0] + along * particle[3],
        particle[1] + along * particle[4],
        particle[2] + along * particle[5],
    )
    add(scratch.tally, min(shell, scratch.tally.size - 1), energy)  # type: ignore[no-untyped-call]


@inlined
def absorb(particle, place, lattice, scratch, energy):  # type: ignore[no-untyped-def]
    """Deposit energy (without weight) of a particle where it is."""
    scratch.balance[DEPOSITED] += energy * particle[WEIGHT]
    scratch.balance[SCORED] += energy * particle[WEIGHT]
    score(particle, place, lattice, scratch, energy * particle[WEIGHT], (0.0, 0.0))


@inlined
def escape(particle, scratch, energy):  # type: ignore[no-untyped-def]
    """Book energy (without weight) that leaves the grid."""
    scratch.balance[ESCAPED] += energy * particle[WEIGHT]


@inlined
def push(scratch, particle, kind, energy):  # type: ignore[no-untyped-def]
    """Put a secondary with the particle's place, direction and weight on the stack; return its row."""
    # a full stack loses its top, which the balance of energy shows
    row = min(scratch.depth[0], scratch.stack.shape[0] - 1)
    for i in range(ITEMS):
        scratch.stack[row, i] = particle[i]
    scratch.stack[row, ENERGY] = energy
    scratch.stack[row, KIND] = kind
    scratch.depth[0] = row + 1
    return row
