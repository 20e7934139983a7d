"""What each region received: its mass, mean dose, the spread of it, and how well each is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hevesy.core import Image, Measured, Quantity, Region
from hevesy.stages.dosimetry.engines import DoseMap
from hevesy.stages.kinetics import Fit
from hevesy.stages.quantification.delineation import equivalent_radius_mm
from hevesy.stages.radiobiology.dose_metrics import Delineation, dose_metrics
from hevesy.stages.radiobiology.histogram import dose_volume_histogram
from hevesy.stages.reporting.results import Comparison, EngineRecord, RegionResult
from hevesy.stages.segmentation.margin import with_margin
from hevesy.workflows.case import Case
from hevesy.workflows.kinetics import RegionKinetics
from hevesy.workflows.measurement import Measurement
from hevesy.workflows.region_kinetics import curve_model, widened
from hevesy.workflows.scans import Scan

#: what an engine leaves out is called so in the uncertainty of a dose
LEFT_OUT = "photons left out"


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What every region's result is made from."""

    scans: Sequence[Scan]
    density: Image
    answer: DoseMap
    case: Case


def region_results(
    measured: Sequence[Measurement], kinetics: Sequence[RegionKinetics], known: Known
) -> tuple[tuple[RegionResult, ...], RegionResult]:
    """Return what every region received, in the order in which the engine was given them, and the body, the last."""
    *drawn, (body, whole) = zip(measured, kinetics, strict=True)
    regions = tuple(_region_result(one, found, known, number) for number, (one, found) in enumerate(drawn))
    return regions, _body_result(body, whole, known)


def _region_result(measured: Measurement, kinetics: RegionKinetics, known: Known, number: int) -> RegionResult:
    """Return what a region received, and the spread of it."""
    found = _with_dose(measured, kinetics, known, number)
    assert found.dose is not None
    answer = known.answer
    histogram = dose_volume_histogram(answer.dose, found.region)
    metrics = dose_metrics(answer.dose, _delineation(found), found.dose, answer.noise)
    return replace(found, histogram=histogram, metrics=metrics)


def _body_result(measured: Measurement, kinetics: RegionKinetics, known: Known) -> RegionResult:
    """Return the body as far as the images show it; its mean dose is energy over mass, as lungs weigh less."""
    found = _with_dose(measured, kinetics, known)
    answer, density = known.answer, known.density
    assert found.dose is not None
    assert found.dose_interval95 is not None
    of_mass = answer.dose.with_values(answer.dose.values * density.values, Quantity.RELATIVE)
    mean = measured.region.integral(of_mass) / measured.region.integral(density)
    factor = mean / found.dose.value
    low, high = found.dose_interval95
    return replace(found, dose=found.dose.to(factor, "Gy"), dose_interval95=(low * factor, high * factor))


def compared(regions: Sequence[RegionResult], engine: EngineRecord, answer: DoseMap) -> Comparison:
    """Return what another engine makes of the regions, which it was given in this order."""
    means = tuple(_mean(found, answer, number) for number, found in enumerate(regions))
    metrics = tuple(
        dose_metrics(answer.dose, _delineation(found), mean, answer.noise)
        for found, mean in zip(regions, means, strict=True)
    )
    return Comparison(engine, means, metrics)


def _with_dose(
    measured: Measurement, kinetics: RegionKinetics, known: Known, number: int | None = None
) -> RegionResult:
    """Return a region's curve, and its mean dose with its interval."""
    fit = kinetics.fit
    found = RegionResult(
        region=measured.region,
        volume=measured.volume,
        mass=_mass(measured, known.density, known.case),
        times_s=tuple(scan.mid_s for scan in known.scans),
        activity=measured.activity,
        model=curve_model(fit, kinetics.kept.mid_s.tolist()),
        tia=fit.tia * measured.scale,
        tia_interval95=widened(fit.interval95, fit.tia.value, measured.scale.u_relative),
        left_out=kinetics.left_out,
    )
    dose = _mean(found, known.answer, number)
    low, high = (edge * dose.value / found.tia.value for edge in fit.interval95)
    return replace(found, dose=dose, dose_interval95=widened((low, high), dose.value, _shared(dose, fit)))


def _mass(measured: Measurement, density: Image, case: Case) -> Measured:
    """Return a region's mass (kg): its volume times its mean density."""
    grams_per_mL = measured.region.integral(density) * 1e-3 / measured.region.volume_mL
    relative = case.number("uncertainty.density_percent") / 100
    per_mL = Measured(grams_per_mL * 1e-3, grams_per_mL * 1e-3 * relative, "kg/mL", "density")
    return measured.volume * per_mL


def _mean(found: RegionResult, answer: DoseMap, number: int | None) -> Measured:
    """Return the mean of a dose map over a region (Gy), as uncertain as activity, mass and engine make it."""
    relative = (found.tia / found.tia.value).to(1.0, "") / (found.mass / found.mass.value).to(1.0, "")
    method = Measured(1.0, answer.u_relative, label="engine")
    chance = answer.statistics[number] if number is not None and answer.statistics else 0.0
    if answer.left_out is not None:
        # a bias that is known and not corrected for enters with its size (GUM, JCGM 100:2008, F.2.4.5)
        method = method * Measured(1.0, answer.left_out(found.region), label=LEFT_OUT)
    mean = found.region.integral(answer.dose) / found.region.volume_mL
    return (relative * method * Measured(1.0, chance, label="Monte Carlo statistics") * mean).to(1.0, "Gy")


def _shared(dose: Measured, fit: Fit) -> float:
    """Return the relative uncertainty of a dose that the fit of its curve did not bring."""
    return math.sqrt(max(dose.u_relative**2 - fit.tia.u_relative**2, 0.0))


def _delineation(found: RegionResult) -> Delineation:
    """Return a region with what its volume's uncertainty allows: u(V)/V = 3 u(r)/r of the sphere of its volume."""
    u_mm = found.volume.u_relative * equivalent_radius_mm(found.volume.value) / 3
    wider: Region = with_margin(found.region, u_mm) or found.region
    return Delineation(found.region, found.volume, wider, with_margin(found.region, -u_mm))
