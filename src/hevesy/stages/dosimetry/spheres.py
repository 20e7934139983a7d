"""Self-dose of spheres, such as lesions, of any mass: what a point kernel leaves inside, by geometry alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hevesy.core.point_kernel import PointKernel
from hevesy.errors import BadInput

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SphereDose:
    """The self-dose of a sphere with activity spread evenly through it, in a large body of the same medium.

    Parameters
    ----------
    mass_kg : float
        Its mass, kg.
    charged_fraction, photon_fraction : float
        Absorbed fraction of the energy of electrons, positrons and alphas, and of gamma and X rays; 0 where none are
        emitted.
    s_value : float
        Absorbed dose per decay, Gy.
    """

    mass_kg: float
    charged_fraction: float
    photon_fraction: float
    s_value: float


def sphere_self_dose(kernels: Sequence[tuple[PointKernel, float]], mass_kg: float) -> SphereDose:
    """Return the self-dose of a sphere.

    Parameters
    ----------
    kernels : sequence of (PointKernel, float)
        What decays, in the sphere's medium, each with its decays per decay of the parent.
    mass_kg : float
        The sphere's mass, kg.

    Raises
    ------
    BadInput
        If the mass is not positive, or the kernels are of different media.
    """
    if not mass_kg > 0:
        raise BadInput(f"A sphere cannot have a mass of {mass_kg} kg.")
    if len({(kernel.medium, kernel.density_kg_m3) for kernel, _ in kernels}) != 1:
        raise BadInput("A sphere has one medium: its kernels must be of one.", "Make those of the sphere's medium.")
    radius = (3 * mass_kg / (4 * np.pi * kernels[0][0].density_kg_m3)) ** (1 / 3) * 1e3
    charged, photons = (
        np.sum([share * _inside(getattr(kernel, part), kernel.radius_mm, radius) for kernel, share in kernels], axis=0)
        for part in ("charged_J", "photons_J")
    )
    of_charged, of_photons = (float(kept / emitted) if emitted > 0 else 0.0 for kept, emitted in (charged, photons))
    return SphereDose(mass_kg, of_charged, of_photons, float((charged[0] + photons[0]) / mass_kg))


def _inside(energy_J: Array, bounds_mm: Array, radius_mm: float) -> Array:
    """Return the energy that stays in a sphere, and all of it within the kernel's reach, J."""
    return np.array([float(energy_J @ share_inside(bounds_mm, radius_mm)), float(energy_J.sum())])


def share_inside(bounds_mm: Array, radius_mm: float) -> Array:
    """Return the chance that a point in a shell about a random point of a sphere lies in the sphere too.

    For a distance r it is 1 − 3x/2 + x³/2 with x = r/(2a) up to 1 (the autocorrelation of a sphere; M. J. Berger, MIRD
    Pamphlet 7, J. Nucl. Med. 9, suppl. 1 (1968) 15), here averaged over r from bound to bound.

    Parameters
    ----------
    bounds_mm : (n + 1,) array
        Radii that bound the shells, rising, mm.
    radius_mm : float
        The sphere's radius a, mm.
    """
    x = np.minimum(bounds_mm / (2 * radius_mm), 1.0)
    integral = x - 0.75 * x**2 + 0.125 * x**4
    return np.asarray(2 * radius_mm * np.diff(integral) / np.diff(bounds_mm))
