"""Electrons and positrons by condensed history through cells of energy.

A particle loses energy evenly along the mass thickness in which soft collisions take it through its present
cell; the thickness is that of each voxel on the way, so that no step ends at a face. At one random point
of the cell it is turned by the angle that all elastic and soft collisions of the cell add up to in the medium
found there (a random hinge, as in PENELOPE), and hard collisions and photons occur in between, one by one.
"""

from __future__ import annotations

import math

from hevesy.kernels.flight import (
    absorb,
    advance,
    between_faces,
    clearance,
    escape,
    index_of,
    locate,
    push,
    score,
    stays,
    strides,
    to_faces,
    voxels_left,
)
from hevesy.kernels.inlined import inlined
from hevesy.kernels.random import point_at, rotate, rotate_anywhere, uniform
from hevesy.kernels.tables import DEPOSITED, ELECTRON, ENERGY, KIND, PHOTON, POSITRON, SCORED, WEIGHT

_DONE, _HARD, _ESCAPED, _GOING = 0, 1, 2, 3


@inlined
def walk_electron(particle, world, scratch):  # type: ignore[no-untyped-def]
    """Follow one electron or positron to its end; its secondaries go on the stack."""
    tables = world.electrons
    locate(particle, world.lattice, scratch.voxel)
    first = tables.hard.shape[0] // 2 if particle[KIND] == POSITRON else 0
    free = -math.log(uniform(scratch.stream))
    cell = _cell_of(tables.edges, particle[ENERGY])
    while True:
        if _ends_here(particle, world, scratch, cell, first):
            _come_to_rest(particle, world, scratch, cell, first)
            return
        outcome, free = _cross_cell(particle, world, scratch, cell, first, free)
        if outcome == _ESCAPED:
            escape(particle, scratch, particle[ENERGY] + (2.0 if first else 0.0))
            return
        if outcome == _HARD:
            if _collide(particle, world, scratch, cell, first):
                return
            free = -math.log(uniform(scratch.stream))
            while cell < tables.edges.size - 2 and tables.edges[cell + 1] >= particle[ENERGY]:
                cell += 1
        else:
            cell += 1


@inlined
def _cell_of(edges, energy):  # type: ignore[no-untyped-def]
    low, high = 0, edges.size - 1
    while high - low > 1:
        middle = (low + high) // 2
        if edges[middle] >= energy:
            low = middle
        else:
            high = middle
    return low


@inlined
def _ends_here(particle, world, scratch, cell, first):  # type: ignore[no-untyped-def]
    """Say whether a particle is slow, or cannot leave its voxel, or moves too little to matter."""
    options, tables = world.options, world.electrons
    if particle[ENERGY] <= options.electron_cutoff or cell >= tables.edges.size - 1:
        return True
    place = index_of(world.lattice, scratch.voxel)
    density = world.lattice.density[place]
    if density <= 0:
        return False
    m = world.lattice.medium[place] + first
    reach = tables.residual[m, cell]
    top = tables.edges[cell]
    if particle[ENERGY] < top:
        reach -= (top - particle[ENERGY]) / (top - tables.edges[cell + 1]) * tables.thickness[m, cell]
    return options.stop_inside and reach < clearance(particle, world.lattice, scratch.voxel) * density


@inlined
def _come_to_rest(particle, world, scratch, cell, first):  # type: ignore[no-untyped-def]
    """Deposit what is left; radiate what it would still have radiated; annihilate a positron."""
    place = index_of(world.lattice, scratch.voxel)
    tables = world.electrons
    m = world.lattice.medium[place] + first
    radiator = _cell_of_event(particle, tables, tables.photons_left[m], cell, scratch.stream)
    if radiator >= 0:
        emitter = min(particle[ENERGY], tables.edges[radiator])
        _radiate(particle, world, scratch, m, radiator, emitter)
    if first:
        end = _cell_of_event(particle, tables, tables.annihilations_left[m], cell, scratch.stream)
        if end >= 0:
            left = min(particle[ENERGY], tables.edges[end])
            absorb(particle, place, world.lattice, scratch, particle[ENERGY] - left)
            particle[ENERGY] = left
            _annihilate_in_flight(particle, scratch)
            return
        annihilate(particle, scratch)
    absorb(particle, place, world.lattice, scratch, particle[ENERGY])


@inlined
def _cell_of_event(particle, tables, left, cell, stream):  # type: ignore[no-untyped-def]
    """Draw whether a rare event would occur before rest, and in which cell; −1 where it would not."""
    last = tables.edges.size - 2
    if cell > last:
        return -1
    part = max(0.0, (particle[ENERGY] - tables.edges[cell + 1]) / (tables.edges[cell] - tables.edges[cell + 1]))
    draw = uniform(stream)
    if draw >= left[cell + 1] + part * (left[cell] - left[cell + 1]):
        return -1
    while cell < last and left[cell + 1] > draw:
        cell += 1
    return cell


@inlined
def annihilate(particle, scratch):  # type: ignore[no-untyped-def]
    """Put two opposite photons of one rest energy each on the stack, in a random direction."""
    one = scratch.stack[push(scratch, particle, PHOTON, 1.0)]
    point_at(one, 2.0 * uniform(scratch.stream) - 1.0, 2.0 * math.pi * uniform(scratch.stream))
    two = scratch.stack[push(scratch, one, PHOTON, 1.0)]
    for a in range(3, 6):
        two[a] = -one[a]


@inlined
def _annihilate_in_flight(particle, scratch):  # type: ignore[no-untyped-def]
    """Share kinetic energy and two rest energies between two photons, by Heitler's distribution.

    With ζ the share of one, dσ/dζ ∝ S(ζ) + S(1 − ζ), S(ζ) = −(γ + 1)² + (γ² + 4γ + 1)/ζ − 1/ζ².
    """
    gamma = particle[ENERGY] + 1.0
    momentum = math.sqrt(gamma * gamma - 1.0)
    least = 1.0 / (gamma + 1.0 + momentum)
    most = gamma * gamma + 2.0 * gamma - 1.0
    while True:
        # 1/ζ between its bounds, which share 1 between them
        share = least * ((1.0 - least) / least) ** uniform(scratch.stream)
        density = -((gamma + 1.0) ** 2) * share + gamma * gamma + 4.0 * gamma + 1.0 - 1.0 / share
        if uniform(scratch.stream) * most < density:
            break
    azimuth = 2.0 * math.pi * uniform(scratch.stream)
    for part, turn in ((share, 0.0), (1.0 - share, math.pi)):
        photon = scratch.stack[push(scratch, particle, PHOTON, part * (gamma + 1.0))]
        cosine = (gamma + 1.0 - 1.0 / part) / momentum
        rotate(photon, min(1.0, max(-1.0, cosine)), azimuth + turn)


@inlined
def _cross_cell(particle, world, scratch, cell, first, free):  # type: ignore[no-untyped-def]
    """Move through one cell of energy; return what ended it, and the free path left in mean free paths."""
    tables = world.electrons
    top, bottom = tables.edges[cell], tables.edges[cell + 1]
    phase = min(1.0, (top - particle[ENERGY]) / (top - bottom)) if particle[ENERGY] < top else 0.0
    spread = uniform(scratch.stream) - 0.5
    hinge = uniform(scratch.stream)
    outcome = _DONE
    if phase < hinge:
        outcome, phase, free = _straight(particle, world, scratch, (cell, first), (phase, hinge, spread), free)
        if outcome == _DONE:
            m = world.lattice.medium[index_of(world.lattice, scratch.voxel)] + first
            mu = quantile(tables.deflection[m, cell], uniform(scratch.stream))
            rotate_anywhere(particle, 1.0 - 2.0 * mu, scratch.stream)
    if outcome == _DONE:
        outcome, phase, free = _straight(particle, world, scratch, (cell, first), (phase, 1.0, spread), free)
    energy = particle[ENERGY]
    # at the edge exactly, so that rounding cannot put the particle back into this cell
    particle[ENERGY] = bottom if outcome == _DONE else max(0.0, top - phase * (top - bottom))
    scratch.balance[DEPOSITED] += (energy - particle[ENERGY]) * particle[WEIGHT]
    scratch.balance[SCORED] += (energy - particle[ENERGY]) * particle[WEIGHT]
    return outcome, free


@inlined
def _part_before_event(hard, part, free):  # type: ignore[no-untyped-def]
    """Return the part of a cell before its end or the next hard event, and which of them it is."""
    if hard * part > free:
        return free / hard, _HARD
    return part, _DONE


@inlined
def _straight(particle, world, scratch, at, span, free):  # type: ignore[no-untyped-def]
    """Fly straight through part of a cell; return what ended it, where in the cell, and the free path left."""
    lattice, tables, voxel = world.lattice, world.electrons, scratch.voxel
    cell, first = at
    phase, target, spread = span
    dose = particle[WEIGHT] * (tables.edges[cell] - tables.edges[cell + 1])
    place = index_of(lattice, voxel)
    m = lattice.medium[place] + first
    if lattice.density[place] > 0:
        # most flights end in the voxel where they start
        part, outcome = _part_before_event(tables.hard[m, cell], target - phase, free)
        length = tables.thickness[m, cell] * (1.0 + tables.straggling[m, cell] * spread) / lattice.density[place]
        step = part * length
        if stays(particle, lattice, voxel, step):
            score(particle, place, lattice, scratch, dose * part, (0.0, step))
            for a in range(3):
                particle[a] += particle[3 + a] * step
            return outcome, phase + part, free - tables.hard[m, cell] * part
    tx, ty, tz = to_faces(particle, lattice, voxel)
    dx, dy, dz = between_faces(particle, lattice)
    turn_x, turn_y, turn_z = strides(particle, lattice)
    left_x, left_y, left_z = voxels_left(particle, lattice, voxel)
    gone, outcome = 0.0, _GOING
    while outcome == _GOING:
        m = lattice.medium[place] + first
        rate = lattice.density[place] / (tables.thickness[m, cell] * (1.0 + tables.straggling[m, cell] * spread))
        face = min(tx, ty, tz)
        part = (face - gone) * rate
        if part > target - phase:
            part, outcome = target - phase, _DONE
        if tables.hard[m, cell] * part > free:
            part, outcome = free / tables.hard[m, cell], _HARD
        step = part / rate if outcome != _GOING else face - gone
        score(particle, place, lattice, scratch, dose * part, (gone, step))
        free -= tables.hard[m, cell] * part
        phase += part
        gone += step
        if outcome != _GOING:
            break
        if tx == face:
            tx, place, left_x = tx + dx, place + turn_x, left_x - 1
        elif ty == face:
            ty, place, left_y = ty + dy, place + turn_y, left_y - 1
        else:
            tz, place, left_z = tz + dz, place + turn_z, left_z - 1
        if min(left_x, left_y, left_z) < 0:
            outcome = _ESCAPED
    advance(particle, lattice, voxel, gone, (left_x, left_y, left_z))
    return outcome, phase, free


@inlined
def quantile(table, probability):  # type: ignore[no-untyped-def]
    """Interpolate quantiles that are stored at 1 − (1 − j/(n − 1))²."""
    spacing = 1.0 / (table.size - 1)
    above = 1.0 - probability
    j = min(int((1.0 - math.sqrt(above)) * (table.size - 1)), table.size - 2)
    # even in probability within an interval, as the table's first moment was normalised
    left = 1.0 - j * spacing
    part = (left * left - above) / (spacing * (2.0 * left - spacing))
    return table[j] + (table[j + 1] - table[j]) * part


@inlined
def _collide(particle, world, scratch, cell, first):  # type: ignore[no-untyped-def]
    """Radiate a photon, knock on an electron, or annihilate; return whether the particle is gone."""
    tables = world.electrons
    m = world.lattice.medium[index_of(world.lattice, scratch.voxel)] + first
    draw = uniform(scratch.stream) - tables.radiative[m, cell]
    if draw < 0:
        _radiate(particle, world, scratch, m, cell, particle[ENERGY])
        return False
    if draw < tables.annihilating[m, cell]:
        _annihilate_in_flight(particle, scratch)
        return True
    energy = particle[ENERGY]
    if first:
        loss = _bhabha_loss(energy, tables.delta_threshold, scratch.stream)
    else:
        loss = _moller_loss(energy, tables.delta_threshold, scratch.stream)
    if loss <= 0:
        return False
    azimuth = 2.0 * math.pi * uniform(scratch.stream)
    _knock_on(particle, world, scratch, loss, azimuth)
    rest = energy - loss
    particle[ENERGY] = rest
    if rest > 0:
        rotate(particle, math.sqrt(rest * (energy + 2.0) / (energy * (rest + 2.0))), azimuth + math.pi)
    return False


@inlined
def _knock_on(particle, world, scratch, loss, azimuth):  # type: ignore[no-untyped-def]
    """Put the electron that was knocked on the stack, or deposit it where it would end at once."""
    energy, tables = particle[ENERGY], world.electrons
    delta = scratch.stack[push(scratch, particle, ELECTRON, loss)]
    cell = _cell_of(tables.edges, loss)
    ends = _ends_here(delta, world, scratch, cell, 0)
    place = index_of(world.lattice, scratch.voxel)
    m = world.lattice.medium[place]
    radiator = _cell_of_event(delta, tables, tables.photons_left[m], cell, scratch.stream) if ends else -1
    if ends and radiator < 0:
        absorb(delta, place, world.lattice, scratch, loss)
        scratch.depth[0] -= 1
        return
    rotate(delta, math.sqrt(loss * (energy + 2.0) / (energy * (loss + 2.0))), azimuth)
    if ends:
        _radiate(delta, world, scratch, m, radiator, min(loss, tables.edges[radiator]))
        absorb(delta, place, world.lattice, scratch, delta[ENERGY])
        # its photons lie above it on the stack
        delta[ENERGY] = 0.0


@inlined
def _radiate(particle, world, scratch, m, cell, emitter):  # type: ignore[no-untyped-def]
    """Emit a photon of one energy, split into equal parts of the weight that fly apart."""
    table = world.electrons.photon_share[m, cell]
    at = uniform(scratch.stream) * (table.size - 1)
    j = min(int(at), table.size - 2)
    photon = emitter * (table[j] + (table[j + 1] - table[j]) * (at - j))
    parts = world.options.splitting
    beta = math.sqrt(emitter * (emitter + 2.0)) / (emitter + 1.0)
    for _ in range(parts):
        one = scratch.stack[push(scratch, particle, PHOTON, photon)]
        one[WEIGHT] /= parts
        # the dipole distribution seen from the laboratory, dN/dcosθ ∝ (1 − β cosθ)⁻²
        draw = 2.0 * uniform(scratch.stream) - 1.0
        rotate_anywhere(one, (draw + beta) / (1.0 + beta * draw), scratch.stream)
    particle[ENERGY] -= photon


@inlined
def _moller_loss(energy, low, stream):  # type: ignore[no-untyped-def]
    """Draw the energy lost in a Møller collision between `low` and half the energy."""
    if 2.0 * low >= energy:
        return 0.0
    b = (energy / (energy + 1.0)) ** 2
    while True:
        # 1/W² between low and E/2
        loss = 1.0 / (1.0 / low - uniform(stream) * (1.0 / low - 2.0 / energy))
        r = loss / (energy - loss)
        # the bracket is at most 1.25 b + 1 at W = E/2 and 1 at W = 0
        if uniform(stream) * (1.0 + 1.25 * b) < 1.0 + r * r + b * (loss / energy) ** 2 - (1.0 - b) * r:
            return loss


@inlined
def _bhabha_loss(energy, low, stream):  # type: ignore[no-untyped-def]
    """Draw the energy lost in a Bhabha collision between `low` and all of the energy."""
    if low >= energy:
        return 0.0
    gamma = energy + 1.0
    scale = ((gamma - 1.0) / gamma) ** 2
    b1 = scale * (2.0 * (gamma + 1.0) ** 2 - 1.0) / (gamma**2 - 1.0)
    b2 = scale * (3.0 * (gamma + 1.0) ** 2 + 1.0) / (gamma + 1.0) ** 2
    b3 = scale * 2.0 * gamma * (gamma - 1.0) / (gamma + 1.0) ** 2
    b4 = scale * (gamma - 1.0) ** 2 / (gamma + 1.0) ** 2
    while True:
        loss = 1.0 / (1.0 / low - uniform(stream) * (1.0 / low - 1.0 / energy))
        x = loss / energy
        if uniform(stream) < 1.0 - b1 * x + b2 * x * x - b3 * x**3 + b4 * x**4:
            return loss
