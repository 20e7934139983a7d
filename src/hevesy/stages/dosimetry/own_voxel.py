"""What electrons leave in the voxel of their birth on average, which is booked there before any is followed.

A history then takes from that voxel what was booked for it, and lays its energy where it goes. No mean depends on the share
that is booked; noise is least where it is the true one, as little is then left to chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hevesy.core.material import Material
from hevesy.data.materials import material
from hevesy.physics.electron_scattering import REST_ENERGY_MeV
from hevesy.physics.stopping_power import csda_range_g_cm2

Array = NDArray[np.float64]

#: share of its energy that an electron leaves in the cube of its birth, by its range over the side: found by this
#: transport for 50 keV to 2 MeV in water, lung and air; bone keeps up to 0.03 more
REACHES = np.array([0.0, 0.02, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0])
SHARES = np.array([1.0, 0.985, 0.926, 0.79, 0.43, 0.115, 0.034, 0.0])
#: voxels are told apart by the range of one electron over the side of the voxel, in steps of 2^¼ up from 2⁻³² times that
#: in 1 mm of water
_STEPS_PER_OCTAVE, _LOWEST_STEP, _LEVELS = 4, -128, 256
#: the energy at which media are compared
_COMPARED_MeV = 0.5
#: g/cm² over kg/m³ → mm
_MM_KG_M3 = 1e4


@dataclass(frozen=True, slots=True)
class Booking:
    """What is booked of one source of electrons.

    Parameters
    ----------
    level : (n,) array of uint8
        How far electrons reach out of each voxel; 0 where nothing is booked.
    share : (256, b) array
        Share of the kinetic energy that is booked, by level and bin of the spectrum.
    """

    level: NDArray[np.uint8]
    share: Array

    def energy(self, bins: Array, decays: Array) -> Array:
        """Return what is booked in each voxel for its decays, m_e c²."""
        mean = bins[:, 3] * 0.5 * (bins[:, 0] + bins[:, 1])
        return np.asarray(decays * (self.share @ mean)[self.level])

    def left(self, decays: Array) -> Array:
        """Return the share of the energy of each bin that is left to chance, mean over decays."""
        weight = np.bincount(self.level, decays, _LEVELS)
        return 1.0 - np.asarray(weight @ self.share / weight.sum())


def booking(bins: Array, reach: Array, rich: NDArray[np.bool_]) -> Booking:
    """Return what is booked of a source of electrons or positrons.

    Parameters
    ----------
    bins : (b, 4) array
        As of `hevesy.stages.dosimetry.source_spectrum.electron_bins`.
    reach : (n,) array
        How far an electron reaches in each voxel, as of `relative_reach`.
    rich : (n,) array
        Voxels in which enough histories start. Elsewhere nothing is booked: one that leaves could take more than there is.
    """
    step = np.rint(_STEPS_PER_OCTAVE * np.log2(reach)).astype(int) - _LOWEST_STEP
    level = np.where(rich, np.clip(step, 1, _LEVELS - 1), 0).astype(np.uint8)
    energies = 0.5 * (bins[:, 0] + bins[:, 1]) * REST_ENERGY_MeV
    water = material("water")
    in_water_mm = csda_range_g_cm2(water, energies) * _MM_KG_M3 / water.density_kg_m3
    of_level = 2.0 ** ((np.arange(_LEVELS) + _LOWEST_STEP) / _STEPS_PER_OCTAVE)
    share = np.interp(in_water_mm * of_level[:, None], REACHES, SHARES)
    share[0] = 0.0
    return Booking(level, share)


def relative_reach(
    density: Array, labels: NDArray[np.integer], media: Sequence[Material], spacing_mm: Sequence[float]
) -> Array:
    """Return the range of an electron over the side of each voxel, relative to that in 1 mm of water.

    Parameters
    ----------
    density : (n,) array
        Of the voxels, kg/m³.
    labels : (n,) array
        Of their media.
    media : sequence of Material
        The media.
    spacing_mm : (float, float, float)
        Sides of the voxels; what leaves a box of three sides goes with the surface over the volume.
    """
    water = material("water")
    ranges = np.array([float(csda_range_g_cm2(m, _COMPARED_MeV)) for m in media])
    relative = ranges / float(csda_range_g_cm2(water, _COMPARED_MeV)) * water.density_kg_m3
    return np.asarray(relative[labels] / density * np.mean([1.0 / side for side in spacing_mm]))
