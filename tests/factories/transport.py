"""Small phantoms and sources for tests of the transport."""

import numpy as np

from hevesy.core import Emission, EmissionKind, Grid, Image, Measured, Nuclide, Quantity
from hevesy.data.materials import material
from hevesy.stages.dosimetry.monte_carlo import Decays, Phantom

KEV = 1.602176634e-16


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
