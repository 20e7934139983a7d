"""Small phantoms and sources for tests of the transport."""

import numpy as np

from hevesy.core import Emission, EmissionKind, Grid, Image, Measured, Nuclide, Quantity
from hevesy.data.materials import material
from hevesy.kernels.tables import scratch, source
from hevesy.kernels.transport import run_batch
from hevesy.stages.dosimetry.monte_carlo import Decays, Phantom, Physics, world_of

KEV = 1.602176634e-16
REST_MeV = 0.51099895


def grid(n=9, spacing=10.0):
    shape = (n, n, n) if isinstance(n, int) else n
    sides = (spacing,) * 3 if isinstance(spacing, float) else spacing
    return Grid.regular(shape, sides)


def water(n=9, spacing=10.0):
    return Phantom.uniform(grid(n, spacing), material("water"))


def layers(n=9, spacing=10.0):
    """Soft tissue, lung and bone, none of them symmetric."""
    names = ("soft tissue", "lung", "cortical bone")
    labels = np.zeros(grid(n, spacing).shape, np.uint8)
    labels[5:, :4] = 1
    labels[:3, :, 6:] = 2
    media = tuple(material(name) for name in names)
    density = np.array([m.density_kg_m3 for m in media], np.float32)[labels]
    return Phantom(Image(density, grid(n, spacing), Quantity.DENSITY), labels, media)


def line(energy_keV, kind=EmissionKind.GAMMA, per_decay=1.0):
    """A made-up nuclide of one line."""
    return Nuclide("Xx-1", Measured(3600.0, unit="s"), (Emission(kind, energy_keV * KEV, per_decay),))


def decays(phantom, nuclide, places, per_voxel=1e6):
    """Activity in the voxels of these indices."""
    tia = np.zeros(phantom.grid.shape)
    for place in places:
        tia[place] = per_voxel / phantom.grid.voxel_volume_mL
    image = Image(tia, phantom.grid, Quantity.TIME_INTEGRATED_ACTIVITY_CONCENTRATION)
    return [Decays(image, ((nuclide, 1.0),))]


def block(medium, side_mm, shells):
    """One voxel of a medium, scored in shells about its middle."""
    lattice_grid = grid(1, side_mm)
    values = np.full((1, 1, 1), medium.density_kg_m3, np.float32)
    phantom = Phantom(Image(values, lattice_grid, Quantity.DENSITY), np.zeros((1, 1, 1), np.uint8), (medium,))
    physics = Physics(stop_inside=False, kerma=False)
    world = world_of(phantom, 2.0 / REST_MeV, physics)
    return world._replace(lattice=world.lattice._replace(shells=np.asarray(shells, float)))


def fire(world, energy_MeV, kind, histories):
    """Energy scored in each shell by particles from the middle, as a share of what was emitted."""
    energy = energy_MeV / REST_MeV
    particles = source(np.zeros(1, np.int32), np.ones(1), np.array([[energy, energy, kind, 1.0, 1.0]]), True)
    storage = scratch(world.lattice.shells.size)
    run_batch(world, particles, (1, 0), (histories, 1.0, False), storage)
    return storage.tally / (histories * energy)
