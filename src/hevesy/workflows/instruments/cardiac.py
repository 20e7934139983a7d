"""What a cardiac camera of cadmium zinc telluride buys: counts, width of the image, and scatter kept out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hevesy.core.collimator import Collimator
from hevesy.data.collimators import collimator
from hevesy.data.materials import material
from hevesy.physics.attenuation import linear_attenuation_per_mm
from hevesy.physics.collimation import geometric_efficiency, geometric_fwhm_mm
from hevesy.stages.reporting.line_charts import Line, Panel
from hevesy.workflows.instruments.comparison import Comparison

PHOTON_KEV, PHOTON_YIELD, REST_KEV = 140.5, 0.885, 511.0
#: from the collimator to the heart, mm
DEPTH_MM = 150.0
#: hole sizes of the curve of what parallel holes can do, mm
HOLES_MM = np.linspace(0.8, 2.2, 15)


@dataclass(frozen=True, slots=True)
class CardiacCamera:
    """A camera as it was measured on a heart phantom.

    Parameters
    ----------
    name : str
        Its name.
    crystal, thickness_mm : str, float
        What stops the photons, and how much of it.
    energy_fwhm : float
        Energy resolution at 140 keV, as a fraction.
    sensitivity : float
        Counts per second and MBq of a heart phantom with Tc-99m.
    fwhm_mm : float
        Central spatial resolution of the reconstruction, mm.
    """

    name: str
    crystal: str
    thickness_mm: float
    energy_fwhm: float
    sensitivity: float
    fwhm_mm: float


#: sensitivity and resolution: Imbert et al., J Nucl Med 53 (2012) 1897, abstract; detectors: Imbert and Marie, J Nucl
#: Cardiol 23 (2016) 894 (CZT pixels 5 mm thick); energy resolution: makers' figures, 5.5% to 6% for CZT, 9.9% for NaI
CAMERAS = (
    CardiacCamera("Anger camera, two heads, LEHR", "NaI", 9.5, 0.099, 130.0, 15.3),
    CardiacCamera("Anger camera, IQ·SPECT", "NaI", 9.5, 0.099, 390.0, 15.0),
    CardiacCamera("Discovery NM 530c (CZT, pinholes)", "CZT", 5.0, 0.057, 460.0, 6.7),
    CardiacCamera("D-SPECT (CZT, nine columns)", "CZT", 5.0, 0.057, 850.0, 8.6),
)

COLUMNS = (
    "camera",
    "counts per s and MBq",
    "FWHM / mm",
    "counts, over the first",
    "counts at equal FWHM, over the first",
    "photons stopped / %",
    "scatter kept below / degrees",
)
NOTES = (
    "Counts and FWHM are measured (Imbert et al. 2012); photons stopped and scatter angles are computed here.",
    "Parallel holes pay for half the width with a quarter of the counts; 'at equal FWHM' takes that price off.",
    "CZT stops fewer photons than NaI here: the gain is of detectors that all look at the heart and of wide"
    " holes whose blur the reconstruction undoes. The crystal's own gift is its energy resolution.",
    "FWHM of reconstructions depends on their filters; the law is of a point in air before reconstruction.",
)


def compare_cardiac() -> Comparison:
    """Set cardiac cameras beside what parallel holes on two heads could do, and say what their crystals contribute."""
    first = CAMERAS[0]
    rows = tuple(
        (
            camera.name,
            camera.sensitivity,
            camera.fwhm_mm,
            camera.sensitivity / first.sensitivity,
            camera.sensitivity / first.sensitivity * (first.fwhm_mm / camera.fwhm_mm) ** 2,
            100 * stopped(camera),
            scatter_angle_deg(camera.energy_fwhm),
        )
        for camera in CAMERAS
    )
    widths, counts = zip(*(parallel_holes(float(hole)) for hole in HOLES_MM), strict=True)
    measured = tuple(
        Line(camera.name, [camera.fwhm_mm], [camera.sensitivity], marked=True, colour=number + 1)
        for number, camera in enumerate(CAMERAS)
    )
    law = Line("two heads, parallel holes of 0.8 to 2.2 mm, in air", widths, counts, True, colour=0)
    return Comparison(
        "Cardiac cameras: counts against resolution",
        (
            Panel(
                "Measured cameras and the law of parallel holes",
                "FWHM / mm",
                "counts per second and MBq",
                (law, *measured),
            ),
        ),
        COLUMNS,
        rows,
        NOTES,
    )


def stopped(camera: CardiacCamera) -> float:
    """Return the fraction of 140.5 keV photons that interact in the crystal."""
    mu = linear_attenuation_per_mm(material(camera.crystal), PHOTON_KEV * 1e-3)
    return float(-math.expm1(-float(mu) * camera.thickness_mm))


def scatter_angle_deg(energy_fwhm: float) -> float:
    """Return the largest angle of one Compton scatter that stays above E(1 − w), degrees, w being the energy's FWHM.

    E′ = E / (1 + (E/511 keV)(1 − cos θ)).
    """
    drop = energy_fwhm / (1 - energy_fwhm)
    return math.degrees(math.acos(1 - drop * REST_KEV / PHOTON_KEV))


def parallel_holes(hole_mm: float, heads: int = 2) -> tuple[float, float]:
    """Return width, mm, and counts per second and MBq in air of parallel holes as long as those of LEHR."""
    lehr = collimator("Siemens Symbia LEHR")
    holes = Collimator(f"holes of {hole_mm:g} mm", hole_mm, lehr.septum_mm, lehr.length_mm, lehr.material)
    width = math.hypot(3.9, float(geometric_fwhm_mm(holes, PHOTON_KEV, DEPTH_MM, 8.0)))
    nai = stopped(CAMERAS[0])
    return width, heads * 1e6 * geometric_efficiency(holes, PHOTON_KEV) * PHOTON_YIELD * nai
