"""Fano's theorem: of a source that is uniform by mass, the dose in one medium is uniform, however its density varies.

A gas gets nearly all of its dose from electrons that cross it: whatever ends or bends them at its border is seen there,
and nowhere else.

References
----------
Fano, Radiat. Res. 1 (1954) 237.
"""

import numpy as np
import pytest

from factories.transport import grid, line
from hevesy.core import EmissionKind, Image, Quantity, Region
from hevesy.data.materials import material
from hevesy.stages.dosimetry import simulation
from hevesy.stages.dosimetry.monte_carlo import Decays, Phantom, plan
from hevesy.stages.dosimetry.simulation import Stop

#: electrons of 200 keV reach 0.45 mm in water, of which they radiate 0.1%
ENERGY_keV, SIDE_mm = 200.0, 1.0
J_PER_KEV = 1.602176634e-16


def test_a_cavity_of_gas_gets_the_dose_of_the_walls_per_mass():
    lattice = grid(3, SIDE_mm)
    density = np.full(lattice.shape, 1000.0)
    density[1, 1, 1] = 1.2
    phantom = Phantom(
        Image(density, lattice, Quantity.DENSITY), np.zeros(lattice.shape, np.uint8), (material("water"),)
    )
    # 1 decay per kg: kg/m³ → kg/mL
    tia = Image(density * 1e-6, lattice, Quantity.TIME_INTEGRATED_ACTIVITY_CONCENTRATION)
    source = Decays(tia, ((line(ENERGY_keV, EmissionKind.CONVERSION_ELECTRON), 1.0),))
    cavity = Region.from_mask("cavity", lattice, (density < 1000.0).astype(float))
    made = plan(phantom, [source], 60_000, regions=[cavity])
    energy = simulation.run(made, Stop(histories=1_200_000)).region_energy(0)
    assert energy.u_relative < 0.015
    dose = energy.value / phantom.mass_kg()[1, 1, 1]
    # what they radiate, and three standard uncertainties
    assert dose / (ENERGY_keV * J_PER_KEV) == pytest.approx(1.0, abs=0.002 + 3 * energy.u_relative)
