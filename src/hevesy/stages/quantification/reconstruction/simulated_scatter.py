"""Counts of scattered photons in every energy window, by Monte Carlo through the μ-map of a system model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.special import erf

from hevesy.core import EnergyWindow
from hevesy.data.materials import material
from hevesy.errors import BadInput, MissingInformation
from hevesy.kernels.camera_scatter import Body, Camera, Photons, scatter
from hevesy.physics.attenuation import (
    ELECTRON_MEV,
    HC_KEV_ANGSTROM,
    linear_attenuation_per_mm,
    mass_attenuation_cm2_g,
    scattering_per_electron,
)
from hevesy.stages.quantification.reconstruction.likelihood import Measurement
from hevesy.stages.quantification.reconstruction.response import FWHM_PER_SIGMA
from hevesy.stages.quantification.reconstruction.system import SystemModel

#: momentum transfers, 1/Å: beyond the last every electron of water is free
TRANSFERS = np.linspace(0.0, 10.0, 501)
#: thickness of a common crystal, 3/8 inch, mm
CRYSTAL_MM = 9.5
#: standard deviation of the smoothing of simulated scatter, bins: 1.5 would flatten its peak by a fifth at 8 mm
SMOOTHING_BINS = 0.5
#: of scatter simulated from an image
PASSES = 3


@dataclass(frozen=True, slots=True)
class Detection:
    """What is emitted, and what the detector makes of it.

    Parameters
    ----------
    photon_keV : float
        The photon whose unscattered counts the system model gives.
    lines : tuple of (float, float)
        Energy, keV, and number per decay of every photon to be followed, that one among them.
    windows : tuple of EnergyWindow
        The first holds the photon.
    resolution : float
        Energy resolution at the photon's energy, full width at half maximum over energy; it goes with 1/√E.
    crystal_mm : float
        Thickness of the NaI crystal.

    Raises
    ------
    BadInput
        If the photon is not among the lines or not in the first window, or a number is impossible.
    """

    photon_keV: float
    lines: tuple[tuple[float, float], ...]
    windows: tuple[EnergyWindow, ...]
    resolution: float = 0.1
    crystal_mm: float = CRYSTAL_MM

    def __post_init__(self) -> None:
        if not any(abs(energy - self.photon_keV) < 1 for energy, _ in self.lines):
            raise BadInput(f"No emitted line has the {self.photon_keV:g} keV of the photon.")
        if not self.windows or self.accepted(np.array([self.photon_keV]))[0, 0] < 0.1:
            raise BadInput(f"The first energy window does not hold the photon of {self.photon_keV:g} keV.")
        if not (0 < self.resolution < 1 and self.crystal_mm > 0):
            raise BadInput(f"A detector cannot have a resolution of {self.resolution} or {self.crystal_mm} mm.")

    def accepted(self, energy_keV: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the chance that a photon at the detector is counted in each window, (windows, energies)."""
        energy = np.maximum(energy_keV, 1.0)
        sigma = self.resolution / FWHM_PER_SIGMA * np.sqrt(energy * self.photon_keV)
        stops = -np.expm1(-linear_attenuation_per_mm(material("NaI"), energy * 1e-3) * self.crystal_mm)
        chances = np.zeros((len(self.windows), energy.size))
        for row, window in enumerate(self.windows):
            for low, high in window.ranges_keV:
                upper, lower = ((edge - energy) / (np.sqrt(2) * sigma) for edge in (high, low))
                chances[row] += 0.5 * (erf(upper) - erf(lower))
        return np.asarray(chances * stops)

    def spill(self) -> NDArray[np.float64]:
        """Return unscattered counts of the photon in each window over those in the first, (windows,)."""
        chances = self.accepted(np.array([self.photon_keV]))[:, 0]
        return np.asarray(chances / chances[0])


def scattered(
    system: SystemModel, activity: NDArray[np.floating], detection: Detection, histories: int, seed: int
) -> NDArray[np.float64]:
    """Return the mean of what is counted besides unscattered photons of the system's energy.

    The body is taken as water of the density that gives its μ. Coherent scattering, 2% of interactions at 200 keV and
    nearly straight on, is left out: photons so scattered go on as they were. Septa are taken to stop what the
    collimator does not accept.

    Parameters
    ----------
    system : SystemModel
        With a μ-map at the photon's energy.
    activity : (side, side, slices) array
        As for the system's `forward`.
    detection : Detection
        Lines, windows, crystal.
    histories : int
        Photons to follow; 10⁵ give a smooth view for most bodies.
    seed : int
        Of the random numbers.

    Returns
    -------
    (windows, views, side, slices) array
        In units of the system's `forward`: unscattered photons of other lines are included, those of the photon not.

    Raises
    ------
    MissingInformation
        If the system has no μ-map or no response.
    """
    if system.mu_per_mm is None or system.response is None:
        raise MissingInformation("Scatter needs a μ-map and the collimator's response.")
    lattice, orbit = system.lattice, system.orbit
    mu = np.ascontiguousarray(system.mu_per_mm, np.float32)
    body = Body(mu, lattice.pixel_mm, lattice.slice_mm, float(mu.max()))
    frames = np.asarray(orbit.frames(lattice.pixel_mm)[:, :4], np.float64)
    reach = np.arange(int(orbit.radii_mm.max() + lattice.side * lattice.pixel_mm) + 1, dtype=np.float64)
    camera = Camera(frames, orbit.radii_mm, system.response.sigma_mm(reach), lattice.side, lattice.slices)
    counted = scatter(body, _photons(activity, detection), camera, histories, seed)
    main = sum(per_decay for energy, per_decay in detection.lines if abs(energy - detection.photon_keV) < 1)
    emitted = sum(per_decay for _, per_decay in detection.lines) / main
    return np.asarray(counted * emitted * float(np.sum(activity, dtype=np.float64)))


def estimated_scatter(
    measurement: Measurement,
    reconstruct: Callable[[Measurement], NDArray[np.float32]],
    detection: Detection,
    histories: int,
    seed: int = 1,
) -> NDArray[np.float32]:
    """Return the expected scatter in the photopeak of a measurement, from its own image (views, side, slices).

    It is simulated, and smoothed along each view.

    Parameters
    ----------
    measurement, reconstruct
        See `refined_scatter`.
    detection, histories, seed
        See `scattered`; only the first window is used.

    Raises
    ------
    MissingInformation
        If the system has no μ-map or no response.
    """
    peak = replace(detection, windows=detection.windows[:1])

    def simulated(image: NDArray[np.float32], number: int) -> NDArray[np.float32]:
        counted = scattered(measurement.system, image, peak, histories, seed + number)[0]
        return gaussian_filter(counted, (0, SMOOTHING_BINS, SMOOTHING_BINS)).astype(np.float32)

    return refined_scatter(measurement, reconstruct, simulated)


def refined_scatter(
    measurement: Measurement,
    reconstruct: Callable[[Measurement], NDArray[np.float32]],
    scatter_of: Callable[[NDArray[np.float32], int], NDArray[np.float32]],
) -> NDArray[np.float32]:
    """Return the scatter of a measurement, from its image, and again from the image corrected by it.

    What one pass takes out too much the next takes out too little, so that each pass after the first is met halfway.

    Parameters
    ----------
    measurement : Measurement
        Photopeak counts; its additive term, such as that of scatter windows, is where to start.
    reconstruct : callable
        Makes an image of a measurement; few iterations are enough.
    scatter_of : callable
        Returns the scatter (views, side, slices) of an image; it is told which pass this is.
    """
    estimate: NDArray[np.float32] | None = None
    for number in range(PASSES):
        found = scatter_of(reconstruct(measurement), number)
        estimate = found if estimate is None else np.asarray((estimate + found) / 2, np.float32)
        measurement = replace(measurement, additive=estimate)
    assert estimate is not None
    return estimate


def _photons(activity: NDArray[np.floating], detection: Detection) -> Photons:
    flat = np.asarray(activity, np.float64).ravel()
    voxel = np.flatnonzero(flat)
    return photons_of(detection)._replace(cumulative=np.cumsum(flat[voxel]) / flat[voxel].sum(), voxel=voxel)


def photons_of(detection: Detection) -> Photons:
    """Return what photons do in water and in the detector, all of them emitted from one voxel."""
    energies = np.array([energy for energy, _ in detection.lines])
    yields = np.array([per_decay for _, per_decay in detection.lines])
    keV = np.arange(int(energies.max()) + 2, dtype=np.float64) + 0.5
    accepted = detection.accepted(keV) / detection.accepted(np.array([detection.photon_keV]))[0, 0]
    water = material("water")
    above = np.maximum(keV, 10.0) * 1e-3
    incoherent = mass_attenuation_cm2_g(water, above, "incoherent")
    without_coherent = incoherent + mass_attenuation_cm2_g(water, above, "photoelectric")
    reference = float(mass_attenuation_cm2_g(water, detection.photon_keV * 1e-3))
    bound = np.interp(TRANSFERS, *scattering_per_electron(water))
    return Photons(
        np.ones(1),
        np.zeros(1, np.int64),
        energies,
        np.cumsum(yields) / yields.sum(),
        (np.abs(energies - detection.photon_keV) >= 1).astype(np.float64),
        without_coherent / reference,
        incoherent / without_coherent,
        np.array([_per_electron(float(e), bound) for e in np.maximum(keV, 10.0)]),
        bound,
        float(TRANSFERS[1]),
        accepted,
    )


def _per_electron(energy_keV: float, bound: NDArray[np.float64]) -> float:
    """Integrate Klein and Nishina's law times the scattering function over all angles."""
    away = np.linspace(0, 2, 801)
    ratio = 1 / (1 + energy_keV * 1e-3 / ELECTRON_MEV * away)
    law = 0.5 * ratio**2 * (ratio + 1 / ratio - away * (2 - away))
    transfer = energy_keV / HC_KEV_ANGSTROM * np.sqrt(away / 2)
    return float(2 * np.pi * np.trapezoid(law * np.interp(transfer, TRANSFERS, bound, right=1.0), away))
