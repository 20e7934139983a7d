"""Local energy deposition: every electron and alpha particle gives its energy to the voxel of its decay."""

from __future__ import annotations

import numpy as np

from hevesy.core import EmissionKind, Nuclide, Quantity
from hevesy.errors import OutsideValidity
from hevesy.stages.dosimetry.engines import DoseMap, Source
from hevesy.stages.dosimetry.photons_left_out import PhotonsLeftOut

CHARGED = (
    EmissionKind.ALPHA,
    EmissionKind.ALPHA_RECOIL,
    EmissionKind.BETA_MINUS,
    EmissionKind.BETA_PLUS,
    EmissionKind.CONVERSION_ELECTRON,
    EmissionKind.AUGER_ELECTRON,
)
PHOTONS = (EmissionKind.GAMMA, EmissionKind.X_RAY, EmissionKind.ANNIHILATION)
_KEV = 1.602176634e-16


def energy_per_parent_decay_J(nuclides: tuple[tuple[Nuclide, float], ...], kinds: tuple[EmissionKind, ...]) -> float:
    """Return the energy emitted by a parent and its daughters per decay of the parent, J."""
    return sum(share * nuclide.energy_per_decay_J(*kinds) for nuclide, share in nuclides)


def local_deposition(source: Source) -> DoseMap:
    """Return the absorbed dose if charged particles stop where they are born and photons leave.

    D = Ã · Δ / ρ for each voxel, with Δ the energy of electrons, positrons, alphas and recoils per
    decay (MIRD Pamphlet 21: self-dose with an absorbed fraction of 1).

    Raises
    ------
    GridMismatch
        If activity and density lie on different grids.
    WrongQuantity
        If they are not Bq·s/mL and kg/m³.
    OutsideValidity
        If nothing charged is emitted.
    """
    source.tia.require(Quantity.TIME_INTEGRATED_ACTIVITY_CONCENTRATION)
    source.density.require(Quantity.DENSITY)
    source.tia.grid.require_match(source.density.grid, "Time-integrated activity and density")
    charged = energy_per_parent_decay_J(source.nuclides, CHARGED)
    photons = energy_per_parent_decay_J(source.nuclides, PHOTONS)
    if not charged > 0:
        raise OutsideValidity(
            f"{source.nuclides[0][0].name} emits photons alone, and the engine local leaves them out.",
            "Take vsv, mvsv or mc.",
        )
    density = source.density.values.astype(np.float64)
    # 1 Bq·s/mL is 1e6 decays per m³
    dose = np.divide(source.tia.values * (charged * 1e6), density, out=np.zeros(density.shape), where=density > 0)
    image = source.tia.with_values(dose.astype(np.float32), Quantity.ABSORBED_DOSE)
    limits = [
        f"Photons are not included: they carry {photons / _KEV:.1f} of {(photons + charged) / _KEV:.1f} keV per decay,"
        " most of which leaves the region; the dose from other regions' photons is missing too.",
        "Electrons are taken to stop in the voxel of their decay: right in the mean of a region that is large"
        " against their range, too high in the maximum and at edges.",
    ]
    return DoseMap(
        image,
        f"Local energy deposition of charged particles, {charged / _KEV:.2f} keV per decay.",
        tuple(limits),
        left_out=PhotonsLeftOut(source.tia, source.density, source.nuclides, charged),
    )
