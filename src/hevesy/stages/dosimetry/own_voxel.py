"""What electrons leave in the voxel of their birth on average, which is booked there before any is followed.

A history then takes from that voxel what was booked for it, and lays its energy where it goes. No mean depends on the
share that is booked; noise is least where it is the true one, as little is then left to chance.
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

#: Of electrons born anywhere in a cube, by their range over its side: the share of their energy that stays; the noise
#: of the rest, and of all where nothing is booked (√ of the sum over voxels of the variance of the share, over the
#: microseconds that one takes). Found by this transport for 100 to 1500 keV in water; shares in lung and air are within
#: 0.01 of them, in bone 0.03. They decide how much noise there is, and no mean.
REACHES = np.array([0.0, 0.005, 0.02, 0.05, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0])
STAYS = np.array([1.0, 0.9975, 0.984, 0.959, 0.922, 0.785, 0.43, 0.113, 0.032, 0.01, 0.003])
NOISE = np.array([0.07, 0.16, 0.33, 0.43, 0.45, 0.54, 0.53, 0.35, 0.17, 0.09, 0.05])
NOISE_OF_ALL = np.array([3.0, 2.7, 2.2, 1.8, 1.4, 1.0, 0.63, 0.36, 0.17, 0.09, 0.05])
#: voxels are told apart by the range of one electron over their side, in steps of 2^¼ from 2⁻¹⁶ times that in 1 mm of
#: water, and by whether anything is booked
_STEPS_PER_OCTAVE, _LOWEST_STEP, _STEPS = 4, -64, 128
#: the energy at which media are compared
_COMPARED_MeV = 0.5
#: g/cm² over kg/m³ → mm
_MM_KG_M3 = 1e4


@dataclass(frozen=True, slots=True)
class Booking:
    """What is booked of one source of electrons or positrons.

    Parameters
    ----------
    level : (n,) array of uint8
        How far electrons reach out of each voxel, and whether anything is booked there.
    share : (256, b) array
        Share of the kinetic energy that is booked, by level and bin of the spectrum.
    noise : (b,) array
        About how much of its kinetic energy a particle of each bin adds to the noise.
    """

    level: NDArray[np.uint8]
    share: Array
    noise: Array

    def energy(self, bins: Array, decays: Array) -> Array:
        """Return what is booked in each voxel for its decays, m_e c²."""
        mean = bins[:, 3] * 0.5 * (bins[:, 0] + bins[:, 1])
        return np.asarray(decays * (self.share @ mean)[self.level])


def booking(bins: Array, reach: Array, rich: NDArray[np.bool_], decays: Array) -> Booking:
    """Return what is booked of a source of electrons or positrons.

    Parameters
    ----------
    bins : (b, 4) array
        As of `hevesy.stages.dosimetry.source_spectrum.electron_bins`.
    reach : (n,) array
        How far an electron reaches in each voxel, as of `relative_reach`.
    rich : (n,) array
        Voxels in which enough histories start. Elsewhere nothing is booked: a history could take more than there is.
    decays : (n,) array
        Decays in each voxel.
    """
    step = np.rint(_STEPS_PER_OCTAVE * np.log2(reach)).astype(int) - _LOWEST_STEP
    level = (np.clip(step, 0, _STEPS - 1) + _STEPS * rich).astype(np.uint8)
    water = material("water")
    energies = 0.5 * (bins[:, 0] + bins[:, 1]) * REST_ENERGY_MeV
    in_water_mm = csda_range_g_cm2(water, energies) * _MM_KG_M3 / water.density_kg_m3
    reaches = in_water_mm * 2.0 ** ((np.arange(_STEPS)[:, None] + _LOWEST_STEP) / _STEPS_PER_OCTAVE)
    share, some, of_all = (np.interp(reaches, REACHES, column) for column in (STAYS, NOISE, NOISE_OF_ALL))
    weight = np.bincount(level, decays, 2 * _STEPS)
    noise = weight @ np.concatenate([of_all, some]) / weight.sum()
    return Booking(level, np.concatenate([np.zeros_like(share), share]), noise)


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
