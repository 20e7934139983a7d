"""How a batch's histories are shared out among what is emitted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hevesy.errors import BadInput
from hevesy.kernels.tables import ALPHA, PHOTON, POSITRON, source
from hevesy.stages.dosimetry.own_voxel import Booking
from hevesy.stages.dosimetry.simulation import Emission
from hevesy.stages.dosimetry.source_spectrum import weighted

Array = NDArray[np.float64]

#: emissions that carry less than this share of the noise need few histories
MATTERS = 1e-3
#: emissions that matter get this share of the histories at least
LEAST_SHARE = 0.1
#: powers of two of activity that alphas tell apart
ALPHA_LEVELS = 24
#: noise of a photon that scores along its track, over that of its energy in one voxel: found on the scale of `Booking`
TRACK_NOISE = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Radiation:
    """Particles of one kind that a source emits.

    Parameters
    ----------
    voxels : (n,) array
        Flat indices of the voxels with activity.
    decays : (n,) array
        Decays in each.
    bins : (b, 4) array
        What a decay emits, as of `hevesy.stages.dosimetry.source_spectrum`.
    noise : (b,) array
        How much one particle of each bin adds to the noise, about.
    biased : bool
        Draw bins by their noise; without, as often as they occur.
    booking : Booking, optional
        What is booked in the voxel of birth.
    """

    voxels: NDArray[np.integer]
    decays: Array
    bins: Array
    noise: Array
    biased: bool = True
    booking: Booking | None = None

    @property
    def weight(self) -> float:
        """How much it adds to the noise, about."""
        return float(self.decays.sum() * (self.bins[:, 3] @ self.noise))

    def booked_energy(self) -> Array:
        """Return what is booked in each of the voxels, m_e c²."""
        return self.booking.energy(self.bins, self.decays) if self.booking else np.zeros(self.voxels.size)

    def emissions(self, histories: float) -> Iterator[Emission]:
        """Give the parts that are drawn on their own, of so many histories in all."""
        bins = weighted(self.bins, self.noise if self.biased else np.ones(len(self.bins)))
        for group in self._groups():
            cumulative = np.cumsum(self.decays[group])
            particles = source(self.voxels[group], cumulative / cumulative[-1], bins)
            if self.booking:
                particles = particles._replace(level=self.booking.level[group], booked=self.booking.share)
            own = max(1, round(histories * cumulative.size / self.voxels.size))
            yield Emission(particles, float(cumulative[-1]), own)

    def _groups(self) -> list[NDArray[np.bool_]]:
        """Part the voxels: those of alphas by powers of two of their activity.

        What an alpha takes from the voxel of its birth is then in proportion to what is booked there: were histories
        dealt by activity alone, one that leaves a voxel of little could take more than it has.
        """
        if self.bins[0, 2] != ALPHA:
            return [np.ones(self.voxels.size, bool)]
        level = np.minimum(np.log2(self.decays.max() / self.decays).astype(int), ALPHA_LEVELS - 1)
        return [level == i for i in np.unique(level)]


def noise(bins: Array, along_tracks: bool, electrons: Array | float = 1.0) -> Array:
    """Return about how much one particle of each bin adds to the noise of voxels, m_e c².

    Parameters
    ----------
    bins : (b, 4) array
        What is emitted.
    along_tracks : bool
        Whether photons score along their tracks.
    electrons : (b,) array or float
        How much an electron or positron of each bin adds of its kinetic energy, as of `Booking.noise`.
    """
    energy = 0.5 * (bins[:, 0] + bins[:, 1])
    flies = bins[:, 2] == PHOTON
    photons = np.where(flies, energy, 2.0 * (bins[:, 2] == POSITRON)) * (TRACK_NOISE if along_tracks else 1.0)
    return np.asarray(np.hypot(photons, np.where(flies, 0.0, energy * electrons)))


def share_out(radiations: Sequence[Radiation], histories_per_batch: int) -> tuple[Emission, ...]:
    """Share the histories of a batch among radiations as they make noise, and at least a tenth to what matters.

    Raises
    ------
    BadInput
        If there is nothing to follow.
    """
    weights = np.array([one.weight for one in radiations])
    if not weights.sum() > 0:
        raise BadInput("There is nothing to transport: no activity, or none that emits photons, electrons or alphas.")
    shares = weights / weights.sum()
    shares = np.maximum(shares, np.where(shares > MATTERS, LEAST_SHARE, 0.002))
    shares /= shares.sum()
    parts = zip(radiations, shares, strict=True)
    return tuple(e for one, share in parts for e in one.emissions(share * histories_per_batch))
