"""What time of flight buys in PET: the law, list-mode reconstructions of a disc, and detectors on the same scale."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hevesy.core.material import Material
from hevesy.physics.attenuation import linear_attenuation_per_mm
from hevesy.physics.time_of_flight import TimingKernel, variance_gain
from hevesy.stages.quantification.reconstruction.list_mode import Ring, coincidences, least_variance, list_mode_osem
from hevesy.stages.reporting.line_charts import Line, Panel
from hevesy.workflows.instruments.comparison import Comparison

DIAMETER_MM, WATER_511_PER_MM = 350.0, 0.0096
TIMINGS_PS = (800.0, 500.0, 300.0, 200.0)
LAW_PS = np.linspace(150.0, 1000.0, 86)
SIDE, PIXEL_MM = 48, 9.0
DECAYS, REALISATIONS, ITERATIONS, SUBSETS = 1_000_000, 5, 5, 6
#: width at half maximum of the place at the middle whose variance is bounded, mm
PLACE_MM = 14.0
#: a hot spot, off the middle, of so many times the activity around it
SPOT_AT_MM, SPOT_MM, HOT = 94.5, 18.0, 4.0
#: noise is taken within this radius of the middle, mm
MIDDLE_MM = 60.0
LENGTH_MM = 20.0
LSO = Material("LSO", 7400.0, {"Lu": 0.7640, "Si": 0.0613, "O": 0.1747}, None, False)
BGO = Material("BGO", 7130.0, {"Bi": 0.6710, "Ge": 0.1749, "O": 0.1541}, None, False)


@dataclass(frozen=True, slots=True)
class Detector:
    """A crystal with its light sensor.

    Parameters
    ----------
    name : str
        Its name.
    crystal : Material
        What stops the photons.
    fwhm_ps : float or None
        Coincidence time resolution, ps; None is too slow for time of flight.
    """

    name: str
    crystal: Material
    fwhm_ps: float | None


#: Jakoby et al., Phys Med Biol 56 (2011) 2375 (527 ps); Hsu et al., J Nucl Med 58 (2017) 1511 (375 ps); van Sluis et
#: al., J Nucl Med 60 (2019) 1031 (210 ps); these three unverified. Gundacker et al., Phys Med Biol 65 (2020) 025001,
#: abstract (277 ps, a pair of 20 mm crystals in the laboratory)
DETECTORS = (
    Detector("BGO, photomultiplier tubes", BGO, None),
    Detector("LSO, photomultiplier tubes (scanner)", LSO, 527.0),
    Detector("LSO, silicon photomultipliers (scanner, 2017)", LSO, 375.0),
    Detector("LSO, silicon photomultipliers (scanner, 2019)", LSO, 210.0),
    Detector("BGO, Cherenkov light, silicon photomultipliers (laboratory)", BGO, 277.0),
)

COLUMNS = (
    "detector",
    "time resolution / ps",
    "gain by timing",
    "pairs stopped, over BGO",
    "gain in effective counts",
    "gain in signal to noise",
)
NOTES = (
    f"Crystals of {LENGTH_MM:g} mm; time resolutions are published, pairs stopped and gains are computed here.",
    "A scanner's time resolution is worse than that of a pair in the laboratory, and Cherenkov photons are so"
    " few that BGO's times have broad tails: its row is the most that it could reach.",
    "No scattered or random coincidences: with them time of flight gains more.",
    "OSEM with timing reaches a contrast in fewer iterations and with less noise; at the same iteration it is noisier.",
)


def compare_time_of_flight(seed: int) -> Comparison:
    """Set timing resolutions beside each other: variance at the middle of a disc as large as an abdomen.

    Parameters
    ----------
    seed : int
        Of the simulated coincidences.
    """
    law = [variance_gain(TimingKernel((float(t),)), DIAMETER_MM) for t in LAW_PS]
    # the same decays for all, so that they differ by their timing alone
    plain, *timed = [seen(t, np.random.default_rng(seed)) for t in (None, *TIMINGS_PS)]
    rows = tuple(_row(detector) for detector in DETECTORS)
    points = tuple(
        Line(detector.name, [detector.fwhm_ps], [_gain(detector)], marked=True, colour=number + 2)
        for number, detector in enumerate(DETECTORS)
        if detector.fwhm_ps is not None
    )
    bounds = [plain.least / one.least for one in timed]
    saved = (
        Line("law D ∫ h² (Tomitani 1981, Nuyts 2023)", LAW_PS, law, True, colour=0),
        Line("best of any method, from simulated coincidences", TIMINGS_PS, bounds, marked=True, colour=6),
        *points,
    )
    labels = ("coincidence time resolution, FWHM / ps", "variance without over with time of flight")
    return Comparison(
        f"Time of flight in a disc of {DIAMETER_MM:g} mm",
        (Panel("Counts saved", *labels, saved), _osem_panel(plain, timed)),
        COLUMNS,
        rows,
        NOTES,
    )


def _osem_panel(plain: Seen, timed: list[Seen]) -> Panel:
    names = ("no timing", *(f"{t:g} ps" for t in TIMINGS_PS))
    lines = tuple(
        Line(name, one.noise, one.contrast, marked=True) for name, one in zip(names, (plain, *timed), strict=True)
    )
    labels = ("noise at the middle / %", "contrast of a hot spot recovered / %")
    return Panel("List-mode OSEM, each iteration", *labels, lines)


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What one timing resolution reaches.

    Parameters
    ----------
    least : float
        Least variance that any unbiased method can have at the middle of the disc.
    contrast, noise : (iterations,) arrays
        Of list-mode OSEM: contrast of the hot spot recovered, and spread of a pixel at the middle, both in %.
    """

    least: float
    contrast: NDArray[np.float64]
    noise: NDArray[np.float64]


def seen(fwhm_ps: float | None, random: np.random.Generator) -> Seen:
    """Simulate and reconstruct a disc with a hot spot; `fwhm_ps` None measures no time of flight."""
    radius = _radius_mm()
    disc = (radius < DIAMETER_MM / 2).astype(float)
    spot = _radius_mm(SPOT_AT_MM)
    activity = disc + (HOT - 1) * (spot < SPOT_MM)
    timing = None if fwhm_ps is None else TimingKernel((fwhm_ps,))
    ring = Ring(SIDE, PIXEL_MM, timing, disc * WATER_511_PER_MM)
    drawn = [coincidences(ring, activity, DECAYS, random) for _ in range(REALISATIONS)]
    images = np.array([list_mode_osem(ring, events, ITERATIONS, SUBSETS) for events in drawn])
    middle = images[:, :, radius < MIDDLE_MM]
    level = middle.mean(axis=(0, 2))
    place = np.exp(-4 * math.log(2) * (radius / PLACE_MM) ** 2)
    return Seen(
        least_variance(ring, drawn[0], activity, place / place.sum()),
        100 * (images[:, :, spot < SPOT_MM].mean(axis=(0, 2)) / level - 1) / (HOT - 1),
        100 * np.sqrt(middle.var(axis=0, ddof=1).mean(axis=1)) / level,
    )


def pair_efficiency(crystal: Material) -> float:
    """Return the chance that both 511 keV photons interact in crystals of 20 mm."""
    return float(math.expm1(-float(linear_attenuation_per_mm(crystal, 0.511)) * LENGTH_MM) ** 2)


def _gain(detector: Detector) -> float:
    return 1.0 if detector.fwhm_ps is None else variance_gain(TimingKernel((detector.fwhm_ps,)), DIAMETER_MM)


def _row(detector: Detector) -> tuple[str | float, ...]:
    gain = _gain(detector)
    counts = pair_efficiency(detector.crystal) / pair_efficiency(BGO)
    return detector.name, detector.fwhm_ps or "none", gain, counts, gain * counts, math.sqrt(gain * counts)


def _radius_mm(at_mm: float = 0.0) -> NDArray[np.float64]:
    """Return the distance of pixels from a place on the first axis, mm."""
    along = (np.arange(SIDE) - (SIDE - 1) / 2) * PIXEL_MM
    return np.asarray(np.hypot(along[:, None] - at_mm, along[None, :]))
