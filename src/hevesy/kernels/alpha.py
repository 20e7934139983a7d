"""Alpha particles: straight tracks along which they slow down continuously.

Their energy is booked where they are born before any is followed, so that only what crosses a face carries statistical
noise: a history takes its energy from the voxel of its birth and lays it along the track.
"""

from __future__ import annotations

from hevesy.kernels.flight import (
    advance,
    between_faces,
    clearance,
    escape,
    index_of,
    locate,
    score,
    strides,
    to_faces,
    voxels_left,
)
from hevesy.kernels.inlined import inlined
from hevesy.kernels.tables import DEPOSITED, ENERGY, SCORED, WEIGHT


@inlined
def walk_alpha(particle, world, scratch):  # type: ignore[no-untyped-def]
    """Move an alpha's energy from where it was born to where its track leads."""
    lattice, options = world.lattice, world.options
    locate(particle, lattice, scratch.voxel)
    place = index_of(lattice, scratch.voxel)
    reach = range_at(world.alphas, lattice.medium[place], particle[ENERGY]) / lattice.density[place]
    if options.stop_inside and reach < clearance(particle, lattice, scratch.voxel):
        return
    _book(particle, place, lattice, scratch, -particle[ENERGY], (0.0, 0.0))
    _slow_down(particle, place, world, scratch)


@inlined
def _slow_down(particle, place, world, scratch):  # type: ignore[no-untyped-def]
    """Fly straight from voxel to voxel until the range in each voxel's medium is used up."""
    lattice, voxel = world.lattice, scratch.voxel
    tx, ty, tz = to_faces(particle, lattice, voxel)
    dx, dy, dz = between_faces(particle, lattice)
    turn_x, turn_y, turn_z = strides(particle, lattice)
    left_x, left_y, left_z = voxels_left(particle, lattice, voxel)
    gone, energy = 0.0, particle[ENERGY]
    while True:
        medium, density = lattice.medium[place], lattice.density[place]
        face = min(tx, ty, tz)
        ahead = range_at(world.alphas, medium, energy)
        thickness = density * (face - gone)
        if thickness >= ahead:
            _book(particle, place, lattice, scratch, energy, (gone, ahead / density))
            return
        after = min(energy, energy_at(world.alphas, medium, ahead - thickness)) if thickness > 0 else energy
        _book(particle, place, lattice, scratch, energy - after, (gone, face - gone))
        energy, gone = after, face
        if tx == face:
            tx, place, left_x = tx + dx, place + turn_x, left_x - 1
        elif ty == face:
            ty, place, left_y = ty + dy, place + turn_y, left_y - 1
        else:
            tz, place, left_z = tz + dz, place + turn_z, left_z - 1
        if min(left_x, left_y, left_z) < 0:
            advance(particle, lattice, voxel, gone, (left_x, left_y, left_z))
            escape(particle, scratch, energy)
            return


@inlined
def _book(particle, place, lattice, scratch, energy, span):  # type: ignore[no-untyped-def]
    """Deposit energy (without weight) evenly over `span` of the flight, start and length in mm."""
    scratch.balance[DEPOSITED] += energy * particle[WEIGHT]
    scratch.balance[SCORED] += energy * particle[WEIGHT]
    score(particle, place, lattice, scratch, energy * particle[WEIGHT], span)


@inlined
def range_at(tables, medium, energy):  # type: ignore[no-untyped-def]
    """Return the range (kg/mm²) of an alpha of an energy, m_e c²."""
    at = energy / tables.step
    i = min(int(at), tables.range.shape[1] - 2)
    low = tables.range[medium, i]
    return low + (at - i) * (tables.range[medium, i + 1] - low)


@inlined
def energy_at(tables, medium, distance):  # type: ignore[no-untyped-def]
    """Return the energy (m_e c²) of an alpha of a range, kg/mm²: the inverse of `range_at`."""
    low, high = 0, tables.range.shape[1] - 1
    while high - low > 1:
        middle = (low + high) // 2
        if tables.range[medium, middle] <= distance:
            low = middle
        else:
            high = middle
    before, after = tables.range[medium, low], tables.range[medium, low + 1]
    return tables.step * (low + (distance - before) / (after - before))
