"""What the workbench computes: the check of data, the measurement of curves, their fits, and the dose."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from hevesy.web.site.access import CLINICAL
from hevesy.web.site.jobs.housekeeping import keeper
from hevesy.web.site.jobs.registry import Effort, job
from hevesy.web.site.store.deidentifying import deidentifier
from hevesy.web.site.store.naming import namer

if TYPE_CHECKING:
    from hevesy.web.site.jobs.models import Job
    from hevesy.web.site.jobs.task import Task
    from hevesy.web.site.store.models import Administration
    from hevesy.workflows.sharing import Known

Result = dict[str, Any]

CHECK, MEASURE, FIT, DOSE = "workbench.check", "workbench.measure", "workbench.fit", "workbench.dose"
IMAGES, DOSE_IMAGE = "workbench.images", "workbench.dose-image"
SHARE, ORGANS = "workbench.share", "workbench.organs"
#: the objects of a result that other systems read: RTDOSE, SEG, RTSTRUCT, SR and RWVM
DICOM_FILES = ("rtdose.dcm", "seg.dcm", "rtstruct.dcm", "dose_report.dcm", "rwvm.dcm")
#: folders of a de-identified copy
SHARED_CASE, SHARED_RESULT = "case", "result"
#: the share of a dose's work that is done when a step starts, by the step's first words
_BEGUN = {
    "reading headers": 0.02,
    "reading": 0.06,
    "registering": 0.12,
    "measuring": 0.3,
    "fitting": 0.35,
    "spreading": 0.38,
    "computing": 0.4,
    "finding": 0.3,
    "writing": 0.8,
    "drawing": 0.9,
}


@job(CHECK, title=_("Check of data"), shown_to=CLINICAL)
def check(task: Task) -> Result:
    """Say what a dose still needs."""
    from hevesy.workflows.check import check_case

    task.progress(None, "reading headers")
    folder = task.scratch / "case"
    case = _lay_out(task)
    return check_case(folder, case).as_json()


def lay_out(task: Task) -> Result:
    """Lay out the case, so that what follows asks nothing of the database."""
    _lay_out(task)
    return {"case": str(task.scratch / "case")}


@job(MEASURE, title=_("Measurement of regions"), shown_to=CLINICAL, effort=Effort.HEAVY, prepare=lay_out)
def measure(task: Task) -> Result:
    """Measure every region in every scan, and keep how the scans were moved: the dose and the viewer need it, too."""
    from hevesy.workflows.case import load_case
    from hevesy.workflows.curves import measure_curves

    folder, fields = Path(task.arguments["case"]), task.scratch / "fields"
    fields.mkdir()
    measured = measure_curves(folder, load_case(folder), _steps(task, stretch=2.5), fields)
    if any(fields.iterdir()):
        task.publish(fields)
    return measured


@job(FIT, title=_("Fit of curves"), effort=Effort.LIGHT, shown_to=CLINICAL)
def fit(task: Task) -> Result:
    """Fit what was measured."""
    from hevesy.workflows.case import Case
    from hevesy.workflows.curves import fit_curves

    measured = _result_of(task.arguments["measured"])
    assert measured is not None
    task.progress(None, "fitting")
    return fit_curves(measured, Case(task.arguments["settings"]))


@job(IMAGES, title=_("Images for the viewer"), shown_to=CLINICAL)
def images(task: Task) -> Result:
    """Write scans, CT and regions as the viewer reads them."""
    from hevesy.workflows.viewing import write_view

    case = _lay_out(task, as_it_came=True)
    target = task.scratch / "view"
    target.mkdir()
    manifest = write_view(task.scratch / "case", case, target, _steps(task))
    task.publish(target)
    return {"volumes": len(manifest["volumes"])}


@job(DOSE_IMAGE, title=_("Dose map for the viewer"), shown_to=CLINICAL)
def dose_image(task: Task) -> Result:
    """Write a dose map as the viewer reads it."""
    from hevesy.web.site.jobs.queue import result_folder
    from hevesy.workflows.viewing import write_dose_view

    task.progress(None, "writing images")
    target = task.scratch / "view"
    target.mkdir()
    entry = write_dose_view(result_folder(task.arguments["result"]) / "dose.nii.gz", target)
    task.publish(target)
    return entry


def keep_organs(job: Job, result: Result) -> None:
    """Enter the organs that were found as a new version of the regions."""
    from hevesy.web.workbench.finding import enter_found

    enter_found(job, result)


@job(ORGANS, title=_("Search for organs"), commit=keep_organs, shown_to=CLINICAL)
def organs(task: Task) -> Result:
    """Find organs on the reference scan."""
    from hevesy.workflows.organ_request import Asked
    from hevesy.workflows.organs import segment_case
    from hevesy.workflows.viewing import write_found

    case = _lay_out(task)
    asked = Asked(tuple(task.arguments["organs"]), task.arguments["by"])
    found = segment_case(task.scratch / "case", case, asked, _steps(task), poll=lambda: task.progress(None))
    target = task.scratch / "found"
    target.mkdir()
    regions = write_found(found, target)
    task.publish(target)
    return {"regions": regions, "notes": list(found.notes)}


@deidentifier
def remove_names(source: Path, target: Path, key: bytes, patient_of: Callable[[str], str]) -> None:
    """De-identify one object that comes in."""
    from hevesy.stages.imaging.identity import Pseudonyms
    from hevesy.workflows.sharing import share_object

    share_object(source, target, Pseudonyms(key), patient_of)


@namer("workbench.RegionSet.regions")
def masks(start: str) -> Iterator[str]:
    """Give the files that hold the regions that were drawn, in every version."""
    from hevesy.web.workbench.models import RegionSet

    for regions in RegionSet.objects.values_list("regions", flat=True).iterator():
        yield from (one["sha256"] for one in regions if (one.get("sha256") or "").startswith(start))


@keeper
def keep_results(marks: frozenset[str]) -> list[str]:
    """Say which results must stay: all that stand under an administration."""
    from hevesy.web.site.store.models import Result as Row

    return list(Row.objects.filter(fingerprint__in=marks).values_list("fingerprint", flat=True))


def keep_result(job: Job, result: Result) -> None:
    """Enter the folder that was published as a result of the administration."""
    from hevesy.web.site.store.models import Result as Row

    assert job.submitted_by is not None
    Row.objects.create(
        administration_id=job.arguments["administration"],
        fingerprint=job.fingerprint,
        made_by=job.submitted_by,
        summary=result,
    )


def lay_out_with_motions(task: Task) -> Result:
    """Lay out the case, and say how its scans were moved where they have been measured."""
    from hevesy.web.site.jobs.queue import fingerprint, result_folder
    from hevesy.workflows.fit_settings import without_fit_settings

    settings = without_fit_settings(task.arguments["settings"])
    mark = fingerprint(MEASURE, {**task.arguments, "settings": settings})
    measured = _result_of(mark)
    motions = {"scans": measured["motions"], "folder": str(result_folder(mark))} if measured else None
    return {**lay_out(task), "motions": motions}


@job(
    DOSE,
    title=_("Absorbed dose"),
    commit=keep_result,
    shown_to=CLINICAL,
    effort=Effort.HEAVY,
    prepare=lay_out_with_motions,
)
def dose(task: Task) -> Result:
    """Compute the dose and publish everything that `hevesy dose` writes, with the case.yaml that remakes it."""
    from hevesy.workflows.case import FILE_NAME, load_case
    from hevesy.workflows.motions import KnownMotions
    from hevesy.workflows.publication import publish
    from hevesy.workflows.therapy import therapy_dose

    source, folder, steps = Path(task.arguments["case"]), task.scratch / "result", _steps(task)
    case, found = load_case(source), task.arguments["motions"]
    motions = KnownMotions(found["scans"], Path(found["folder"])) if found else None
    outcome = therapy_dose(source, case, steps, within=_within(task), motions=motions)
    folder.mkdir()
    publish(outcome, folder, steps, case.instant("created"))
    for file in (source / FILE_NAME, *source.glob("regions-*.dcm")):
        shutil.copyfile(file, folder / file.name)
    record = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    task.publish(folder)
    return _summary(record)


@job(SHARE, title=_("De-identified copy"), shown_to=CLINICAL)
def share_case(task: Task) -> Result:
    """Write the case, and what was computed of it, without anything that names the patient."""
    from django.conf import settings

    from hevesy.stages.imaging.identity import Pseudonyms
    from hevesy.web.site.jobs.queue import result_folder
    from hevesy.workflows.sharing import share

    computed = result_folder(task.arguments["result"]) if task.arguments["result"] else None
    if computed is None:
        _lay_out(task)
    else:
        _lay_out_as_computed(task, computed)
    pseudonyms = Pseudonyms(settings.HOME.pseudonym_key().encode("ascii"))
    target = task.scratch / "shared"
    known = _known_of(_administration(task), computed)
    out = target if computed else target / SHARED_CASE
    shared = share(task.scratch / "case", out, pseudonyms, True, _steps(task), known)
    task.publish(target)
    objects = sum(shared.objects.values()) + sum(name.endswith(".dcm") for name in shared.results)
    # why a series was left out may quote its description: it is told here, where the patient is known
    return {"objects": objects, "left_out": list(shared.left_out)}


def _lay_out_as_computed(task: Task, computed: Path) -> None:
    """Lay out the case as it was when a result was computed: with its settings and the regions drawn then."""
    from hevesy.web.workbench.case_folder import lay_out_case
    from hevesy.workflows.case import FILE_NAME, read_settings

    drawn = sorted(computed.glob("regions-*.dcm"))
    before = computed / FILE_NAME
    settings = read_settings(before.read_text("utf-8")) if before.is_file() else task.arguments["settings"]
    folder = task.scratch / "case"
    lay_out_case(_administration(task), settings, folder, as_it_came=not drawn)
    for file in folder.glob("regions-*.dcm"):
        file.unlink()
    for file in drawn:
        shutil.copyfile(file, folder / file.name)


def _known_of(administration: Administration, computed: Path | None) -> Known:
    """Return what the store knows of a patient: every object that it holds of them is theirs, whatever it says."""
    from hevesy.workflows.sharing import Known

    patient = administration.course.patient
    accessions = patient.studies.values_list("accession", flat=True)
    signed = administration.results.values_list("signatures__person__first_name", "signatures__person__last_name")
    people = (name for names in signed for name in names if name)
    return Known(f"\0{patient.pk}", (patient.name, patient.identifier, patient.issuer, *accessions, *people), computed)


def _summary(record: dict[str, Any]) -> Result:
    """Return what lists of results show of one."""
    regions = [
        {
            "name": one["name"],
            "role": one["role"],
            "dose_Gy": one["absorbed_dose_Gy"] and one["absorbed_dose_Gy"]["value"],
        }
        for one in record["regions"]
    ]
    kept = ("engine", "nuclide", "administered_at", "administered_activity_MBq")
    return {**{key: record[key] for key in kept}, "regions": regions, "warnings": len(record["warnings"])}


def _result_of(mark: str) -> Result | None:
    """Return what came of the job of a fingerprint; None where it is not done."""
    from hevesy.web.site.jobs.models import Job, State

    return Job.objects.filter(fingerprint=mark, state=State.DONE).values_list("result", flat=True).first()


def _within(task: Task) -> Callable[[float], None]:
    return lambda share: task.progress(0.4 + 0.4 * share)


def _administration(task: Task) -> Administration:
    from hevesy.web.site.store.models import Administration

    return Administration.objects.select_related("course__patient").get(pk=task.arguments["administration"])


def _lay_out(task: Task, *, as_it_came: bool = False) -> Any:
    from hevesy.web.workbench.case_folder import lay_out_case

    folder, settings = task.scratch / "case", task.arguments["settings"]
    return lay_out_case(_administration(task), settings, folder, as_it_came=as_it_came)


def _steps(task: Task, stretch: float = 1.0) -> Callable[[str], None]:
    """Return what a recipe tells its steps to."""

    def start(step: str) -> None:
        begun = next((share for words, share in _BEGUN.items() if step.startswith(words)), None)
        task.progress(None if begun is None else min(begun * stretch, 0.95), step)

    return start
