"""Voxel S-values: the decays of every voxel convolved with the energy that one leaves around itself in water."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hevesy.core import Grid, Image, Nuclide, Quantity
from hevesy.core.point_kernel import PointKernel
from hevesy.data import point_kernels
from hevesy.data.materials import material
from hevesy.data.nuclides import nuclide as nuclide_named
from hevesy.errors import BadInput
from hevesy.kernels.convolution import EvenSpectrum, convolve_even, even_spectrum
from hevesy.physics.stopping_power import csda_range_g_cm2
from hevesy.stages.dosimetry.engines import DoseMap, Source
from hevesy.stages.dosimetry.voxel_kernel import voxel_kernel

#: kg/m³; below it there is no tissue, and energy over mass would mean nothing
LEAST_DENSITY = 50.0
#: histories of electrons, and of photons, where a nuclide has no tabulated kernel
ON_DEMAND_HISTORIES = 200_000
#: our voxel S-values in water agree with independent Monte Carlo within this, relative
KERNEL_UNCERTAINTY = 0.01
#: energies are convolved in units of this, J, so that 32-bit numbers neither vanish nor overflow
CONVOLVED_J = 1e-13
MEV_PER_J = 1 / 1.602176634e-13

Box = tuple[slice, slice, slice]


@dataclass(frozen=True, slots=True, eq=False)
class ChainKernels:
    """What a decay leaves around itself in water, parted by what a density does to it.

    Parameters
    ----------
    charged : PointKernel
        Electrons, positrons and alphas, within the reach of the fastest.
    photons : PointKernel
        Everything else: gamma and X rays, bremsstrahlung and annihilation beyond that reach.
    reach_mm : float
        The reach in water.
    """

    charged: PointKernel
    photons: PointKernel
    reach_mm: float


def voxel_s_value(source: Source) -> DoseMap:
    """Return the absorbed dose by voxel S-values in water.

    Charged particles leave their energy where they would in water, divided by each voxel's own mass; photons give each
    voxel the dose that water would have there (W. E. Bolch et al., MIRD Pamphlet 17, J. Nucl. Med. 40 (1999) 11S,
    with kernels that reach across the whole image).

    Raises
    ------
    GridMismatch
        If activity and density lie on different grids.
    WrongQuantity
        If they are not Bq·s/mL and kg/m³.
    BadInput
        If the grid's axes are not at right angles.
    """
    check(source)
    kernels = chain_kernels(source.nuclides)
    box = occupied(source)
    part = source.part(box)
    decays = decays_of(part)
    dose = per_mass(convolved(decays, near_spectrum(kernels, part.tia.grid)), part.density)
    dose += photon_dose(decays, kernels, part.density)
    image = source.density.with_values(put_back(dose, box, source.tia.grid.shape), Quantity.ABSORBED_DOSE)
    limits = (
        "Radiation travels as in water: electrons at borders of lung and bone, and photons behind them, do otherwise.",
        f"Voxels below {LEAST_DENSITY:g} kg/m³ get no dose.",
    )
    made = f"Voxel S-values of {kernels.charged.nuclide} in water; {kernels.charged.source}."
    return DoseMap(image, made, limits, KERNEL_UNCERTAINTY)


def check(source: Source) -> None:
    """Refuse a source that a convolution cannot work on."""
    source.tia.require(Quantity.TIME_INTEGRATED_ACTIVITY_CONCENTRATION)
    source.density.require(Quantity.DENSITY)
    source.tia.grid.require_match(source.density.grid, "Time-integrated activity and density")
    axes = source.tia.grid.affine[:3, :3] / np.array(source.tia.grid.spacing_mm)
    if not np.allclose(axes.T @ axes, np.eye(3), atol=1e-4):
        raise BadInput("Voxel S-values need a grid whose axes are at right angles.", "Resample the images.")


def occupied(source: Source) -> Box:
    """Return the box that holds all activity and tissue: beyond it there is nothing to compute."""
    there = (source.tia.values > 0) | (source.density.values >= LEAST_DENSITY)
    box = []
    for axis in range(3):
        found = np.flatnonzero(there.any(axis=tuple(a for a in range(3) if a != axis)))
        box.append(slice(int(found[0]), int(found[-1]) + 1) if len(found) else slice(0, 1))
    return box[0], box[1], box[2]


def put_back(dose: NDArray[np.float32], box: Box, shape: tuple[int, int, int]) -> NDArray[np.float32]:
    """Return the dose of a part of the grid as that of all; 0 elsewhere."""
    if dose.shape == shape:
        return dose
    whole = np.zeros(shape, np.float32)
    whole[box] = dose
    return whole


def decays_of(source: Source) -> NDArray[np.float32]:
    """Return the parent's decays in each voxel."""
    return np.asarray(source.tia.values, np.float32) * np.float32(source.tia.grid.voxel_volume_mL)


def convolved(decays: NDArray[np.float32], spectrum: EvenSpectrum) -> NDArray[np.float32]:
    """Return the energy left in each voxel, J; not negative."""
    energy = convolve_even(decays, spectrum)
    np.maximum(energy, 0.0, out=energy)
    energy *= np.float32(CONVOLVED_J)
    return energy


def per_mass(energy_J: NDArray[np.float32], density: Image) -> NDArray[np.float32]:
    """Return energy over mass, Gy; 0 where there is no tissue."""
    mass_kg = density.values * np.float32(density.grid.voxel_volume_mL * 1e-6)
    tissue = density.values >= LEAST_DENSITY
    return np.divide(energy_J, mass_kg, out=np.zeros(energy_J.shape, np.float32), where=tissue)


def photon_dose(decays: NDArray[np.float32], kernels: ChainKernels, density: Image) -> NDArray[np.float32]:
    """Return the dose that photons give to water in place of each voxel, Gy; 0 where there is no tissue."""
    grid = density.grid
    energy = convolved(decays, _spectrum(kernels.photons, _spacing(grid), grid.shape, None))
    energy /= np.float32(grid.voxel_volume_mL * 1e-6 * kernels.photons.density_kg_m3)
    energy[density.values < LEAST_DENSITY] = 0.0
    return energy


def chain_kernels(nuclides: tuple[tuple[Nuclide, float], ...]) -> ChainKernels:
    """Return the point kernels in water of a parent and its daughters together, per decay of the parent."""
    return _parted(tuple((nuclide.name, share) for nuclide, share in nuclides if share > 0))


@lru_cache(maxsize=64)
def electron_reach_mm(name: str) -> float:
    """Return the range in water of the fastest electron of a nuclide (at least 0.1 mm, for alphas), mm."""
    nuclide = nuclide_named(name)
    ends = [float(spectrum.energy_J[-1]) for spectrum in nuclide.beta_spectra.values()]
    lines = [e.energy_J for e in nuclide.emissions if e.kind.is_electron]
    fastest = max([*ends, *lines], default=0.0) * MEV_PER_J
    return max(0.1, 10.0 * float(csda_range_g_cm2(material("water"), fastest)))


def near_spectrum(kernels: ChainKernels, grid: Grid, relative_density: float = 1.0) -> EvenSpectrum:
    """Return the spectrum of the voxel kernel of charged particles, as far as they reach, in water of a density."""
    kernel = kernels.charged if relative_density == 1 else _at_density(kernels.charged, relative_density)
    return _spectrum(kernel, _spacing(grid), grid.shape, kernels.reach_mm / relative_density)


@lru_cache(maxsize=16)
def _at_density(kernel: PointKernel, relative: float) -> PointKernel:
    return kernel.at_density(relative * kernel.density_kg_m3)


def _spacing(grid: Grid) -> tuple[float, float, float]:
    a, b, c = (round(s, 6) for s in grid.spacing_mm)
    return a, b, c


@lru_cache(maxsize=64)
def _in_water(name: str) -> PointKernel:
    """Return the tabulated point kernel of a nuclide, or make it, which takes about a minute."""
    if name in point_kernels.nuclides():
        return point_kernels.point_kernel(name)
    # the transport's compiler takes a second to import, which the table spares
    from hevesy.stages.dosimetry.point_source import Effort, make_point_kernel

    return make_point_kernel(nuclide_named(name), material("water"), Effort(ON_DEMAND_HISTORIES))


@lru_cache(maxsize=10)
def _spectrum(
    kernel: PointKernel, spacing: tuple[float, float, float], shape: tuple[int, int, int], reach_mm: float | None
) -> EvenSpectrum:
    """Return the spectrum of a voxel kernel that reaches so far, or across the whole grid.

    Point kernels compare by identity, so that this one is found again only where `_parted` kept it.
    """
    far = max(n * side for n, side in zip(shape, spacing, strict=True)) if reach_mm is None else reach_mm
    a, b, c = (min(n - 1, int(far / side) + 1) for n, side in zip(shape, spacing, strict=True))
    return even_spectrum(voxel_kernel(kernel, spacing, (a, b, c)).octant_J / CONVOLVED_J, shape)


@lru_cache(maxsize=4)
def _parted(shares: tuple[tuple[str, float], ...]) -> ChainKernels:
    """Add the kernels of nuclides, and part the sum at the reach of charged particles."""
    reach_mm = max(electron_reach_mm(name) for name, _ in shares)
    whole = PointKernel.together([(_in_water(name), share) for name, share in shares])
    inside = whole.radius_mm[1:] <= reach_mm
    return ChainKernels(
        replace(whole, charged_J=whole.charged_J * inside, photons_J=0 * whole.photons_J, beyond_J=0.0),
        replace(whole, charged_J=whole.charged_J * ~inside),
        reach_mm,
    )
