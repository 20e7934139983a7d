"""Self-dose of a whole patient taken as an ellipsoid: what a point kernel leaves inside, by geometry.

Two points a vector v apart lie both in a convex body as often as it overlaps itself moved by v. An ellipsoid is a
stretched sphere: along a direction in which its radius is R the share is that of a sphere of radius R.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hevesy.core import Measured, Nuclide
from hevesy.data.point_kernels import point_kernel
from hevesy.errors import BadInput
from hevesy.stages.dosimetry.spheres import share_inside

Array = NDArray[np.float64]

#: thickness, width and height of a patient, to scale: the ellipsoids of MIRD Pamphlet 3 (Brownell GL, Ellett WH, Reddy
#: AR, J Nucl Med 1968;9 suppl 1:27)
BODY_AXES = (1.0, 1.8, 9.27)
#: what the body keeps of its photons' energy over what it would keep in endless water, whence photons scatter back: at
#: this energy (keV), and its rise with the energy's logarithm; by this package's transport of Tc-99m, Lu-177 and I-131
#: in such an ellipsoid in a vacuum (docs/explanation/planar.md)
_IN_AIR, _AT_KEV, _RISE = 0.794, 140.0, 0.077
#: relative standard uncertainty of the photons' part: people are no ellipsoids
U_SHAPE = 0.07
#: what charged particles leave further away than this came by bremsstrahlung and annihilation photons, mm
_FAR_MM = 30.0
_J_PER_KEV = 1.602176634e-16
#: nodes in the cosine to the long axis, and in the angle about it
_NODES = 24


def body_s_value(nuclides: Sequence[tuple[Nuclide, float]], mass: Measured) -> Measured:
    """Return the mean absorbed dose to the whole body per decay spread evenly through it, Gy.

    Parameters
    ----------
    nuclides : sequence of (Nuclide, float)
        What decays, each with its decays per decay of the parent.
    mass : Measured
        Of the body, kg.

    Raises
    ------
    BadInput
        If the mass is not positive.
    UnknownNuclide
        If there is no point kernel of a nuclide.
    """
    if mass.unit != "kg" or not mass.value > 0:
        raise BadInput(f"A body needs a positive mass in kg, not {mass}.")
    near, by_photons = 0.0, 0.0
    for nuclide, share in nuclides:
        kernel = point_kernel(nuclide.name)
        inside = share_inside_ellipsoid(kernel.radius_mm, _semi_axes_mm(mass.value, kernel.density_kg_m3))
        far = kernel.radius_mm[1:] > _FAR_MM
        photons_J = kernel.photons_J + np.where(far, kernel.charged_J, 0.0)
        by_photons += share * _in_air(nuclide) * float(photons_J @ inside)
        near += share * float(np.where(far, 0.0, kernel.charged_J) @ inside)
    energy = Measured(near + by_photons, U_SHAPE * by_photons, "J", "body's shape")
    return (energy / mass).to(1.0, "Gy")


def _in_air(nuclide: Nuclide) -> float:
    """Return the correction for endless water at the mean energy of the photons, weighted by what they carry."""
    photons = [(e.energy_J / _J_PER_KEV, e.energy_J * e.per_decay) for e in nuclide.emissions if e.kind.is_photon]
    if not photons:
        return _IN_AIR
    energy, carried = np.array(photons).T
    mean = float(np.clip(energy @ carried / carried.sum(), 50.0, 2000.0))
    return _IN_AIR + _RISE * float(np.log(mean / _AT_KEV))


def share_inside_ellipsoid(bounds_mm: Array, semi_axes_mm: ArrayLike) -> Array:
    """Return the chance that a point in a shell about a random point of an ellipsoid lies in the ellipsoid too.

    Parameters
    ----------
    bounds_mm : (n + 1,) array
        Radii that bound the shells, rising, mm.
    semi_axes_mm : (3,) array
        Of the ellipsoid, mm.
    """
    semi = np.asarray(semi_axes_mm, np.float64)
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    part, weights = 0.5 * (nodes + 1), 0.5 * weights
    # an octant of directions
    up, turn = (grid.ravel() for grid in np.meshgrid(part, 0.5 * np.pi * part, indexing="ij"))
    flat = np.sqrt(1 - up**2)
    directions = np.stack([flat * np.cos(turn), flat * np.sin(turn), up])
    radii = 1 / np.sqrt(((directions / semi[:, None]) ** 2).sum(axis=0))
    shares = [share_inside(bounds_mm, float(radius)) for radius in radii]
    return np.asarray(np.outer(weights, weights).ravel() @ np.array(shares))


def _semi_axes_mm(mass_kg: float, density_kg_m3: float) -> Array:
    axes = np.array(BODY_AXES)
    return np.asarray(axes * (3 * mass_kg / (4 * np.pi * density_kg_m3 * axes.prod())) ** (1 / 3) * 1e3)
