"""What a parallel-hole collimator lets through: resolution, efficiency and penetration from its geometry.

Equations after H. O. Anger, "Radioisotope cameras", in Instrumentation in Nuclear Medicine (Academic Press, 1967),
and S. R. Cherry, J. A. Sorenson, M. E. Phelps, Physics in Nuclear Medicine, 4th edition (2012), chapter 14.C.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hevesy.core.collimator import Collimator
from hevesy.data.materials import material
from hevesy.errors import BadInput
from hevesy.physics.attenuation import linear_attenuation_per_mm

#: shape factor of hexagonal holes in a hexagonal array (Cherry et al., equation 14-7)
HEXAGONAL = 0.26


def wall_attenuation_per_mm(collimator: Collimator, photon_keV: float) -> float:
    """Return the linear attenuation coefficient of the walls, 1/mm."""
    return float(linear_attenuation_per_mm(material(collimator.material), photon_keV * 1e-3))


def effective_length_mm(collimator: Collimator, photon_keV: float) -> float:
    """Return the length of the holes less what photons penetrate at their edges: l − 2/μ, mm.

    Raises
    ------
    BadInput
        If nothing is left: the walls do not stop these photons.
    """
    length = collimator.length_mm - 2.0 / wall_attenuation_per_mm(collimator, photon_keV)
    if length <= 0:
        raise BadInput(f"The walls of {collimator.name} do not stop photons of {photon_keV:g} keV.")
    return length


def geometric_fwhm_mm(
    collimator: Collimator, photon_keV: float, distance_mm: ArrayLike, gap_mm: float = 0.0
) -> NDArray[np.float64]:
    """Return the width of a point's image, d (lₑ + z + gap) / lₑ, full width at half maximum, mm.

    Parameters
    ----------
    collimator : Collimator
        The collimator.
    photon_keV : float
        Photon energy, keV.
    distance_mm : array_like
        Distance z of the point from the collimator's face, mm.
    gap_mm : float
        Distance from the collimator's back to where photons are detected, mm.
    """
    length = effective_length_mm(collimator, photon_keV)
    return collimator.hole_mm * (length + np.asarray(distance_mm, np.float64) + gap_mm) / length


def geometric_efficiency(collimator: Collimator, photon_keV: float) -> float:
    """Return the fraction of photons, of a source in air, that pass the holes: K² (d/lₑ)² (d/(d+t))²."""
    hole, length = collimator.hole_mm, effective_length_mm(collimator, photon_keV)
    return (HEXAGONAL * hole / length * hole / (hole + collimator.septum_mm)) ** 2


def septal_penetration(collimator: Collimator, photon_keV: float) -> float:
    """Return the chance to cross the wall by its shortest path, exp(−μ t l / (2 d + t))."""
    hole, septum = collimator.hole_mm, collimator.septum_mm
    path = septum * collimator.length_mm / (2 * hole + septum)
    return float(np.exp(-wall_attenuation_per_mm(collimator, photon_keV) * path))
