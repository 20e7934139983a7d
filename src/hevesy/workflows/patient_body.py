"""What did the whole patient get, beyond what the images show? From a counter, or from whole-body scans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hevesy.core import Measured, Nuclide
from hevesy.errors import EmptyInput, MissingInformation, UnknownNuclide
from hevesy.stages.dosimetry.ellipsoids import body_s_value
from hevesy.stages.imaging.folder import Folder
from hevesy.stages.imaging.series import Kind
from hevesy.stages.kinetics import Fit
from hevesy.stages.quantification.first_reading import WholeBodyReadings
from hevesy.stages.quantification.whole_body_counter import counter_curve
from hevesy.stages.reporting.results import CaseResult, PatientBody
from hevesy.workflows.case import Case
from hevesy.workflows.chain import chain
from hevesy.workflows.conjugate_scans import conjugate_scans, named_series, planar_losses, window_request
from hevesy.workflows.region_kinetics import curve_model, widened
from hevesy.workflows.scans import Course
from hevesy.workflows.whole_body import whole_body, whole_body_fit


def with_patient_body(result: CaseResult, folder: Folder, case: Case, course: Course) -> CaseResult:
    """Add the whole patient's time-integrated activity and dose to a result, where case.yaml asks for it.

    Parameters
    ----------
    result : CaseResult
        Without it.
    folder : Folder
        What the case's folder holds.
    case : Case
        What the images do not say; `whole_body` names a table of counter readings, or whole-body scans.
    course : Course
        The administration and the patient.

    Raises
    ------
    MissingInformation
        If the administered activity is not known.
    EmptyInput
        If there is no whole-body scan.
    HevesyError
        What the readings, their windows and their fit refuse.
    """
    if not case.get("whole_body"):
        return result
    if course.administration.activity is None:
        raise MissingInformation(
            "The whole body's readings are calibrated by the administered activity, and it is not known.",
            "Give administration: activity_MBq: in case.yaml.",
        )
    readings, source = _readings(folder, case, course)
    fit = whole_body_fit(readings, course.nuclide.decay_constant)
    body = _with_dose(_body(readings, fit, source), case, course, chain(course.nuclide))
    told = tuple(f"{body.name}: {note}" for note in (*body.model.notes[1:], *body.notes))
    return replace(result, patient_body=body, warnings=(*result.warnings, *told))


def _readings(folder: Folder, case: Case, course: Course) -> tuple[WholeBodyReadings, str]:
    """Return the readings with the uncertainty of placing the patient again, and what they were."""
    own = case.number("uncertainty.counts_percent") / 100
    given, rate = course.administration.activity, course.nuclide.decay_constant
    assert given is not None
    if named := case.get("whole_body.counter"):
        base = case.source.parent if case.source else Path()
        found = counter_curve(base / str(named), given, rate.value, own)
        return found, f"{len(found.curve)} readings of a counter ({Path(named).name}), the first before voiding."
    there = folder.of_kind(Kind.WHOLE_BODY)
    wanted = case.get("whole_body.scans")
    series = list(there) if wanted is True else [named_series(there, name, "whole_body") for name in wanted]
    if not series:
        raise EmptyInput("There is no whole-body scan for 'whole_body: {scans: true}'.", "Add two or more NM scans.")
    scans = conjugate_scans(series, window_request(case, course.nuclide), planar_losses(case))
    found = whole_body(scans, course.administration, rate, own)
    return found, (f"{len(scans)} geometric means of whole-body scans, {scans[0].windows}, the first before voiding.")


def _body(readings: WholeBodyReadings, fit: Fit, source: str) -> PatientBody:
    times = tuple(float(t) for t in readings.curve.mid_s)
    scale = readings.present / readings.present.value
    activity = tuple(
        Measured(float(a), float(u), "Bq", "counts") * scale
        for a, u in zip(readings.curve.activity_Bq, readings.curve.u_Bq, strict=True)
    )
    return PatientBody(source, times, activity, curve_model(fit, times), fit.tia, fit.interval95)


def _with_dose(body: PatientBody, case: Case, course: Course, nuclides: Sequence[tuple[Nuclide, float]]) -> PatientBody:
    """Add the mean absorbed dose, or why there is none."""
    if course.patient.mass_kg is None:
        return replace(body, notes=("No absorbed dose: the body's mass is not known; give patient: mass_kg:.",))
    percent, stated = case.number("patient.mass_u_percent"), case.get("patient.mass_u_percent") is not None
    label = "body mass" if stated else "body mass, assumed"
    mass = Measured(course.patient.mass_kg, course.patient.mass_kg * percent / 100, "kg", label)
    try:
        s_value = body_s_value(nuclides, mass)
    except UnknownNuclide as unknown:
        return replace(body, mass=mass, notes=(f"No absorbed dose: {unknown.refused}",))
    dose = (body.tia * s_value).to(1.0, "Gy")
    low, high = (edge * dose.value / body.tia.value for edge in body.tia_interval95)
    beyond = max(dose.u_relative**2 - body.tia.u_relative**2, 0.0) ** 0.5
    notes = [
        "Mean over the body as if activity were spread evenly through water of its mass, in an ellipsoid of a patient's"
        " shape; of no use as the dose to an organ or to marrow."
    ]
    if not stated:
        where = "DICOM headers state it" if case.get("patient.mass_kg") is None else "case.yaml states it"
        notes.append(
            f"The mass, {mass.value:g} kg as {where}, was assumed to be known to {percent:g}%: a scale is better, a"
            " weight that was told or is old is worse. Say so in patient: mass_u_percent:."
        )
    return replace(
        body, mass=mass, dose=dose, dose_interval95=widened((low, high), dose.value, beyond), notes=tuple(notes)
    )
