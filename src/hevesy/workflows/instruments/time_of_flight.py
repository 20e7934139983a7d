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
DECAYS, REALISATIONS, ITERATIONS, SUBSETS = 1_000_000, 3, 8, 6
#: width at half maximum of the filter after reconstruction, and of the place whose variance is bounded, mm
FILTER_MM = 14.0
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


def compare_time_of_flight(seed: int) -> Comparison:
    """Set timing resolutions beside each other: variance at the middle of a disc as large as an abdomen.

    Parameters
    ----------
    seed : int
        Of the simulated coincidences.
    """
    law = [variance_gain(TimingKernel((float(t),)), DIAMETER_MM) for t in LAW_PS]
    random = np.random.default_rng(seed)
    plain, *timed = [variances(_ring(t), random) for t in (None, *TIMINGS_PS)]
    reference = pair_efficiency(BGO)
    rows = []
    for detector in DETECTORS:
        gain = 1.0 if detector.fwhm_ps is None else variance_gain(TimingKernel((detector.fwhm_ps,)), DIAMETER_MM)
        counts = pair_efficiency(detector.crystal) / reference
        rows.append(
            (detector.name, detector.fwhm_ps or math.nan, gain, counts, gain * counts, math.sqrt(gain * counts))
        )
    points = tuple(
        Line(name, [fwhm], [gain], marked=True, colour=number + 2)
        for number, (name, fwhm, gain, *_) in enumerate(rows)
        if math.isfinite(fwhm)
    )
    return Comparison(
        f"Time of flight in a disc of {DIAMETER_MM:g} mm",
        (
            Panel(
                "Counts saved",
                "coincidence time resolution, FWHM / ps",
                "variance without over with time of flight",
                (
                    Line("law D ∫ h² (Tomitani 1981, Nuyts 2023)", LAW_PS, law, True, colour=0),
                    Line(
                        "best of any method, from simulated coincidences",
                        *_gains(plain, timed, 0),
                        marked=True,
                        colour=6,
                    ),
                    Line("list-mode OSEM of the same coincidences", *_gains(plain, timed, 1), marked=True, colour=1),
                    *points,
                ),
            ),
        ),
        (
            "detector",
            "time resolution / ps",
            "gain by timing",
            "pairs stopped, over BGO",
            "gain in effective counts",
            "gain in signal to noise",
        ),
        tuple(rows),
        (
            f"Crystals of {LENGTH_MM:g} mm; time resolutions are published, pairs stopped and gains are computed here.",
            "A scanner's time resolution is worse than that of a pair in the laboratory, and Cherenkov photons are so"
            " few that BGO's times have broad tails: its row is the most that it could reach.",
            "No scattered or random coincidences: with them time of flight gains more.",
            "OSEM gains less: stopped early, it smooths what has no timing, and it lets no activity fall below 0.",
        ),
    )


def variances(ring: Ring, random: np.random.Generator) -> tuple[float, float]:
    """Return the relative variance at the middle of a uniform disc: the least possible, and that of list-mode OSEM.

    Parameters
    ----------
    ring : Ring
        What is seen; the disc is where it attenuates.
    random : Generator
        Of the coincidences.
    """
    from scipy.ndimage import gaussian_filter

    radius, sigma = _radius_mm(), FILTER_MM / (2 * math.sqrt(2 * math.log(2)))
    disc = (radius < DIAMETER_MM / 2).astype(float)
    place = np.exp(-0.5 * (radius / sigma) ** 2)
    drawn = [coincidences(ring, disc, DECAYS, random) for _ in range(REALISATIONS)]
    images = [list_mode_osem(ring, events, ITERATIONS, SUBSETS)[-1] for events in drawn]
    seen = np.array([gaussian_filter(image, sigma / PIXEL_MM)[radius < MIDDLE_MM] for image in images])
    return (
        least_variance(ring, drawn[0], disc, place / place.sum()),
        float(seen.var(axis=0, ddof=1).mean() / seen.mean() ** 2),
    )


def pair_efficiency(crystal: Material) -> float:
    """Return the chance that both 511 keV photons interact in crystals of 20 mm."""
    return float(math.expm1(-float(linear_attenuation_per_mm(crystal, 0.511)) * LENGTH_MM) ** 2)


def _ring(fwhm_ps: float | None) -> Ring:
    timing = None if fwhm_ps is None else TimingKernel((fwhm_ps,))
    return Ring(SIDE, PIXEL_MM, timing, np.where(_radius_mm() < DIAMETER_MM / 2, WATER_511_PER_MM, 0.0))


def _gains(
    plain: tuple[float, float], timed: list[tuple[float, float]], which: int
) -> tuple[tuple[float, ...], list[float]]:
    return TIMINGS_PS, [plain[which] / variance[which] for variance in timed]


def _radius_mm() -> NDArray[np.float64]:
    along = (np.arange(SIDE) - (SIDE - 1) / 2) * PIXEL_MM
    return np.asarray(np.hypot(along[:, None], along[None, :]))
