"""Photons: flight through the lattice, and what happens where they interact.

With `kerma`, a photon scores along its track the energy that it transfers to electrons on average, which is
far less noisy than scoring at interactions and equal to the dose where the electrons' range is short beside a
voxel. Without, its electrons are followed.
"""

from __future__ import annotations

import math

import numpy as np

from hevesy.kernels.electron import annihilate
from hevesy.kernels.flight import (
    absorb,
    advance,
    between_faces,
    escape,
    index_of,
    locate,
    push,
    score,
    strides,
    to_faces,
    voxels_left,
)
from hevesy.kernels.inlined import inlined
from hevesy.kernels.random import point_at, rotate, rotate_anywhere, uniform
from hevesy.kernels.tables import (
    DEPOSITED,
    ELECTRON,
    ENERGY,
    PHOTON,
    POSITRON,
    SCORED,
    TO_COHERENT,
    TO_INCOHERENT,
    TO_PHOTOELECTRIC,
    TOTAL,
    TRANSFER,
    WEIGHT,
)


@inlined
def walk_photon(particle, world, scratch):  # type: ignore[no-untyped-def]
    """Follow one photon to its end; its secondaries go on the stack."""
    if not locate(particle, world.lattice, scratch.voxel):
        escape(particle, scratch, particle[ENERGY])
        return
    while particle[ENERGY] > world.options.photon_cutoff:
        if world.options.woodcock:
            inside = _fly_by_majorant(particle, world, scratch)
        else:
            inside = _fly_through_faces(particle, world, scratch)
        if not inside:
            escape(particle, scratch, particle[ENERGY])
            return
        if _interact(particle, world, scratch):
            return
    absorb(particle, index_of(world.lattice, scratch.voxel), world.lattice, scratch, particle[ENERGY])


@inlined
def _row(tables, energy):  # type: ignore[no-untyped-def]
    """Return the grid interval of an energy and the place within it."""
    at = (math.log(energy) - tables.log_first) / tables.log_step
    i = min(max(int(at), 0), tables.coefficients.shape[1] - 2)
    return i, min(1.0, max(0.0, at - i))


@inlined
def _between(tables, m, i, part, column):  # type: ignore[no-untyped-def]
    low = tables.coefficients[m, i, column]
    return low + part * (tables.coefficients[m, i + 1, column] - low)


@inlined
def _fly_through_faces(particle, world, scratch):  # type: ignore[no-untyped-def]
    """Fly to the next interaction from voxel to voxel, exactly; return whether it lies in the grid."""
    lattice, tables, voxel = world.lattice, world.photons, scratch.voxel
    tx, ty, tz = to_faces(particle, lattice, voxel)
    dx, dy, dz = between_faces(particle, lattice)
    turn_x, turn_y, turn_z = strides(particle, lattice)
    place = index_of(lattice, voxel)
    left_x, left_y, left_z = voxels_left(particle, lattice, voxel)
    i, part = _row(tables, particle[ENERGY])
    optical = -math.log(uniform(scratch.stream))
    track = particle[WEIGHT] * particle[ENERGY] if world.options.kerma else 0.0
    gone, scored = 0.0, 0.0
    medium, attenuation, transfer = -1, 0.0, 0.0
    while True:
        if lattice.medium[place] != medium:
            medium = lattice.medium[place]
            attenuation = _between(tables, medium, i, part, TOTAL)
            transfer = _between(tables, medium, i, part, TRANSFER)
        density = lattice.density[place]
        face = min(tx, ty, tz)
        step = face - gone
        depth = density * attenuation * step
        stops = depth >= optical
        if stops:
            step = optical / (density * attenuation)
        score(particle, place, lattice, scratch, track * density * transfer * step, (gone, step))
        scored += density * transfer * step
        optical -= depth
        gone += step
        if stops:
            break
        if tx == face:
            tx, place, left_x = tx + dx, place + turn_x, left_x - 1
        elif ty == face:
            ty, place, left_y = ty + dy, place + turn_y, left_y - 1
        else:
            tz, place, left_z = tz + dz, place + turn_z, left_z - 1
        if min(left_x, left_y, left_z) < 0:
            break
    scratch.balance[SCORED] += track * scored
    advance(particle, lattice, voxel, gone, (left_x, left_y, left_z))
    return stops


@inlined
def _fly_by_majorant(particle, world, scratch):  # type: ignore[no-untyped-def]
    """Fly to the next interaction by Woodcock's method; return whether it lies in the grid.

    References
    ----------
    Woodcock et al., ANL-7050 (1965) 557.
    """
    lattice, tables = world.lattice, world.photons
    i, part = _row(tables, particle[ENERGY])
    majorant = tables.majorant[i] + part * (tables.majorant[i + 1] - tables.majorant[i])
    while True:
        step = -math.log(uniform(scratch.stream)) / majorant
        for a in range(3):
            particle[a] += step * particle[3 + a]
        if not locate(particle, lattice, scratch.voxel):
            return False
        place = index_of(lattice, scratch.voxel)
        here = lattice.density[place] * _between(tables, lattice.medium[place], i, part, TOTAL)
        if uniform(scratch.stream) * majorant < here:
            return True


@inlined
def _interact(particle, world, scratch):  # type: ignore[no-untyped-def]
    """Choose and carry out one interaction; return whether the photon is gone."""
    tables = world.photons
    m = world.lattice.medium[index_of(world.lattice, scratch.voxel)]
    i, part = _row(tables, particle[ENERGY])
    draw = uniform(scratch.stream)
    if draw < _between(tables, m, i, part, TO_INCOHERENT):
        _scatter_incoherently(particle, world, scratch, m)
        return False
    if draw < _between(tables, m, i, part, TO_COHERENT):
        _scatter_coherently(particle, tables, scratch, m)
        return False
    if draw < _between(tables, m, i, part, TO_PHOTOELECTRIC):
        _photoelectric(particle, world, scratch, m, i, part)
    else:
        _make_pair(particle, world, scratch)
    return True


@inlined
def _transfer(particle, world, scratch, kind, energy, turn):  # type: ignore[no-untyped-def]
    """Give energy to an electron at an interaction: scored before, absorbed here, or followed."""
    if world.options.kerma:
        scratch.balance[DEPOSITED] += energy * particle[WEIGHT]
        if world.options.woodcock:
            place = index_of(world.lattice, scratch.voxel)
            score(particle, place, world.lattice, scratch, energy * particle[WEIGHT], (0.0, 0.0))
            scratch.balance[SCORED] += energy * particle[WEIGHT]
        return
    one = scratch.stack[push(scratch, particle, kind, energy)]
    rotate(one, turn[0], turn[1])


@inlined
def _scatter_incoherently(particle, world, scratch, m):  # type: ignore[no-untyped-def]
    """Compton scattering: Klein and Nishina's distribution times the incoherent scattering function."""
    energy = particle[ENERGY]
    stream = scratch.stream
    least = 1.0 / (1.0 + 2.0 * energy)
    log_part = -math.log(least)
    square_part = 0.5 * (1.0 - least * least)
    while True:
        if uniform(stream) * (log_part + square_part) < log_part:
            ratio = math.exp(-uniform(stream) * log_part)
        else:
            ratio = math.sqrt(least * least + uniform(stream) * (1.0 - least * least))
        away = (1.0 - ratio) / (energy * ratio)
        sine2 = away * (2.0 - away)
        keep = 1.0 - ratio * sine2 / (1.0 + ratio * ratio)
        if uniform(stream) < keep * _scattering(world.photons, m, energy * math.sqrt(0.5 * away)):
            break
    given = energy * (1.0 - ratio)
    azimuth = 2.0 * math.pi * uniform(stream)
    if given > 0:
        # cot(φ) = (1 + E) tan(θ/2)
        forward = (1.0 + energy) * math.sqrt(max(0.0, 0.5 * away))
        across = math.sqrt(max(0.0, 1.0 - 0.5 * away))
        cosine = forward / math.sqrt(forward * forward + across * across)
        _transfer(particle, world, scratch, ELECTRON, given, (cosine, azimuth + math.pi))
    particle[ENERGY] = energy * ratio
    rotate(particle, 1.0 - away, azimuth)


@inlined
def _on_momentum_grid(tables, momentum):  # type: ignore[no-untyped-def]
    at = (math.log(max(momentum, 1e-12)) - tables.log_momentum_first) / tables.log_momentum_step
    i = min(max(int(at), 0), tables.scattering.shape[1] - 2)
    return i, min(1.0, max(0.0, at - i))


@inlined
def _scattering(tables, m, momentum):  # type: ignore[no-untyped-def]
    i, part = _on_momentum_grid(tables, momentum)
    low = tables.scattering[m, i]
    return low + part * (tables.scattering[m, i + 1] - low)


@inlined
def _scatter_coherently(particle, tables, scratch, m):  # type: ignore[no-untyped-def]
    """Rayleigh scattering: the form factor's distribution of x², thinned by (1 + cos²θ)/2."""
    i, part = _on_momentum_grid(tables, particle[ENERGY])
    table = tables.coherent[m]
    most = table[i] + part * (table[i + 1] - table[i])
    while True:
        wanted = uniform(scratch.stream) * most
        j = min(max(np.searchsorted(table, wanted), 1), table.size - 1)
        low, high = table[j - 1], table[j]
        part = (wanted - low) / (high - low) if high > low else 0.0
        x2_low = math.exp(2.0 * (tables.log_momentum_first + (j - 1) * tables.log_momentum_step))
        x2_high = x2_low * math.exp(2.0 * tables.log_momentum_step)
        x2 = x2_low + part * (x2_high - x2_low) if wanted > table[0] else x2_low * wanted / table[0]
        cosine = max(-1.0, 1.0 - 2.0 * x2 / particle[ENERGY] ** 2)
        if 2.0 * uniform(scratch.stream) < 1.0 + cosine * cosine:
            break
    rotate_anywhere(particle, cosine, scratch.stream)


@inlined
def _photoelectric(particle, world, scratch, m, i, part):  # type: ignore[no-untyped-def]
    """Give the energy to an electron, less that of an X ray if one follows."""
    energy = particle[ENERGY]
    emitted = _fluorescence(world.photons, m, i, part, scratch.stream)
    if 0.0 < emitted < energy:
        photon = scratch.stack[push(scratch, particle, PHOTON, emitted)]
        point_at(photon, 2.0 * uniform(scratch.stream) - 1.0, 2.0 * math.pi * uniform(scratch.stream))
        energy -= emitted
    cosine = 1.0 if world.options.kerma else _photoelectron_cosine(energy, scratch.stream)
    _transfer(particle, world, scratch, ELECTRON, energy, (cosine, 2.0 * math.pi * uniform(scratch.stream)))


@inlined
def _fluorescence(tables, m, i, part, stream):  # type: ignore[no-untyped-def]
    """Draw the energy of the X ray that follows a photoelectric event; 0 where none does."""
    draw = uniform(stream)
    for shell in range(tables.shells.shape[1]):
        low = tables.shells[m, shell, i]
        if draw < low + part * (tables.shells[m, shell, i + 1] - low):
            if uniform(stream) >= tables.shell_yield[m, shell]:
                return 0.0
            draw = uniform(stream)
            line = 0
            while line < tables.line_chances.shape[2] - 1 and draw >= tables.line_chances[m, shell, line]:
                line += 1
            return tables.line_energies[m, shell, line]
    return 0.0


@inlined
def _photoelectron_cosine(energy, stream):  # type: ignore[no-untyped-def]
    """Draw the direction of a photoelectron from Sauter's K-shell distribution.

    References
    ----------
    Sauter, Ann. Phys. 403 (1931) 454, in the form sampled by PENELOPE (NEA/MBDAV/R(2019)1, eq. 2.9 to 2.14).
    """
    beta = math.sqrt(energy * (energy + 2.0)) / (energy + 1.0)
    gamma = energy + 1.0
    a = 1.0 / beta - 1.0
    c = 0.5 * beta * gamma * (gamma - 1.0) * (gamma - 2.0)
    most = 2.0 * (1.0 / a + c)
    while True:
        draw = uniform(stream)
        nu = 2.0 * a / ((a + 2.0) ** 2 - 4.0 * draw) * (2.0 * draw + (a + 2.0) * math.sqrt(draw))
        if uniform(stream) * most < (2.0 - nu) * (1.0 / (a + nu) + c):
            return max(-1.0, 1.0 - nu)


@inlined
def _make_pair(particle, world, scratch):  # type: ignore[no-untyped-def]
    """Share the energy above two rest energies evenly at random between an electron and a positron."""
    energy = particle[ENERGY] - 2.0
    share = uniform(scratch.stream) * energy
    if world.options.kerma:
        _transfer(particle, world, scratch, ELECTRON, energy, (1.0, 0.0))
        annihilate(particle, scratch)
        return
    azimuth = 2.0 * math.pi * uniform(scratch.stream)
    for kind, part, turn in ((ELECTRON, share, 0.0), (POSITRON, energy - share, math.pi)):
        # the mean angle of the pair's members to the photon, m_e c² over their total energy
        _transfer(particle, world, scratch, kind, part, (math.cos(min(1.0, 1.0 / (part + 1.0))), azimuth + turn))
