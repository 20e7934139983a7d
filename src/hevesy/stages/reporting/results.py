"""What a dosimetry case came to: the one thing that every report is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hevesy.core import Administration, Curve, Image, Measured, Nuclide, Patient, Region
from hevesy.core.dose_volume import DoseMetrics, DoseVolumeHistogram


@dataclass(frozen=True, slots=True)
class Alignment:
    """How one time point was brought onto the reference: rigid motion, then at most so much deformation (mm), if any.

    The agreement is the normalised cross-correlation of the two images inside the body, from -1 to 1.
    """

    translation_mm: tuple[float, float, float]
    rotation_deg: tuple[float, float, float]
    agreement_before: float
    agreement_after: float
    deformation_mm: float | None = None


@dataclass(frozen=True, slots=True)
class TimePoint:
    """One scan.

    Parameters
    ----------
    label : str
        Short name, such as the series description.
    series_uid : str
        DICOM series instance UID or file name.
    mid_s : float
        Middle of the acquisition after administration, s.
    duration_s : float
        Length of the acquisition, s.
    activity : Image
        Activity concentration present in the middle of the scan (Bq/mL), on the reference grid.
    alignment : Alignment or None
        None for the reference itself, and where registration was off.
    unaligned : Image or None
        The same scan on the reference grid as its own header places it, before registration; for the
        picture that shows what registration did.
    """

    label: str
    series_uid: str
    mid_s: float
    duration_s: float
    activity: Image
    alignment: Alignment | None = None
    unaligned: Image | None = None


@dataclass(frozen=True, slots=True, eq=False)
class CurveModel:
    """A time-activity model as it is shown: its parameters, and the curve with its band.

    Parameters
    ----------
    model : str
        Name of the model, such as ``"mono"``.
    description : str
        What the model is, in words for a reader, such as ``"one washout"``.
    parameters : dict
        Parameter name to `Measured`.
    effective_half_life : Measured or None
        s; None where no washout could be fitted.
    tail_fraction : float
        Share of the time-integrated activity after the last scan.
    times_s, activity_Bq, lower_Bq, upper_Bq : (n,) arrays
        The curve and its 95% band for drawing.
    notes : tuple of str
        What a reader must know about this fit.
    measured_until_s : float or None
        The last scan behind the curve, s, planar views among them; None takes the region's last.
    shape_points : Curve or None
        Planar points that gave the curve its shape, scaled to the one SPECT; None where there are none.
    """

    model: str
    description: str
    parameters: dict[str, Measured]
    effective_half_life: Measured | None
    tail_fraction: float
    times_s: NDArray[np.float64] = field(repr=False)
    activity_Bq: NDArray[np.float64] = field(repr=False)
    lower_Bq: NDArray[np.float64] = field(repr=False)
    upper_Bq: NDArray[np.float64] = field(repr=False)
    notes: tuple[str, ...] = ()
    measured_until_s: float | None = None
    shape_points: Curve | None = None


@dataclass(frozen=True, slots=True, eq=False)
class RegionResult:
    """All that was found for one region.

    Parameters
    ----------
    region : Region
        The region on the reference grid.
    volume : Measured
        mL.
    mass : Measured
        kg.
    times_s : tuple of float
        Mid-scan times after administration, s.
    activity : tuple of Measured
        Activity in the region at those times, Bq.
    model : CurveModel
        The fitted curve.
    tia : Measured
        Time-integrated activity, Bq·s; its components name every cause of uncertainty.
    tia_interval95 : tuple of float
        95% interval of the time-integrated activity, Bq·s; may be lopsided.
    dose : Measured or None
        Mean absorbed dose, Gy; None where it was not asked for. That of the whole body is energy over mass.
    dose_interval95 : tuple of float or None
        95% interval of the mean absorbed dose, Gy.
    histogram : DoseVolumeHistogram or None
        Its spread over the region.
    metrics : DoseMetrics or None
        What sums up that spread.
    left_out : mapping of int to str
        Index of each point of `activity` that was not fitted, and why.
    """

    region: Region
    volume: Measured
    mass: Measured
    times_s: tuple[float, ...]
    activity: tuple[Measured, ...]
    model: CurveModel
    tia: Measured
    tia_interval95: tuple[float, float]
    dose: Measured | None = None
    dose_interval95: tuple[float, float] | None = None
    histogram: DoseVolumeHistogram | None = None
    metrics: DoseMetrics | None = None
    left_out: Mapping[int, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The region's name."""
        return self.region.name


@dataclass(frozen=True, slots=True, eq=False)
class PatientBody:
    """The whole patient, beyond what the images show: by a counter or by whole-body scans.

    Parameters
    ----------
    source : str
        What was counted, and how it was made activity, in a sentence.
    times_s, activity, model, tia, tia_interval95
        As in `RegionResult`.
    mass : Measured or None
        kg; None where it is not known.
    dose : Measured or None
        Mean absorbed dose, Gy; None where mass or nuclide do not allow one.
    dose_interval95 : tuple of float or None
        Its 95% interval, Gy.
    notes : tuple of str
        What a reader must know, such as why there is no dose.
    """

    source: str
    times_s: tuple[float, ...]
    activity: tuple[Measured, ...]
    model: CurveModel
    tia: Measured
    tia_interval95: tuple[float, float]
    mass: Measured | None = None
    dose: Measured | None = None
    dose_interval95: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()
    name: str = "Patient's whole body"


@dataclass(frozen=True, slots=True)
class EngineRecord:
    """The dose engine that was used: its name, and its method and limits in sentences."""

    name: str
    method: str
    limits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """What another engine makes of the same time-integrated activity, Gy: for each region, in their order."""

    engine: EngineRecord
    means: tuple[Measured, ...]
    metrics: tuple[DoseMetrics, ...]


@dataclass(frozen=True, slots=True, eq=False)
class CaseResult:
    """One patient's course: images, curves, doses, warnings, and where everything came from.

    `dose` is in Gy, `tia` in Bq·s/mL and `density` in kg/m³, all on the reference grid, as are the
    time points' activities. `regions` does not hold the whole body. `inputs` lists each file or
    series used with its SHA-256; `settings` is the whole effective configuration.
    `patient_body` is the whole patient, where a counter or whole-body scans tell of it.
    """

    patient: Patient
    nuclide: Nuclide
    administration: Administration
    engine: EngineRecord
    time_points: tuple[TimePoint, ...]
    whole_body: RegionResult
    regions: tuple[RegionResult, ...]
    dose: Image
    tia: Image
    density: Image
    warnings: tuple[str, ...]
    inputs: tuple[dict[str, Any], ...]
    settings: dict[str, Any]
    comparisons: tuple[Comparison, ...] = ()
    patient_body: PatientBody | None = None
