"""The mass of every voxel: from CT, averaged over the voxel, where there is one, and from what case.yaml says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hevesy.core import Grid, Image, Quantity
from hevesy.core.provenance import Provenance
from hevesy.data.materials import material
from hevesy.physics.hounsfield import density_from_hounsfield
from hevesy.stages.registration.averaging import average
from hevesy.workflows.case import Case
from hevesy.workflows.kinetics import said_of
from hevesy.workflows.measurement import AIR_HU, Measurement, Series4D

#: where no CT tells the density; ICRU Report 44
TISSUE = "soft tissue"


def density_map(series: Series4D, measured: Sequence[Measurement], case: Case) -> Image:
    """Return the mass density in the body on the grid of the reference scan, kg/m³; regions as case.yaml says.

    Parameters
    ----------
    series : Series4D
        The scans, the body, and the CT; without one soft tissue is taken within the body.
    measured : sequence of Measurement
        The regions.
    case : Case
        For the densities that it states.
    """
    grid = series.body.grid
    if series.ct is not None:
        values = averaged_density(series.ct, grid).values * (series.body.mask() > 0)
        source = "CT"
    else:
        values = np.where(series.body.mask() > 0, material(TISSUE).density_kg_m3, 0.0)
        source = f"{TISSUE} within the body outline"
    values = values.astype(np.float32)
    for one in measured:
        # a region's voxels have mass even where the outline of the body missed them
        inside = one.region.coverage > 0
        given = said_of(one.region, case).get("density_g_mL")
        box = values[one.region.box]
        filled = given * 1000.0 if given else np.where(box > 0, box, material(TISSUE).density_kg_m3)
        values[one.region.box] = np.where(inside, filled, box)
    return Image(values, grid, Quantity.DENSITY, None, Provenance(source))


def averaged_density(ct: Image, grid: Grid) -> Image:
    """Return the mean density of a CT over each voxel of a grid, kg/m³; air where it does not reach.

    CT numbers become density where they are measured: the mean of densities is mass over volume, that of CT numbers is
    not, as density does not rise evenly with them.
    """
    number = Image(np.full((1, 1, 1), AIR_HU), Grid.regular((1, 1, 1), (1.0, 1.0, 1.0)), Quantity.HOUNSFIELD)
    air = float(density_from_hounsfield(number).values.item())
    return average(density_from_hounsfield(ct), grid, beyond=air)[0]
