"""CT numbers to linear attenuation at the energy of an emitted photon."""

from __future__ import annotations

import numpy as np

from hevesy.core.image import Image
from hevesy.core.quantity import Quantity
from hevesy.data.materials import material
from hevesy.errors import BadInput
from hevesy.physics.attenuation import linear_attenuation_per_mm

#: mean photon energy of a CT at 120 kVp behind its filters and a body
EFFECTIVE_CT_KEV = 72.0


def attenuation_from_hounsfield(ct: Image, photon_keV: float, effective_keV: float = EFFECTIVE_CT_KEV) -> Image:
    """Return the linear attenuation coefficient of each voxel, by two lines that meet at water.

    Below 0 HU a voxel is a mixture of air and water, above it one of water and cortical bone: the second line has the
    slope μ_w(CT)/1000 · (μ_b − μ_w)(photon) / (μ_b − μ_w)(CT) (LaCroix et al. 1994, IEEE Trans Nucl Sci 41:2793).

    Parameters
    ----------
    ct : Image
        CT numbers, HU.
    photon_keV : float
        Energy of the photon that is counted, keV.
    effective_keV : float
        Effective energy of the CT's beam, keV; 72 for 120 kVp.

    Returns
    -------
    Image
        Linear attenuation coefficient, 1/mm; 0 below −1000 HU. The energies used are in its provenance.

    Raises
    ------
    WrongQuantity
        If `ct` does not hold CT numbers.
    BadInput
        If an energy is outside 20 to 1000 keV.
    """
    ct.require(Quantity.HOUNSFIELD)
    if not (20 <= photon_keV <= 1000 and 20 <= effective_keV <= 1000):
        raise BadInput(f"Attenuation by two lines holds from 20 to 1000 keV, not {photon_keV}, {effective_keV} keV.")
    energies = [photon_keV * 1e-3, effective_keV * 1e-3]
    water = linear_attenuation_per_mm(material("water"), energies)
    bone = linear_attenuation_per_mm(material("cortical bone"), energies)
    steep = water[1] * (bone[0] - water[0]) / (bone[1] - water[1])
    thousands = np.asarray(ct.values, np.float64) / 1000
    mu = water[0] + np.where(thousands < 0, water[0], steep) * thousands
    provenance = ct.provenance.then("attenuation from CT numbers", photon_keV=photon_keV, effective_keV=effective_keV)
    return Image(np.maximum(mu, 0).astype(np.float32), ct.grid, Quantity.ATTENUATION, None, provenance)
