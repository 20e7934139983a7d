"""A made-up patient whose numbers obey physics: uniform spheres, exponential washout, all electron energy local."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np

from hevesy.core import (
    Administration,
    Emission,
    EmissionKind,
    Grid,
    Image,
    Measured,
    Nuclide,
    Patient,
    Provenance,
    Quantity,
    Region,
    Role,
    Timing,
)
from hevesy.core.dose_volume import DoseMetrics, DoseVolumeHistogram
from hevesy.stages.reporting.results import (
    Alignment,
    CaseResult,
    CurveModel,
    EngineRecord,
    RegionResult,
    TimePoint,
)

HOUR = 3600.0
ENERGY_J = 147.9e3 * 1.602176634e-19  # Lu-177: mean energy of all electrons per decay, ICRP 107
HALF_LIFE_S = 6.647 * 24 * HOUR
INJECTED = datetime(2024, 3, 4, 9, 30)
SPACING_MM = 4.8
SHAPE = (64, 44, 60)


@dataclass(frozen=True)
class Ball:
    """A sphere that takes up activity: present at time 0, and gone with an effective half-life."""

    name: str
    role: Role
    centre_mm: tuple[float, float, float]
    radius_mm: float
    share: float
    half_life_h: float


BALLS = (
    Ball("Liver lesion", Role.LESION, (-60.0, -10.0, 20.0), 22.0, 0.010, 96.0),
    Ball("Left kidney", Role.ORGAN, (55.0, 45.0, -30.0), 29.0, 0.016, 52.0),
)
BODY = Ball("Whole body", Role.BODY, (0.0, 0.0, 0.0), 1.0, 1.0, 40.0)


def case_result(
    balls: tuple[Ball, ...] = BALLS,
    times_h: tuple[float, ...] = (4.0, 24.0, 96.0),
    patient_id: str = "PHANTOM-1",
    with_ct: bool = True,
) -> CaseResult:
    """Return a case with washout in every region; every number follows from the arguments."""
    grid = Grid.regular(SHAPE, (SPACING_MM,) * 3, tuple(-SPACING_MM * (n - 1) / 2 for n in SHAPE))
    shape = _coordinates(grid)
    body = ((shape[0] / 140) ** 2 + (shape[1] / 95) ** 2 < 1).astype(np.float32)
    source = Provenance("CT" if with_ct else "soft tissue")
    density = Image(np.where(body > 0, _tissue(shape, with_ct), 1.2), grid, Quantity.DENSITY, None, source)
    administered = Measured(7.4e9, 0.15e9, "Bq", "administered activity")
    masks = {ball.name: _ball(shape, ball) for ball in balls}
    points = tuple(_time_point(n, t, grid, body, balls, masks) for n, t in enumerate(times_h))
    tia = _tia(grid, body, balls, masks)
    dose = Image(tia.values * ENERGY_J / (density.values * 1e-6), grid, Quantity.ABSORBED_DOSE)
    dose = dose.with_values(np.where(body > 0, dose.values, 0.0))
    regions = tuple(
        _region_result(b, Region.from_mask(b.name, grid, masks[b.name], b.role), times_h, dose) for b in balls
    )
    whole = _region_result(BODY, Region.from_mask(BODY.name, grid, body, Role.BODY), times_h, None)
    return CaseResult(
        patient=Patient(patient_id, "F", date(1961, 5, 17), 71.0, 1.68),
        nuclide=lutetium(),
        administration=Administration("Lu-177", INJECTED, administered, "Lu-177 DOTATATE"),
        engine=EngineRecord(
            "local", "Electron energy is absorbed in the voxel that emits it.", ("Photons are left out.",)
        ),
        time_points=points,
        whole_body=whole,
        regions=regions,
        dose=dose,
        tia=tia,
        density=density,
        warnings=("Recovery was not measured: small regions read low.",),
        inputs=tuple(
            {"series_uid": p.series_uid, "files": 60, "sha256": hashlib.sha256(p.series_uid.encode()).hexdigest()}
            for p in points
        ),
        settings={"engine": "local", "registration": {"method": "rigid"}, "uncertainty": {"calibration": 0.05}},
    )


def rising_case() -> CaseResult:
    """Return a case in which the lesion's activity still rises at the last scan, so that no washout can be fitted."""
    case = case_result(times_h=(4.0, 28.0))
    lesion = case.regions[0]
    activity = (lesion.activity[0].to(0.6, "Bq"), lesion.activity[1].to(1.0, "Bq"))
    model = replace(
        lesion.model,
        model="trapezoid, then a tail from a population",
        effective_half_life=None,
        tail_fraction=0.82,
        notes=("A scan near 120 h after administration would narrow the interval most.",),
    )
    interval = tuple(factor * lesion.tia.value for factor in (0.62, 1.48))
    dose_interval = tuple(factor * lesion.dose.value for factor in (0.60, 1.50))
    rising = replace(lesion, activity=activity, model=model, tia_interval95=interval, dose_interval95=dose_interval)
    warning = (
        "Liver lesion: activity still rises from the first scan to the last, so its effective half-life is unknown."
    )
    return replace(case, regions=(rising, *case.regions[1:]), warnings=(warning, *case.warnings))


def lutetium() -> Nuclide:
    """Return Lu-177 with its mean electron energy as one emission."""
    electrons = Emission(EmissionKind.BETA_MINUS, ENERGY_J, 1.0)
    return Nuclide("Lu-177", Measured(HALF_LIFE_S, 25.0, "s", "half-life"), (electrons,), source="ICRP 107")


def _coordinates(grid: Grid) -> tuple[np.ndarray, ...]:
    return tuple(np.meshgrid(*(SPACING_MM * (np.arange(n) - (n - 1) / 2) for n in grid.shape), indexing="ij"))


def _ball(place: tuple[np.ndarray, ...], ball: Ball) -> np.ndarray:
    distance = np.sqrt(sum((p - c) ** 2 for p, c in zip(place, ball.centre_mm, strict=True)))
    return np.clip((ball.radius_mm - distance) / SPACING_MM + 0.5, 0, 1).astype(np.float32)


def _tissue(place: tuple[np.ndarray, ...], with_ct: bool) -> np.ndarray:
    if not with_ct:
        return np.full(place[0].shape, 1040.0)
    spine = (place[0] ** 2 + (place[1] - 65) ** 2 < 18**2) * 260.0
    lung = ((np.abs(place[0]) - 65) ** 2 / 50**2 + place[1] ** 2 / 65**2 < 1) & (place[2] > 70)
    return np.where(lung, 260.0, 1040.0 + 0.15 * place[1] + spine)


def _activity(ball: Ball, t_h: float) -> float:
    return 7.4e9 * ball.share * 2 ** (-t_h / ball.half_life_h)


def _time_point(number, t_h, grid, body, balls, masks) -> TimePoint:
    voxel_mL = grid.voxel_volume_mL
    values = body * _activity(BODY, t_h) * 0.3 / (body.sum() * voxel_mL)
    for ball in balls:
        mask = masks[ball.name]
        values = values * (1 - mask) + mask * _activity(ball, t_h) / (mask.sum() * voxel_mL)
    provenance = Provenance(f"1.2.826.0.1.{number}", notes=("DecayCorrection says ADMIN and is believed.",))
    image = Image(values, grid, Quantity.ACTIVITY_CONCENTRATION, Timing(INJECTED), provenance)
    moved = Alignment((3.1, -2.0, 11.4), (0.3, -0.8, 0.1), 0.61, 0.93) if number else None
    return TimePoint(f"SPECT {t_h:g} h", f"1.2.826.0.1.{number}", t_h * HOUR, 1500.0, image, moved)


def _tia(grid, body, balls, masks) -> Image:
    voxel_mL = grid.voxel_volume_mL
    values = body * 0.3 * _integral(BODY) / (body.sum() * voxel_mL)
    for ball in balls:
        mask = masks[ball.name]
        values = values * (1 - mask) + mask * _integral(ball) / (mask.sum() * voxel_mL)
    return Image(values, grid, Quantity.TIME_INTEGRATED_ACTIVITY_CONCENTRATION)


def _integral(ball: Ball) -> float:
    return _activity(ball, 0.0) * ball.half_life_h * HOUR / math.log(2)


def _region_result(ball: Ball, region: Region, times_h, dose: Image | None) -> RegionResult:
    volume = Measured(region.volume_mL, 0.06 * region.volume_mL, "mL", "volume")
    mass = volume.to(1.04e-3, "kg")
    calibration = Measured(1.0, 0.05, label="calibration")
    activity = tuple(
        Measured(_activity(ball, t), 0.02 * _activity(ball, t), "Bq", "counts") * calibration for t in times_h
    )
    fit = Measured(1.0, 0.04, label="fit")
    tia = Measured(_integral(ball), 0.0, "Bq·s") * calibration * fit
    histogram = _histogram(dose, region) if dose else None
    absorbed = None
    if histogram:
        absorbed = Measured(histogram.mean_Gy, 0.0, "Gy") * calibration * fit * (volume.value / volume)
    return RegionResult(
        region=region,
        volume=volume,
        mass=mass,
        times_s=tuple(t * HOUR for t in times_h),
        activity=activity,
        model=_model(ball, times_h),
        tia=tia,
        tia_interval95=(tia.value - 1.96 * tia.u, tia.value + 1.96 * tia.u),
        dose=absorbed,
        dose_interval95=(absorbed.value - 1.96 * absorbed.u, absorbed.value + 1.96 * absorbed.u) if absorbed else None,
        histogram=histogram,
        metrics=_metrics(histogram) if histogram else None,
    )


def _metrics(histogram: DoseVolumeHistogram) -> DoseMetrics:
    read = (histogram.minimum_Gy, *map(histogram.at_volume, (98, 50, 2)), histogram.maximum_Gy)
    return DoseMetrics(*(Measured(value, 0.1 * value, "Gy", "volume") for value in read))


def _model(ball: Ball, times_h) -> CurveModel:
    times = np.linspace(0, 2.2 * times_h[-1], 181)
    values = np.array([_activity(ball, t) for t in times])
    spread = 0.06 + 0.10 * times / times[-1]
    return CurveModel(
        model="mono",
        description="one washout",
        parameters={
            "A0": Measured(values[0], 0.05 * values[0], "Bq", "fit"),
            "lambda": Measured(math.log(2) / (ball.half_life_h * HOUR), 1e-7, "1/s", "fit"),
        },
        effective_half_life=Measured(ball.half_life_h * HOUR, 0.04 * ball.half_life_h * HOUR, "s", "fit"),
        tail_fraction=2 ** (-times_h[-1] / ball.half_life_h),
        times_s=times * HOUR,
        activity_Bq=values,
        lower_Bq=values * (1 - 1.96 * spread),
        upper_Bq=values * (1 + 1.96 * spread),
    )


def _histogram(dose: Image, region: Region) -> DoseVolumeHistogram:
    values, weights = dose.values[region.box].ravel(), region.coverage.ravel().astype(float)
    values, weights = values[weights > 0], weights[weights > 0]
    order = np.argsort(values)
    values, weights = values[order], weights[order]
    above = np.concatenate(([weights.sum()], weights.sum() - np.cumsum(weights)))
    return DoseVolumeHistogram(
        np.concatenate(([0.0], values)),
        np.clip(above / weights.sum(), 0, 1),
        float(values[0]),
        float(values[-1]),
        float(np.average(values, weights=weights)),
    )
