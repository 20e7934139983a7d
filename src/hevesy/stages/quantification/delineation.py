"""What the size of a voxel and the camera's resolution do to a drawn volume and to the activity in it.

Source: Gear JI, Cox MG, Gustafsson J, et al. EANM practical guidance on uncertainty analysis for
molecular radiotherapy absorbed dose calculations. Eur J Nucl Med Mol Imaging 2018;45:2456-2474
(doi 10.1007/s00259-018-4136-7), sections on volume, count rate and recovery.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import erf

from hevesy.core import Measured, Region
from hevesy.errors import BadInput

_FWHM_PER_SIGMA = 2 * math.sqrt(2 * math.log(2))


def volume(region: Region, resolution_mm: float) -> Measured:
    """Return a region's volume with the uncertainty of its delineation.

    The region is taken as the sphere of its volume, of diameter d. Each of two opposite edges is
    uncertain by the voxel (rectangular, half a voxel either way) and by the blur (the standard
    deviation of the point spread): u(d)² = a²/6 + FWHM²/(4 ln 2), and u(V)/V = 3 u(d)/d.

    Parameters
    ----------
    region : Region
        The region; its voxel size a is the geometric mean of the spacing.
    resolution_mm : float
        Reconstructed spatial resolution, FWHM, mm.

    Returns
    -------
    Measured
        Volume, mL; labelled "volume".

    Raises
    ------
    BadInput
        If the resolution is not positive.
    """
    if not resolution_mm > 0:
        raise BadInput(f"A spatial resolution must be positive, not {resolution_mm} mm.")
    voxel_mm = math.prod(region.grid.spacing_mm) ** (1 / 3)
    u_diameter = math.sqrt(voxel_mm**2 / 6 + resolution_mm**2 / (4 * math.log(2)))
    relative = 3 * u_diameter / (2 * equivalent_radius_mm(region.volume_mL))
    return Measured(region.volume_mL, region.volume_mL * relative, "mL", "volume")


def equivalent_radius_mm(volume_mL: float) -> float:
    """Return the radius of the sphere of a volume, mm."""
    return math.cbrt(3000 * volume_mL / (4 * math.pi))


def sphere_recovery(volume_mL: float, resolution_mm: float) -> float:
    """Return the share of a sphere's activity that a Gaussian blur leaves inside its outline.

    The exact convolution of a uniform sphere in a cold surrounding, integrated over the sphere.
    """
    radius = equivalent_radius_mm(volume_mL)
    shells = np.linspace(0.0, radius, 401)
    integrand = _blurred_sphere(shells, radius, resolution_mm / _FWHM_PER_SIGMA) * shells**2
    return float(np.trapezoid(integrand, shells) * 3 / radius**3)


def activity_exponent(volume_mL: float, resolution_mm: float) -> float:
    """Return k, with apparent activity in an outline growing as its volume to the power k.

    For a small change of the outline dA/dV is the blurred concentration at the edge, so
    k = c(r) / (c₀ R): about one half for a large region (Gear et al. 2018 write φ / 2R).
    """
    radius = equivalent_radius_mm(volume_mL)
    edge = _blurred_sphere(np.array([radius]), radius, resolution_mm / _FWHM_PER_SIGMA)[0]
    return float(edge / sphere_recovery(volume_mL, resolution_mm))


def _blurred_sphere(at_mm: np.ndarray, radius_mm: float, sigma_mm: float) -> np.ndarray:
    """Return a unit sphere convolved with a Gaussian, at distances from its centre."""
    at = np.maximum(at_mm, 1e-6 * radius_mm)
    inner, outer = (at - radius_mm) / sigma_mm, (at + radius_mm) / sigma_mm
    step = 0.5 * (erf(outer / math.sqrt(2)) - erf(inner / math.sqrt(2)))
    curvature = sigma_mm / (math.sqrt(2 * math.pi) * at) * (np.exp(-(inner**2) / 2) - np.exp(-(outer**2) / 2))
    result: np.ndarray = step - curvature
    return result
