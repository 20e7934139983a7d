"""Absorbed dose by coupled photon–electron Monte Carlo in a grid of densities and media."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hevesy.core import Grid, Image, Quantity, Region
from hevesy.core.material import Material
from hevesy.data.materials import material
from hevesy.errors import BadInput
from hevesy.kernels.tables import ALPHA, POSITRON, Lattice, Options, World
from hevesy.physics.alpha_range import alpha_range_g_cm2
from hevesy.physics.electron_scattering import REST_ENERGY_J, REST_ENERGY_MeV
from hevesy.stages.dosimetry.emissions import Radiation, noise, share_out
from hevesy.stages.dosimetry.own_voxel import booking, relative_reach
from hevesy.stages.dosimetry.simulation import LEAST_BATCHES, Plan
from hevesy.stages.dosimetry.source_spectrum import (
    Shares,
    alpha_bins,
    electron_bins,
    local_energy_J,
    photon_bins,
)
from hevesy.stages.dosimetry.transport_tables import CELL, alpha_tables, electron_tables, energy_cells, photon_tables

Array = NDArray[np.float64]

#: media by density where nothing else is known: (from this density on, kg/m³; medium)
BY_DENSITY = ((0.0, "air"), (100.0, "lung"), (800.0, "adipose"), (980.0, "soft tissue"), (1180.0, "cortical bone"))
#: histories that start in a voxel in the fewest batches, where anything is booked for electrons: with 2, one voxel in
#: 10,000 lost more than it had
LEAST_STARTS = 4.0
#: the tables of alphas reach this energy, m_e c² (12.3 MeV: none of ICRP 107 has more)
ALPHA_TOP = 24.0
#: g/cm² over kg/m³ → mm
MM_KG_M3 = 1e4
#: kg/m³ → kg/mm³
KG_MM3 = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Phantom:
    """What radiation passes through; vacuum outside.

    Parameters
    ----------
    density : Image
        Mass density, kg/m³.
    labels : (n0, n1, n2) array of uint8
        Index of each voxel's medium.
    media : tuple of Material
        At most 256.

    Raises
    ------
    WrongQuantity
        If `density` is none.
    BadInput
        If a density is negative, a label has no medium, or the grid's axes are not at right angles.
    """

    density: Image
    labels: NDArray[np.uint8] = field(repr=False)
    media: tuple[Material, ...]

    def __post_init__(self) -> None:
        self.density.require(Quantity.DENSITY)
        if float(self.density.values.min()) < 0:
            raise BadInput("A mass density cannot be negative.")
        if self.labels.shape != self.density.values.shape or int(self.labels.max()) >= len(self.media):
            raise BadInput("Every voxel needs the label of a medium that is given.")
        axes = self.density.grid.affine[:3, :3] / np.array(self.density.grid.spacing_mm)
        if not np.allclose(axes.T @ axes, np.eye(3), atol=1e-4):
            raise BadInput("Transport needs a grid whose axes are at right angles.", "Resample the images.")

    @property
    def grid(self) -> Grid:
        """The grid."""
        return self.density.grid

    @classmethod
    def uniform(cls, grid: Grid, medium: Material) -> Phantom:
        """Return a phantom of one medium at its own density."""
        values = np.full(grid.shape, medium.density_kg_m3, np.float32)
        return cls(Image(values, grid, Quantity.DENSITY), np.zeros(grid.shape, np.uint8), (medium,))

    @classmethod
    def from_density(cls, density: Image) -> Phantom:
        """Return a phantom whose media are guessed from density: air, lung, adipose, soft tissue, bone."""
        bounds = [bound for bound, _ in BY_DENSITY[1:]]
        labels = np.digitize(density.values, bounds).astype(np.uint8)
        return cls(density, labels, tuple(material(name) for _, name in BY_DENSITY))

    def lattice(self) -> Lattice:
        """Return the transport's view of it."""
        return Lattice(
            np.array(self.grid.shape, np.int64),
            np.array(self.grid.spacing_mm),
            np.ascontiguousarray(self.labels, np.uint8).ravel(),
            (np.ascontiguousarray(self.density.values, np.float32) * np.float32(KG_MM3)).ravel(),
            np.zeros(0),
        )

    def mass_kg(self) -> Array:
        """Return the mass of each voxel, kg."""
        return np.asarray(self.density.values, np.float64) * (self.grid.voxel_volume_mL * 1e-6)


@dataclass(frozen=True, slots=True)
class Physics:
    """How particles are followed.

    Parameters
    ----------
    electron_cutoff_MeV, photon_cutoff_MeV : float
        A particle below this is absorbed where it is.
    delta_MeV : float
        Knock-on electrons above this are followed on their own.
    cell : float
        Share of the residual range that an electron loses between two turns.
    stop_inside : bool
        An electron or alpha that cannot leave its voxel is absorbed there; bremsstrahlung is still made.
    kerma : bool
        Photons score what they transfer to electrons, along their track; without, those electrons are followed.
    woodcock : bool
        Photons fly by the majorant and score at interactions.
    splitting : int
        Photons made of each one of bremsstrahlung.
    energy_biased : bool
        Emissions are drawn as often as they carry energy that is left to chance.
    booked : bool
        What electrons leave in the voxel of their birth on average is booked there, and the rest alone left to chance.
    stratified : bool
        The starts of a batch are spread evenly.
    """

    electron_cutoff_MeV: float = 0.010
    photon_cutoff_MeV: float = 0.001
    delta_MeV: float = 0.030
    cell: float = CELL
    stop_inside: bool = True
    kerma: bool = True
    woodcock: bool = False
    splitting: int = 2
    energy_biased: bool = True
    booked: bool = True
    stratified: bool = True

    @classmethod
    def analog(cls) -> Physics:
        """Return physics without any reduction of variance."""
        return cls(
            stop_inside=False,
            kerma=False,
            splitting=1,
            energy_biased=False,
            booked=False,
            stratified=False,
        )

    def options(self) -> Options:
        """Return the transport's view of it."""
        return Options(
            self.electron_cutoff_MeV / REST_ENERGY_MeV,
            self.photon_cutoff_MeV / REST_ENERGY_MeV,
            self.stop_inside,
            self.kerma,
            self.woodcock,
            self.splitting,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Decays:
    """What decays where.

    Parameters
    ----------
    tia : Image
        Time-integrated activity concentration, Bq·s/mL.
    nuclides : sequence of (Nuclide, float)
        What decays, and how many of its decays each unit of `tia` stands for: a daughter in place has its branching,
        one with an image of its own has a `Decays` of its own.

    Raises
    ------
    WrongQuantity
        If `tia` is not a time-integrated activity concentration.
    BadInput
        If it has a negative value.
    """

    tia: Image
    nuclides: Shares

    def __post_init__(self) -> None:
        self.tia.require(Quantity.TIME_INTEGRATED_ACTIVITY_CONCENTRATION)
        if float(self.tia.values.min()) < 0:
            raise BadInput("A time-integrated activity cannot be negative.", "Set it to zero there first.")

    @property
    def number(self) -> Array:
        """Decays in each voxel."""
        return np.asarray(self.tia.values, np.float64) * self.tia.grid.voxel_volume_mL


def plan(
    phantom: Phantom,
    decays: Sequence[Decays],
    histories_per_batch: int = 100_000,
    seed: int = 1,
    physics: Physics | None = None,
    regions: Sequence[Region] = (),
) -> Plan:
    """Return the simulation of decays in a phantom.

    Histories go to electrons, photons and alphas of each source as they make noise, and at least a tenth to each that
    makes more than 0.1% of it.

    Parameters
    ----------
    phantom : Phantom
        What radiation passes through.
    decays : sequence of Decays
        What decays where, on the phantom's grid.
    histories_per_batch : int
        Histories in each batch.
    seed : int
        Seed of the random numbers.
    physics : Physics, optional
        How particles are followed.
    regions : sequence of Region
        Those whose mean doses are watched; voxels that are at least half in count.

    Raises
    ------
    GridMismatch
        If something lies on another grid.
    BadInput
        If nothing decays or emits, or something decays in a vacuum.
    """
    physics = physics or Physics()
    for decay in decays:
        _check(phantom, decay)
    radiations = [one for d in decays for one in _radiations(phantom, d, histories_per_batch, physics)]
    light = np.concatenate([np.zeros((1, 4)), *(one.bins[one.bins[:, 2] != ALPHA] for one in radiations)])
    highest = float(light[:, 1].max())
    # a pair's positron is followed only where the electrons of photons are
    positrons = bool((light[:, 2] == POSITRON).any()) or (highest > 2.0 and not physics.kerma)
    world = world_of(phantom, highest, physics, positrons)
    indices = {r.name: _voxels(r) for r in regions}
    emissions = share_out(radiations, histories_per_batch)
    return Plan(world, emissions, seed, physics.stratified, indices, _booked(decays), _lent(phantom, radiations))


def _voxels(region: Region) -> NDArray[np.int64]:
    """Return the flat indices of the voxels that lie in a region by half or more; of all that it touches, if none."""
    covered = region.mask().ravel()
    return np.flatnonzero(covered >= min(0.5, float(covered.max())))


def _radiations(phantom: Phantom, decay: Decays, histories_per_batch: int, physics: Physics) -> Iterator[Radiation]:
    """Give each kind of particles that a source emits."""
    number = decay.number
    voxels = _near_by_near(number)
    here = number.ravel()[voxels]
    flying, biased = physics.kerma, physics.energy_biased
    photons, electrons, alphas = (kind(decay.nuclides) for kind in (photon_bins, electron_bins, alpha_bins))
    if not voxels.size:
        return
    if len(electrons) and physics.booked:
        rich = here * (histories_per_batch * LEAST_BATCHES / here.sum()) >= LEAST_STARTS
        booked = booking(electrons, _reach(phantom, voxels), rich, here)
        yield Radiation(voxels, here, electrons, noise(electrons, flying, booked.noise), biased, booked)
    elif len(electrons):
        yield Radiation(voxels, here, electrons, noise(electrons, flying), biased)
    if len(photons):
        yield Radiation(voxels, here, photons, noise(photons, flying), biased)
    if len(alphas):
        yield Radiation(voxels, here, alphas, _crossing(phantom, decay, alphas) * noise(alphas, flying), biased)


def _reach(phantom: Phantom, voxels: NDArray[np.integer]) -> Array:
    density = phantom.density.values.ravel()[voxels]
    return relative_reach(density, phantom.labels.ravel()[voxels], phantom.media, phantom.grid.spacing_mm)


def _crossing(phantom: Phantom, decay: Decays, bins: Array) -> float:
    """Return about which share of the energy of alphas crosses a face of a voxel."""
    reach = float(alpha_range_g_cm2(material("water"), bins[:, 1].max() * REST_ENERGY_MeV)) * MM_KG_M3
    thinnest = float(phantom.density.values[decay.tia.values > 0].min())
    return min(1.0, reach / thinnest / min(phantom.grid.spacing_mm))


def _booked(decays: Sequence[Decays]) -> Array:
    """Return the energy of alphas, recoils and fission fragments in each voxel, m_e c²; empty where there are none."""
    per_decay = [local_energy_J(decay.nuclides) / REST_ENERGY_J for decay in decays]
    parts = [decay.number.ravel() * energy for decay, energy in zip(decays, per_decay, strict=True) if energy > 0]
    return np.sum(parts, axis=0) if parts else np.zeros(0)


def _lent(phantom: Phantom, radiations: Sequence[Radiation]) -> Array:
    """Return what is booked in each voxel for electrons, m_e c²; empty where nothing is."""
    booked = [one for one in radiations if one.booking]
    if not booked:
        return np.zeros(0)
    lent = np.zeros(phantom.labels.size)
    for one in booked:
        lent[one.voxels] += one.booked_energy()
    return lent


def _near_by_near(number: Array) -> NDArray[np.integer]:
    """Return the flat indices of voxels that are not zero in Morton's order, in which near voxels follow each other.

    So histories that follow each other, whose starts a lattice spreads evenly, share out small parts of space.
    """
    voxels = np.flatnonzero(number)
    code = np.zeros(number.shape, np.uint32)
    for axis, size in enumerate(number.shape):
        bits = [((np.arange(size, dtype=np.uint32) >> b) & 1) << (3 * b + axis) for b in range(10)]
        shape = [size if a == axis else 1 for a in range(3)]
        code |= np.bitwise_or.reduce(bits).astype(np.uint32).reshape(shape)
    return voxels[np.argsort(code.ravel()[voxels], kind="stable")]


def _check(phantom: Phantom, decay: Decays) -> None:
    phantom.grid.require_match(decay.tia.grid, "The phantom and the time-integrated activity")
    if ((decay.tia.values > 0) & (phantom.density.values <= 0)).any():
        raise BadInput("There is activity where the density is zero.", "Mask the activity with the body.")


def world_of(phantom: Phantom, highest: float, physics: Physics, positrons: bool = True) -> World:
    """Return the transport's tables for particles up to an energy, m_e c²."""
    lattice = phantom.lattice()
    # a positron's annihilation and a pair's members stay below the emission that they come from, or 1
    top = max(highest, 1.0) * 1.0001
    edges = energy_cells(top, physics.electron_cutoff_MeV / REST_ENERGY_MeV, physics.cell)
    used = np.unique(lattice.medium)
    media = tuple(phantom.media[i] for i in used)
    lattice = lattice._replace(medium=np.searchsorted(used, lattice.medium).astype(np.uint8))
    heaviest = np.array([lattice.density[lattice.medium == i].max() for i in range(len(media))], np.float64)
    electrons = electron_tables(media, edges, physics.delta_MeV / REST_ENERGY_MeV, positrons)
    options = physics.options()
    return World(lattice, electrons, photon_tables(media, heaviest), alpha_tables(media, ALPHA_TOP), options)


def per_mass(energy_J: Array, phantom: Phantom) -> Array:
    """Return energy over mass, Gy; 0 in a vacuum."""
    mass = phantom.mass_kg()
    return np.divide(energy_J, mass, out=np.zeros(mass.shape), where=mass > 0)
