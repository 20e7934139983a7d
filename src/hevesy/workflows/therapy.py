"""The main job: one administration of a therapy, from a folder of images to absorbed doses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hevesy.core import Curve, Image
from hevesy.data.materials import material
from hevesy.stages.dosimetry.engines import Sampling, Source, engine
from hevesy.stages.imaging.series import Series, digest
from hevesy.stages.kinetics.distribution import Part, distribute
from hevesy.stages.registration.deformable import Deformation
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
from hevesy.workflows.ct_agreement import misplaced
from hevesy.workflows.density import TISSUE, density_map
from hevesy.workflows.kinetics import CaseKinetics, case_kinetics
from hevesy.workflows.measurement import Measurement, Series4D
from hevesy.workflows.motions import KnownMotions
from hevesy.workflows.observation import Observation, observe
from hevesy.workflows.patient_body import with_patient_body
from hevesy.workflows.planar_curves import PlanarCurves
from hevesy.workflows.region_dose import LEFT_OUT, Known, compared, region_results
from hevesy.workflows.scans import Course, Scan

Progress = Callable[[str], None]

#: a body in the field of view shorter than this cannot be the whole body
_WHOLE_BODY_MM = 1400.0
#: a dose that lacks more than this is warned of
_NOTABLE_SHARE = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """A result, the series whose headers its DICOM objects take after, and the scans it was computed of."""

    result: CaseResult
    reference: Series
    scans: tuple[Scan, ...] = ()

    @property
    def headers(self) -> tuple[Any, ...]:
        """The headers that DICOM objects take after; none where the scan cannot place them in the patient."""
        return _headers(self.reference)


def _headers(series: Series) -> tuple[Any, ...]:
    """Return the headers in an order that does not hang on the names of their files."""
    if not series.frame_of_reference:
        return ()
    return tuple(sorted(series.headers, key=lambda head: str(head.get("SOPInstanceUID", ""))))


def therapy_dose(
    folder: Path,
    case: Case,
    progress: Progress = lambda step: None,
    planar: Mapping[str, Curve] | None = None,
    within: Callable[[float], None] = lambda share: None,
    motions: KnownMotions | None = None,
) -> Outcome:
    """Compute the absorbed doses of one administration.

    Parameters
    ----------
    folder : Path
        Images of one patient and one administration: reconstructed SPECT or PET in Bq/mL (or counts with a
        calibration factor), structures drawn on one scan or on each, and a CT if there is one.
    case : Case
        What the images do not say, and which engines compute the dose.
    progress : callable, optional
        Told each step as it starts.
    planar : mapping of str to Curve, optional
        Planar curve of each region, in any unit: shapes that are scaled to the one SPECT (hybrid method). Without
        them, and with `planar` in the case, they are made from the planar views in the folder.
    within : callable, optional
        Told the share (0 to 1) of a long step that is done.
    motions : KnownMotions, optional
        How `measure_curves` moved the scans of this case: the same answer, without registering them again.

    Raises
    ------
    HevesyError
        If anything that a number depends on is missing, contradictory or impossible.
    """
    engine_name, *others = case.engines()
    site = observe(folder, case, progress, planar, motions)
    course, series, measured, shapes = site.course, site.series, site.measured, site.shapes
    progress("fitting time-activity curves")
    kinetics = case_kinetics(measured, course, case, shapes)
    density = density_map(series, measured[:-1], case)
    progress("spreading time-integrated activity over voxels")
    source = Source(_spread(series, measured, kinetics), density, chain(course.nuclide))
    progress(f"computing absorbed dose ({engine_name})")
    sampling = _sampling(case, measured[:-1], within)
    answer = engine(engine_name, sampling)(source)
    known = Known(course.scans, density, answer, case)
    regions, body = region_results(measured, kinetics.regions, known)
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
        warnings=_warnings(site, (*regions, body), case, kinetics),
        inputs=_inputs(course),
        comparisons=tuple(_comparison(source, name, sampling, regions, progress) for name in others),
        settings=_settings(case, shapes),
    )
    result = with_patient_body(result, site.folder, case, course)
    return Outcome(result, course.scans[series.reference].series, course.scans)


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


def _sampling(case: Case, measured: Sequence[Measurement], within: Callable[[float], None]) -> Sampling:
    percent = case.get("monte_carlo.uncertainty_percent")
    return Sampling(
        case.get("monte_carlo.histories"),
        None if percent is None else float(percent) / 100,
        int(case.get("monte_carlo.seed", 1)),
        tuple(one.region for one in measured),
        within,
    )


def _comparison(
    source: Source, name: str, sampling: Sampling, regions: Sequence[RegionResult], progress: Progress
) -> Comparison:
    """Give the same source to another engine."""
    progress(f"computing absorbed dose ({name})")
    answer = engine(name, sampling)(source)
    return compared(regions, EngineRecord(name, answer.method, answer.limits), answer)


def _spread(series: Series4D, measured: Sequence[Measurement], kinetics: CaseKinetics) -> Image:
    parts = [Part(m.region, k.weights_s, k.fit.tia.value) for m, k in zip(measured, kinetics.regions, strict=True)]
    return distribute(series.activity, parts[:-1], parts[-1])


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


def _alignment(motion: Motion | Deformation | None) -> Alignment | None:
    if motion is None:
        return None
    rigid = motion.motion if isinstance(motion, Deformation) else motion
    return Alignment(
        rigid.shift_mm,
        rigid.rotation_deg,
        rigid.agreement_before,
        motion.agreement_after,
        motion.largest_mm if isinstance(motion, Deformation) else None,
    )


def _warnings(
    site: Observation, results: Sequence[RegionResult], case: Case, kinetics: CaseKinetics
) -> tuple[str, ...]:
    """Collect every warning of the case, each once, those on single regions with the region's name."""
    course, series = site.course, site.series
    found = [*course.notes, *kinetics.doubts]
    length_mm = series.body.coverage.shape[2] * series.body.grid.spacing_mm[2]
    if length_mm < _WHOLE_BODY_MM:
        found.append(
            f"The scans have {length_mm / 10:.0f} cm of the body in common;"
            " 'whole body' means that part, not the patient."
        )
    found += _about_anatomy(series.ct, course.scans[series.reference])
    for scan, share in zip(course.scans, series.outside, strict=True):
        if share > 0.01:
            found.append(
                f"{share:.1%} of the activity in {scan.label} lies outside the body's outline; it got no dose."
            )
    labels = [scan.label for scan in course.scans]
    for result, one, fitted in zip(results, site.measured, kinetics.regions, strict=True):
        notes = (*one.notes, *fitted.notes(labels), *result.model.notes[1:])
        found += [f"{result.region.name}: {note}" for note in notes]
    if not _headers(course.scans[series.reference].series):
        found.append(
            "The reference scan states no DICOM frame of reference: no DICOM RTDOSE, SEG, RTSTRUCT and SR were written."
        )
    if not results[:-1]:
        found.append("No regions were drawn: there is a dose map, and no dose to an organ or lesion.")
    daughters = [n.name for n, _ in chain(course.nuclide)[1:]]
    if daughters:
        found.append(f"Daughters ({', '.join(daughters)}) were taken to decay where {course.nuclide.name} did.")
    found += _without_photons(results, case.engines()[0])
    if case.assumed():
        listed = ", ".join(f"{path} {value:g}" for path, value in case.assumed().items())
        found.append(f"Assumed, for want of a value in case.yaml: {listed}.")
    return tuple(dict.fromkeys(found))


def _without_photons(results: Sequence[RegionResult], engine_name: str) -> list[str]:
    """Say what of each region's dose the engine leaves out, where it is worth a word."""
    missing = {one.name: one.dose.components.get(LEFT_OUT, 0.0) / one.dose.value for one in results if one.dose}
    listed = [f"{share:.1%} in {name}" for name, share in missing.items() if share > _NOTABLE_SHARE]
    if not listed:
        return []
    return [
        f"The engine {engine_name} leaves photons out, so that doses are too low by about {', '.join(listed)}; that is"
        " a part of their uncertainty. The engines vsv, mvsv and mc include photons."
    ]


def _about_anatomy(ct: Image | None, reference: Scan) -> list[str]:
    """Say that there is no CT, or that it does not lie where the scan lies under which it is laid."""
    if ct is None:
        tissue = material(TISSUE)
        return [
            f"No CT: {tissue.name} of {tissue.density_kg_m3 / 1000:.2f} g/mL was taken within an outline of the body"
            " drawn from the activity."
        ]
    line = misplaced(reference.label, reference.activity, ct)
    return [f"{line} Density and the body's outline are those of another place."] if line else []


def _inputs(course: Course) -> tuple[dict[str, Any], ...]:
    """List each series used with a digest of its files."""
    used = [(scan.label, scan.series) for scan in course.scans]
    if course.anatomy_series is not None:
        used.append(("CT", course.anatomy_series))
    return tuple(
        {"use": label, "uid": s.uid, "description": s.description, "files": len(s.files), "sha256": digest(s.files)}
        for label, s in used
    )
