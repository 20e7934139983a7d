"""The main job: one administration of a therapy, from a folder of images to absorbed doses."""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hevesy.core import Curve, Image, Measured, Quantity, Region
from hevesy.core.provenance import Provenance
from hevesy.data.materials import material
from hevesy.errors import EmptyInput
from hevesy.physics.hounsfield import density_from_hounsfield
from hevesy.stages.dosimetry.engines import DoseMap, Engine, Source, engine
from hevesy.stages.imaging.folder import Folder, read_folder
from hevesy.stages.imaging.series import Series
from hevesy.stages.kinetics import Fit, PopulationHalfLife, bounded_tia, check_physical, fit_curve, still_rising
from hevesy.stages.kinetics.distribution import Part, distribute, scan_weights_s
from hevesy.stages.radiobiology.histogram import dose_volume_histogram
from hevesy.stages.registration.rigid import Motion, resample
from hevesy.stages.reporting.results import (
    Alignment,
    CaseResult,
    Comparison,
    EngineRecord,
    RegionResult,
    TimePoint,
)
from hevesy.workflows.case import Case
from hevesy.workflows.chain import chain
from hevesy.workflows.hybrid import check_shapes, hybrid_fit
from hevesy.workflows.measurement import Measurement, Series4D, align, measure, measure_body
from hevesy.workflows.patient_body import with_patient_body
from hevesy.workflows.planar_curves import PlanarCurves, planar_curves
from hevesy.workflows.region_kinetics import curve_model, fit_region, widened
from hevesy.workflows.scans import Course, Scan, check_region_names, gather

Progress = Callable[[str], None]

#: soft tissue, where no CT tells the density; ICRU Report 44
_TISSUE = "soft tissue"
#: a body in the field of view shorter than this cannot be the whole body
_WHOLE_BODY_MM = 1400.0


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """A result, and the series whose headers its DICOM objects take after."""

    result: CaseResult
    reference: Series

    @property
    def headers(self) -> tuple[Any, ...]:
        """The headers that DICOM objects take after; none where the scan cannot place them in the patient."""
        return _headers(self.reference)


def _headers(series: Series) -> tuple[Any, ...]:
    return series.headers if series.frame_of_reference else ()


def therapy_dose(
    folder: Path,
    case: Case,
    engine_name: str = "local",
    progress: Progress = lambda step: None,
    compare: Sequence[str] = (),
    planar: Mapping[str, Curve] | None = None,
) -> Outcome:
    """Compute the absorbed doses of one administration.

    Parameters
    ----------
    folder : Path
        Images of one patient and one administration: reconstructed SPECT or PET in Bq/mL (or counts with a
        calibration factor), structures drawn on one scan or on each, and a CT if there is one.
    case : Case
        What the images do not say.
    engine_name : str
        A key of `hevesy.stages.dosimetry.engines.ENGINES`.
    progress : callable, optional
        Told each step as it starts.
    compare : sequence of str
        Other engines, whose doses to the regions are set beside.
    planar : mapping of str to Curve, optional
        Planar curve of each region, in any unit: shapes that are scaled to the one SPECT (hybrid method). Without
        them, and with `planar` in the case, they are made from the planar views in the folder.

    Raises
    ------
    HevesyError
        If anything that a number depends on is missing, contradictory or impossible.
    """
    engines = {name: engine(name) for name in (engine_name, *compare)}
    found, course = _course(folder, case, progress)
    series = align(course.scans, course.anatomy, case, progress)
    progress("measuring regions")
    measured = (*measure(course.scans, series, case), measure_body(course.scans, series, case))
    shapes = _shapes(found, case, course, series, measured) if planar is None else PlanarCurves(planar)
    kinetics = _kinetics(measured, course, case, shapes, progress)
    density = _density(series, measured[:-1], case)
    progress("spreading time-integrated activity over voxels")
    source = Source(_spread(series, measured, kinetics), density, chain(course.nuclide))
    progress(f"computing absorbed dose ({engine_name})")
    answer = engines.pop(engine_name)(source)
    pairs = list(zip(measured, kinetics.fits, strict=True))
    regions = tuple(_region_result(m, f, course.scans, density, answer, case) for m, f in pairs[:-1])
    body = _body_result(*pairs[-1], course.scans, density, answer, case)
    result = CaseResult(
        patient=course.patient,
        nuclide=course.nuclide,
        administration=course.administration,
        engine=EngineRecord(engine_name, answer.method, answer.limits),
        time_points=_time_points(course.scans, series),
        whole_body=body,
        regions=regions,
        dose=answer.dose,
        tia=source.tia,
        density=density,
        warnings=_warnings(course, series, (*regions, body), measured, case, kinetics.doubts),
        inputs=_inputs(course),
        comparisons=_comparisons(source, engines, measured[:-1], progress),
        settings=_settings(case, shapes),
    )
    return Outcome(with_patient_body(result, found, case, course), course.scans[series.reference].series)


def _settings(case: Case, planar: PlanarCurves) -> dict[str, Any]:
    """Return the effective configuration; planar curves with times (h) and values as given, and how they were made."""
    settings: dict[str, Any] = {"given": dict(case.settings), "assumed": case.assumed()}
    if planar.made:
        settings["planar_views"] = dict(planar.made)
    if planar.curves:
        settings["planar"] = {
            name: {
                "t_h": (curve.mid_s / 3600).tolist(),
                "value": (curve.activity_Bq / 1e6).tolist(),
                "u": (curve.u_Bq / 1e6).tolist(),
            }
            for name, curve in planar.curves.items()
        }
    return settings


def _shapes(
    folder: Folder, case: Case, course: Course, series: Series4D, measured: Sequence[Measurement]
) -> PlanarCurves:
    """Measure planar curves where case.yaml asks for them."""
    return planar_curves(folder, case, course, series, measured) if case.get("planar") else PlanarCurves({})


def _course(folder: Path, case: Case, progress: Progress) -> tuple[Folder, Course]:
    progress("reading headers")
    found = read_folder(folder)
    course = gather(found, case, progress)
    if not course.scans:
        raise EmptyInput(f"{folder} holds no scan to take a dose from.")
    check_region_names(case, course.scans)
    return found, course


def _comparisons(
    source: Source, others: Mapping[str, Engine], measured: Sequence[Measurement], progress: Progress
) -> tuple[Comparison, ...]:
    """Give the same source to other engines."""
    found = []
    for name, compute in others.items():
        progress(f"computing absorbed dose ({name})")
        answer = compute(source)
        histograms = tuple(dose_volume_histogram(answer.dose, one.region) for one in measured)
        found.append(Comparison(EngineRecord(name, answer.method, answer.limits), histograms))
    return tuple(found)


def _curve(measured: Measurement, scans: Sequence[Scan]) -> Curve:
    starts = [scan.mid_s - scan.duration_s / 2 for scan in scans]
    ends = [scan.mid_s + scan.duration_s / 2 for scan in scans]
    values = np.array([a.value for a in measured.activity])
    return Curve(np.array(starts), np.array(ends), values, np.array(measured.counts_u), measured.region.name)


@dataclass(frozen=True, slots=True, eq=False)
class _Kinetics:
    """Curves and their fits, the whole body's last, and what about them is doubtful."""

    curves: tuple[Curve, ...]
    fits: tuple[Fit, ...]
    doubts: tuple[str, ...]


def _kinetics(
    measured: Sequence[Measurement], course: Course, case: Case, shapes: PlanarCurves, progress: Progress
) -> _Kinetics:
    """Fit every curve, the whole body's last, once physics has allowed them all."""
    progress("fitting time-activity curves")
    planar = shapes.curves
    if planar:
        names = [m.region.name for m in measured]
        check_shapes(planar, names[:-1], names[-1], [scan.mid_s for scan in course.scans])
    curves = tuple(_curve(m, course.scans) for m in measured)
    rate, given = course.nuclide.decay_constant, course.administration.activity
    closed = case.get("body_in_view") != "part"
    doubts = [check_physical(curve, rate, given, closed_system=closed and curve is curves[-1]) for curve in curves]
    fits = [_fit(c, m, course, case, planar.get(c.name)) for c, m in zip(curves[:-1], measured, strict=False)]
    shape = planar.get(curves[-1].name)
    fits.append(_fit(curves[-1], measured[-1], course, case, shape) if shape else _fit_body(curves[-1], course))
    return _Kinetics(curves, tuple(fits), (*shapes.notes, *itertools.chain.from_iterable(doubts)))


def _fit(curve: Curve, measured: Measurement, course: Course, case: Case, planar: Curve | None) -> Fit:
    said = _said(measured.region, case)
    if planar is not None:
        given = (course.administration, course.nuclide.decay_constant)
        return hybrid_fit(planar, curve, measured.region, given, said)
    return fit_region(curve, measured.region, course.nuclide.decay_constant, course.administration, said)


def _fit_body(curve: Curve, course: Course) -> Fit:
    rate = course.nuclide.decay_constant
    if len(curve) == 1 or still_rising(curve, rate):
        physical = PopulationHalfLife(course.nuclide.half_life.value, 1.0, "physical decay alone")
        return bounded_tia(curve, rate, physical)
    return fit_curve(curve, rate, immediate=True)


def _said(region: Region, case: Case) -> Any:
    """Return what case.yaml says of a region that may have been renamed."""
    named = [said for name, said in case.get("regions", {}).items() if said.get("name", name) == region.name]
    return named[0] if named else {}


def _spread(series: Series4D, measured: Sequence[Measurement], kinetics: _Kinetics) -> Image:
    parts = [_part(m, f, c) for m, f, c in zip(measured, kinetics.fits, kinetics.curves, strict=True)]
    return distribute(series.activity, parts[:-1], parts[-1])


def _part(measured: Measurement, fit: Fit, curve: Curve) -> Part:
    return Part(measured.region, scan_weights_s(fit, curve), fit.tia.value)


def _density(series: Series4D, measured: Sequence[Measurement], case: Case) -> Image:
    """Return density in the body (kg/m³): from CT where there is one, else soft tissue; regions as case.yaml says."""
    grid = series.body.grid
    if series.anatomy is not None:
        values = density_from_hounsfield(series.anatomy).values * (series.body.mask() > 0)
        source = "CT"
    else:
        values = np.where(series.body.mask() > 0, material(_TISSUE).density_kg_m3, 0.0)
        source = f"{_TISSUE} within the body outline"
    values = values.astype(np.float32)
    for one in measured:
        # a region's voxels have mass even where the outline of the body missed them
        inside = one.region.coverage > 0
        given = _said(one.region, case).get("density_g_mL")
        box = values[one.region.box]
        filled = given * 1000.0 if given else np.where(box > 0, box, material(_TISSUE).density_kg_m3)
        values[one.region.box] = np.where(inside, filled, box)
    return Image(values, grid, Quantity.DENSITY, None, Provenance(source))


def _mass(measured: Measurement, density: Image, case: Case) -> Measured:
    """Return a region's mass (kg): its volume times its mean density."""
    grams_per_mL = measured.region.integral(density) * 1e-3 / measured.region.volume_mL
    relative = case.number("uncertainty.density_percent") / 100
    per_mL = Measured(grams_per_mL * 1e-3, grams_per_mL * 1e-3 * relative, "kg/mL", "density")
    return measured.volume * per_mL


def _region_result(
    measured: Measurement, fit: Fit, scans: Sequence[Scan], density: Image, answer: DoseMap, case: Case
) -> RegionResult:
    mass = _mass(measured, density, case)
    tia = fit.tia * measured.scale
    histogram = dose_volume_histogram(answer.dose, measured.region)
    method = Measured(1.0, answer.u_relative, label="engine") if answer.u_relative else Measured(1.0)
    relative = (tia / tia.value).to(1.0, "") / (mass / mass.value).to(1.0, "") * method
    dose = (relative * histogram.mean_Gy).to(1.0, "Gy")
    return RegionResult(
        region=measured.region,
        volume=measured.volume,
        mass=mass,
        times_s=tuple(scan.mid_s for scan in scans),
        activity=measured.activity,
        model=curve_model(fit, [scan.mid_s for scan in scans]),
        tia=tia,
        tia_interval95=widened(fit.interval95, fit.tia.value, measured.scale.u_relative),
        dose=dose,
        dose_interval95=widened(
            (fit.interval95[0] * dose.value / tia.value, fit.interval95[1] * dose.value / tia.value),
            dose.value,
            _shared(dose, fit),
        ),
        histogram=histogram,
    )


def _shared(dose: Measured, fit: Fit) -> float:
    """Return the relative uncertainty of a dose that the fit of its curve did not bring."""
    return math.sqrt(max(dose.u_relative**2 - fit.tia.u_relative**2, 0.0))


def _body_result(
    measured: Measurement, fit: Fit, scans: Sequence[Scan], density: Image, answer: DoseMap, case: Case
) -> RegionResult:
    """Return the body as far as the images show it; its mean dose is energy over mass, as lungs weigh less."""
    found = _region_result(measured, fit, scans, density, answer, case)
    assert found.dose is not None
    assert found.dose_interval95 is not None
    of_mass = answer.dose.with_values(answer.dose.values * density.values, Quantity.RELATIVE)
    mean = measured.region.integral(of_mass) / measured.region.integral(density)
    factor = mean / found.dose.value
    low, high = found.dose_interval95
    return replace(
        found, dose=found.dose.to(factor, "Gy"), dose_interval95=(low * factor, high * factor), histogram=None
    )


def _time_points(scans: Sequence[Scan], series: Series4D) -> tuple[TimePoint, ...]:
    return tuple(
        TimePoint(
            scan.label,
            scan.series.uid,
            scan.mid_s,
            scan.duration_s,
            image,
            _alignment(motion),
            resample(scan.activity, image.grid) if motion else None,
        )
        for scan, image, motion in zip(scans, series.activity, series.motions, strict=True)
    )


def _alignment(motion: Motion | None) -> Alignment | None:
    if motion is None:
        return None
    return Alignment(motion.shift_mm, motion.rotation_deg, motion.agreement_before, motion.agreement_after)


def _warnings(
    course: Course,
    series: Series4D,
    results: Sequence[RegionResult],
    measured: Sequence[Measurement],
    case: Case,
    doubts: Sequence[str],
) -> tuple[str, ...]:
    """Collect every warning of the case, each once, those on single regions with the region's name."""
    found = [*course.notes, *doubts]
    length_mm = series.body.coverage.shape[2] * series.body.grid.spacing_mm[2]
    if length_mm < _WHOLE_BODY_MM:
        found.append(
            f"The scans have {length_mm / 10:.0f} cm of the body in common;"
            " 'whole body' means that part, not the patient."
        )
    if course.anatomy is None:
        found.append(
            f"No CT: {material(_TISSUE).name} of {material(_TISSUE).density_kg_m3 / 1000:.2f} g/mL was taken within an"
            " outline of the body drawn from the activity."
        )
    for scan, share in zip(course.scans, series.outside, strict=True):
        if share > 0.01:
            found.append(
                f"{share:.1%} of the activity in {scan.label} lies outside the body's outline; it got no dose."
            )
    for result, one in zip(results, measured, strict=True):
        found += [f"{result.region.name}: {note}" for note in (*one.notes, *result.model.notes[1:])]
    if not _headers(course.scans[series.reference].series):
        found.append(
            "The reference scan states no DICOM frame of reference: no DICOM RTDOSE, SEG, RTSTRUCT and SR were written."
        )
    if not results[:-1]:
        found.append("No regions were drawn: there is a dose map, and no dose to an organ or lesion.")
    daughters = [n.name for n, _ in chain(course.nuclide)[1:]]
    if daughters:
        found.append(f"Daughters ({', '.join(daughters)}) were taken to decay where {course.nuclide.name} did.")
    if case.assumed():
        listed = ", ".join(f"{path} {value:g}" for path, value in case.assumed().items())
        found.append(f"Assumed, for want of a value in case.yaml: {listed}.")
    return tuple(dict.fromkeys(found))


def _inputs(course: Course) -> tuple[dict[str, Any], ...]:
    """List each series used with a digest of its files."""
    used = [(scan.label, scan.series) for scan in course.scans]
    if course.anatomy_series is not None:
        used.append(("CT", course.anatomy_series))
    return tuple(
        {"use": label, "uid": s.uid, "description": s.description, "files": len(s.files), "sha256": _digest(s.files)}
        for label, s in used
    )


def _digest(files: Sequence[Path]) -> str:
    """Return the SHA-256 of the sorted SHA-256 of the files, so that names and order do not matter."""
    each = sorted(hashlib.sha256(file.read_bytes()).hexdigest() for file in files)
    return hashlib.sha256("".join(each).encode()).hexdigest()
