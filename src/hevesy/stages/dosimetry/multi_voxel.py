"""Voxel S-values that know densities and media: the kernel in water, corrected along rays where matter differs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from hevesy.core import Grid, Quantity
from hevesy.core.point_kernel import PointKernel
from hevesy.data.materials import material
from hevesy.kernels.rays import Body, photon_ratios, trace_difference
from hevesy.physics.photon_field import PhotonField
from hevesy.stages.dosimetry.engines import DoseMap, Source
from hevesy.stages.dosimetry.voxel import (
    LEAST_DENSITY,
    ChainKernels,
    chain_kernels,
    check,
    convolved,
    decays_of,
    near_spectrum,
    occupied,
    per_mass,
    photon_dose,
    put_back,
)

Array = NDArray[np.float64]

#: rays are spared if all within reach differs less than this, relative, from the density of the kernel
SAME = 0.08
#: bounds of density, relative to water's, between which sources share a kernel; below the first, rays leave everything
KERNEL_BOUNDS = (0.1, 0.17, 0.26, 0.38, 0.55, 0.75, 1.25, 1.6)
#: rays of a voxel with much activity and of one with little
MOST_RAYS, LEAST_RAYS = 24, 6
#: rays in all, if few voxels leave each of them more
RAYS = 400_000
#: points that stand for all sources in the correction of photons, and places where it is found
PHOTON_SOURCES, PHOTON_TARGETS = 80, 8_000
#: kg/m³: from water's to cortical bone's, media are mixtures of the two
WATER_DENSITY, BONE_DENSITY = 1050.0, 1920.0
#: cortical bone holds electrons within this much more mass than water: radii of point kernels by our own transport are
#: in the ratio 0.952 (Y-90), 0.956 (Lu-177), 0.959 (I-131); stopping powers (0.88) leave out that bone scatters more
BONE_STOPS = 0.955
#: standard deviation of the neighbourhood that scatters photons to a point, mm
SCATTER_REACH_MM = 40.0
#: a scattered photon passes so much of the surroundings of its source, and of its target, mm: as Monte Carlo finds
AROUND_MM = 60.0
#: against Monte Carlo in a phantom of soft tissue, lung, bone and air, relative
METHOD_UNCERTAINTY = 0.03
#: steps of the table of energy against thickness over the reach of electrons
TABLE_STEPS = 2000


def multi_voxel_s_value(source: Source) -> DoseMap:
    """Return the absorbed dose by voxel S-values, corrected for the densities and media on the way.

    Charged particles: sources of like density are convolved with the kernel of that density. Where matter within reach
    differs from it, rays from points spread over each source voxel leave the energy of the point kernel by thickness
    passed instead of by distance; the difference to the same rays in even density is added to the convolution.
    Photons: the convolution is multiplied by the ratio of doses, here and in water, along straight lines from the
    sources, by groups of energy, bone against water, less what surfaces let out.

    Raises
    ------
    GridMismatch, WrongQuantity, BadInput
        As `voxel_s_value`.
    """
    check(source)
    kernels = chain_kernels(source.nuclides)
    box, whole = occupied(source), source.density
    source = source.part(box)
    decays = decays_of(source)
    density = np.asarray(source.density.values, np.float64)
    bone = bone_share(density)
    energy = charged_energy(decays, density * (1 - bone * (1 - BONE_STOPS)), kernels, source.tia.grid)
    dose = per_mass(np.maximum(energy, 0.0).astype(np.float32), source.density)
    photons = photon_dose(decays, kernels, source.density)
    dose += photons * photon_correction(decays, source, kernels.photons).astype(np.float32)
    limits = (
        "Electrons are taken to go straight through borders of media, photons to scatter by the thickness passed: "
        "against Monte Carlo within 5% in soft tissue and lung and 8% in bone; "
        "where the dose is below 1e-4 of the highest, 18%.",
        f"Voxels below {LEAST_DENSITY:g} kg/m³ get no dose.",
    )
    made = f"Voxel S-values of {kernels.charged.nuclide}, corrected for density and medium; {kernels.charged.source}."
    image = whole.with_values(put_back(dose, box, whole.grid.shape), Quantity.ABSORBED_DOSE)
    return DoseMap(image, made, limits, METHOD_UNCERTAINTY)


def bone_share(density: Array) -> Array:
    """Return how much of a medium is bone mineral, by density: 0 to water's, 1 from cortical bone's."""
    return np.clip((density - WATER_DENSITY) / (BONE_DENSITY - WATER_DENSITY), 0.0, 1.0)


@cache
def bone_against_water() -> PhotonField:
    """Return how cortical bone takes photons against water."""
    return PhotonField.of(material("cortical bone"), material("water"))


def charged_energy(decays: NDArray[np.float32], density: Array, kernels: ChainKernels, grid: Grid) -> Array:
    """Return the energy that charged particles leave in each voxel, J.

    Parameters
    ----------
    decays : (n0, n1, n2) array
        Decays in each voxel.
    density : (n0, n1, n2) array
        Density by stopping power, kg/m³ of water.
    kernels : ChainKernels
        In water.
    grid : Grid
        The voxels.
    """
    relative = density / kernels.charged.density_kg_m3
    # what leaves the body does not come back: the air around it may pass for water
    filled = np.where(outside_body(density), 1.0, relative)
    energy = np.zeros(relative.shape)
    sources = []
    for even, members in _kernel_densities(relative, decays):
        traced = members
        if even > 0:
            energy += convolved(np.where(members, decays, np.float32(0)), near_spectrum(kernels, grid, even))
            traced = members & _differs(filled, even, kernels.reach_mm, grid)
        sources.append(np.column_stack([np.argwhere(traced), decays[traced], np.full(int(traced.sum()), even)]))
    followed = np.concatenate([np.empty((0, 5)), *sources])
    return energy + _traced(followed, relative, kernels, grid) if len(followed) else energy


def _kernel_densities(relative: Array, decays: NDArray[np.float32]) -> Iterator[tuple[float, NDArray[np.bool_]]]:
    """Yield densities, relative to water's, with the sources whose kernel has it: 1 about water, 0 for none."""
    group = np.digitize(relative, KERNEL_BOUNDS)
    group[decays <= 0] = -1
    for g in range(len(KERNEL_BOUNDS) + 1):
        members = group == g
        if not members.any():
            continue
        mean = float(np.average(relative[members], weights=decays[members]))
        in_water = g == int(np.digitize(1.0, KERNEL_BOUNDS))
        yield 0.0 if g == 0 else 1.0 if in_water else round(mean, 2), members


def _differs(relative: Array, even: float, reach_mm: float, grid: Grid) -> NDArray[np.bool_]:
    """Return where density within reach is not the same, all around, as that of a kernel."""
    size = [2 * int(np.ceil(reach_mm / even / s)) + 1 for s in grid.spacing_mm]
    highest, lowest = ndimage.maximum_filter(relative, size), ndimage.minimum_filter(relative, size)
    return np.asarray((highest > even * (1 + SAME)) | (lowest < even * (1 - SAME)))


def outside_body(density: Array) -> NDArray[np.bool_]:
    """Return where there is air that reaches the image's border without passing through tissue."""
    labels, count = ndimage.label(density < LEAST_DENSITY)
    border = np.zeros(count + 1, bool)
    for axis in range(3):
        for face in (0, -1):
            border[np.unique(np.take(labels, face, axis))] = True
    border[0] = False
    return np.asarray(border[labels])


def _traced(sources: Array, relative: Array, kernels: ChainKernels, grid: Grid) -> Array:
    """Return what rays add, J; more of them where there is much activity, or where few voxels share the effort."""
    most = int(np.clip(RAYS / len(sources), MOST_RAYS, 100 * MOST_RAYS))
    rays = np.clip(np.ceil(most * sources[:, 3] / sources[:, 3].mean()), LEAST_RAYS, most).astype(np.int64)
    table, step = thickness_table(kernels)
    threads = os.cpu_count() or 1

    def trace(part: int) -> Array:
        energy = np.zeros(relative.shape)
        mine = slice(part, None, threads)
        spacing = np.array(grid.spacing_mm)
        trace_difference(energy, sources[mine].copy(), rays[mine].copy(), relative, spacing, table, step)
        return energy

    with ThreadPoolExecutor(threads) as pool:
        return np.asarray(sum(pool.map(trace, range(threads))))


def thickness_table(kernels: ChainKernels) -> tuple[Array, float]:
    """Return the energy (J per decay) that charged particles leave within 0, 1, 2, … steps of water, and a step, mm."""
    radius = kernels.charged.radius_mm
    last = float(radius[np.searchsorted(radius, kernels.reach_mm, side="right") - 1])
    thickness = np.linspace(0.0, max(last, radius[1]), TABLE_STEPS + 1)
    within = np.append(0.0, np.cumsum(kernels.charged.charged_J))
    return np.interp(thickness, radius, within), float(thickness[1])


def photon_correction(decays: NDArray[np.float32], source: Source, kernel: PointKernel) -> Array:
    """Return the factor of the photons' dose in each voxel, found in blocks of voxels and interpolated."""
    density = np.asarray(source.density.values, np.float64)
    spacing = np.array(source.density.grid.spacing_mm)
    block = int(max(1, np.ceil((density.size / PHOTON_TARGETS) ** (1 / 3))))
    bone = bone_share(density)
    mass = _blocks(density, block)
    bony = np.divide(_blocks(density * bone, block), mass, out=np.zeros(mass.shape), where=mass > 0)
    targets = (np.argwhere(np.ones(mass.shape)) + 0.5) * spacing * block
    groups = bone_against_water().groups(source.nuclides)
    inside = (mass > LEAST_DENSITY).astype(np.float64)
    near = ndimage.gaussian_filter(inside, SCATTER_REACH_MM / (spacing * block), mode="constant")
    around = ndimage.gaussian_filter(mass / 1000.0 * bony, SCATTER_REACH_MM / (spacing * block), mode="constant")
    body = Body(mass / 1000.0, bony, np.minimum(near, 1.0), AROUND_MM * around, spacing * block)
    places, log_table = _representatives(decays, spacing), _photon_table(kernel)
    threads = os.cpu_count() or 1
    with ThreadPoolExecutor(threads) as pool:
        parts = pool.map(
            lambda part: photon_ratios(part, places, body, groups, log_table),
            np.array_split(targets, 4 * threads),
        )
        ratios = np.concatenate(list(parts)).reshape(*mass.shape, 2)
    at = [(np.arange(n) + 0.5) / block - 0.5 for n in density.shape]
    to_water, to_bone = (_interpolated(ratios[..., i], at) for i in range(2))
    return np.asarray((1 - bone) * to_water + bone * to_bone)


def _blocks(values: Array, block: int) -> Array:
    """Average over cubes of voxels; the last ones along an axis may be padded with the edge."""
    padded = np.pad(values, [(0, -n % block) for n in values.shape], mode="edge")
    a, b, c = (n // block for n in padded.shape)
    return np.asarray(padded.reshape(a, block, b, block, c, block).mean(axis=(1, 3, 5)))


def _interpolated(values: Array, places: list[Array]) -> Array:
    """Interpolate linearly along one axis after another, constant beyond the ends."""
    for axis, at in enumerate(places):
        low = np.clip(np.floor(at).astype(int), 0, values.shape[axis] - 1)
        high = np.minimum(low + 1, values.shape[axis] - 1)
        part = np.clip(at - low, 0.0, 1.0).reshape([-1 if a == axis else 1 for a in range(3)])
        values = np.take(values, low, axis) * (1 - part) + np.take(values, high, axis) * part
    return values


def _representatives(decays: NDArray[np.float32], spacing: Array) -> Array:
    """Return places (mm) of voxels that stand for all, taken evenly along the cumulated decays."""
    cumulative = np.cumsum(decays.ravel(), dtype=np.float64)
    count = min(PHOTON_SOURCES, int((decays > 0).sum()))
    wanted = (np.arange(count) + 0.5) / max(1, count) * cumulative[-1]
    places = np.array(np.unravel_index(np.searchsorted(cumulative, wanted), decays.shape)).T
    return (places + 0.5) * spacing


def _photon_table(kernel: PointKernel) -> Array:
    """Return ln of thickness (mm, even) and ln of the photons' energy per mm (J per decay), over a few shells each."""
    radius, energy = kernel.radius_mm[1:], (kernel.charged_J + kernel.photons_J)[1:]
    even = np.linspace(np.log(radius[0]), np.log(radius[-1]), 200)
    within = np.interp(even, np.log(radius), np.append(0.0, np.cumsum(energy)))
    per_mm = np.diff(within) / np.diff(np.exp(even))
    middle = 0.5 * (even[1:] + even[:-1])
    kept = per_mm > 0
    filled = np.interp(middle, middle[kept], np.log(per_mm[kept])) if kept.any() else np.full(len(middle), -80.0)
    return np.column_stack([middle, filled])
