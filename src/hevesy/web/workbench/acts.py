"""What a person does with a patient's data: every change, by page or by API, with its line in the record."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Max

from hevesy.errors import BadInput, ContradictoryInformation, MissingInformation, UnknownName
from hevesy.web.site.accounts.models import Person
from hevesy.web.site.audit.record import record
from hevesy.web.site.jobs.models import Job, State
from hevesy.web.site.jobs.queue import fingerprint, result_folder, submit
from hevesy.web.site.store.files import FileStore
from hevesy.web.site.store.models import Administration, Archive, Attachment, Course, Patient, Result, Signature, Study
from hevesy.web.site.store.tasks import start_sending
from hevesy.web.workbench import tasks
from hevesy.web.workbench.case_folder import digest_of, settings_of
from hevesy.workflows.case import FILE_NAME, check, read_settings
from hevesy.workflows.fit_settings import DOSE_KEYS, without_fit_settings

#: the file that is signed
REPORT = "report.html"
#: letters that a reason has at least
_LEAST_REASON = 3


def saw(person: Person, what: str, subject: object, **details: Any) -> None:
    """Enter that a person looked at a patient's data."""
    record(person, f"{what}.seen", str(subject), **details)


@transaction.atomic
def begin_administration(
    person: Person, patient: Patient, studies: Iterable[Study], course: Course | None
) -> Administration:
    """Begin the next cycle of a course, or a new course, with the settings that came as a case.yaml if there are any.

    Raises
    ------
    MissingInformation
        If no study is chosen.
    BadInput
        If a study or the course is another patient's.
    """
    chosen = list(studies)
    if not chosen:
        raise MissingInformation("No study is chosen.", "Choose the studies that followed the administration.")
    if any(study.patient_id != patient.pk for study in chosen) or (course and course.patient_id != patient.pk):
        raise BadInput("The studies and the course belong to different patients.")
    came = _came_along(patient)
    if course is None:
        named = [
            came.get("administration", {}).get("radiopharmaceutical"),
            *(one.radiopharmaceutical for one in chosen),
        ]
        name = next((one for one in named if one), "")
        course = Course.objects.create(patient=patient, name=name or "Course of treatment", created_by=person)
    Course.objects.select_for_update().get(pk=course.pk)  # of two who begin at one moment, one counts after the other
    last = course.administrations.aggregate(last=Max("cycle"))["last"] or 0
    made = Administration.objects.create(course=course, cycle=last + 1, settings=came)
    made.studies.set(chosen)
    record(person, "administration.begun", f"administration {made.pk}", studies=[study.uid for study in chosen])
    return made


def _came_along(patient: Patient) -> dict[str, Any]:
    """Return the settings of the one case.yaml that was imported beside the images; none where there are several."""
    there = Attachment.objects.filter(patient=patient, name__endswith=FILE_NAME).values_list("sha256", flat=True)
    found = list(dict.fromkeys(there))
    if len(found) != 1:
        return {}
    return read_settings(FileStore.of_site().path_of(found[0]).read_text(encoding="utf-8"))


@transaction.atomic
def change_settings(person: Person, administration: Administration, settings: Mapping[str, Any]) -> None:
    """Replace the settings of an administration.

    Raises
    ------
    BadConfiguration
        If they do not fit the schema of case.yaml.
    """
    check(dict(settings))
    before = administration.settings
    administration.settings = dict(settings)
    administration.save(update_fields=["settings"])
    changed = sorted({*before, *settings} - {key for key in settings if before.get(key) == settings[key]})
    record(person, "settings.changed", f"administration {administration.pk}", keys=changed)


def ask_check(person: Person, administration: Administration, *, again: bool = False) -> Job:
    """Ask for the check of data, or return the one that there is; one that failed is begun anew only if so asked."""
    settings = without_fit_settings(settings_of(administration))
    return _ask(tasks.CHECK, _arguments(administration, settings), person, again)


def ask_measurement(person: Person, administration: Administration, *, again: bool = False) -> Job:
    """Ask for the activity of every region in every scan."""
    settings = without_fit_settings(settings_of(administration))
    return _ask(tasks.MEASURE, _arguments(administration, settings), person, again)


def ask_fits(person: Person, administration: Administration, *, again: bool = False) -> Job:
    """Ask for the fits; the job returned is the measurement where that has not been done."""
    measured = ask_measurement(person, administration, again=again)
    if measured.state != State.DONE:
        return measured
    settings = settings_of(administration)
    choices = {key: settings[key] for key in ("regions", "body_in_view") if key in settings}
    return _ask(tasks.FIT, {"measured": measured.fingerprint, "settings": choices}, person, again)


def ask_images(person: Person, administration: Administration, *, again: bool = False) -> Job:
    """Ask for the images as the viewer reads them."""
    settings = {key: value for key, value in administration.settings.items() if key not in (*DOSE_KEYS, "regions")}
    inputs = digest_of(administration, as_it_came=True)
    arguments = {"administration": str(administration.pk), "settings": settings, "inputs": inputs}
    return _ask(tasks.IMAGES, arguments, person, again)


def ask_dose_image(person: Person, result: Result) -> Job:
    """Ask for a dose map as the viewer reads it."""
    return _ask(tasks.DOSE_IMAGE, {"result": result.fingerprint}, person, again=False)


def ask_dose(person: Person, administration: Administration) -> Job:
    """Ask for the dose, and enter who did."""
    with transaction.atomic():
        job = submit(tasks.DOSE, _arguments(administration, settings_of(administration)), person)
        record(person, "dose.asked", f"administration {administration.pk}", job=str(job.pk))
    return job


def _ask(kind: str, arguments: dict[str, Any], person: Person, again: bool) -> Job:
    last = Job.objects.filter(fingerprint=fingerprint(kind, arguments)).order_by("-submitted_at").first()
    if last is not None and last.state in (State.FAILED, State.CANCELLED) and not again:
        return last
    return submit(kind, arguments, person)


def _arguments(administration: Administration, settings: dict[str, Any]) -> dict[str, Any]:
    return {"administration": str(administration.pk), "settings": settings, "inputs": digest_of(administration)}


def file_of(result: Result, name: str) -> Path:
    """Return a file of a result.

    Raises
    ------
    UnknownName
        If there is none of this name.
    """
    folder = result_folder(result.fingerprint)
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if name not in names:
        raise UnknownName(f"The result has no file '{name[:80]}'.", f"There are: {', '.join(sorted(names)) or 'none'}.")
    return folder / name


def send(person: Person, result: Result, archive: Archive) -> Job:
    """Have a worker send the dose, the regions and the report of a result to an archive, and enter who asked.

    Raises
    ------
    MissingInformation
        If the result holds no DICOM: the images that it was computed of were none.
    """
    folder = result_folder(result.fingerprint)
    files = [name for name in tasks.DICOM_FILES if (folder / name).is_file()]
    if not files:
        raise MissingInformation("The result holds no DICOM.", "Its images were no DICOM either: download its files.")
    with transaction.atomic():
        job = start_sending(archive, result.fingerprint, files, person)
        record(person, "result.send-asked", f"result {result.pk}", archive=archive.name, files=files, job=str(job.pk))
    return job


def ask_shared(person: Person, administration: Administration, result: Result | None) -> Job:
    """Ask for a copy of a case, and of the DICOM of a result of it, that names nobody, and enter who did."""
    with transaction.atomic():
        job = submit(tasks.SHARE, shared_arguments(administration, result), person)
        record(person, "share.asked", f"administration {administration.pk}", job=str(job.pk))
    return job


def shared_arguments(administration: Administration, result: Result | None) -> dict[str, Any]:
    """Return what a de-identified copy is made of."""
    arguments = _arguments(administration, settings_of(administration))
    return {**arguments, "result": result.fingerprint if result else ""}


def shared_folder(administration: Administration, result: Result | None) -> tuple[Job, Path]:
    """Return the job and the folder of the de-identified copy of a case as it is now.

    Raises
    ------
    MissingInformation
        If there is none.
    """
    mark = fingerprint(tasks.SHARE, shared_arguments(administration, result))
    job = Job.objects.filter(fingerprint=mark, state=State.DONE).first()
    if job is None or not result_folder(mark).is_dir():
        raise MissingInformation(
            "There is no de-identified copy of the case as it is now.", "Make one, and wait for it."
        )
    return job, result_folder(mark)


def send_shared(person: Person, administration: Administration, result: Result | None, archive: Archive) -> Job:
    """Have a worker send every object of the de-identified copy of a case to an archive, and enter who asked."""
    made, folder = shared_folder(administration, result)
    names = [name for name in (tasks.SHARED_CASE, tasks.SHARED_RESULT) if (folder / name).is_dir()]
    with transaction.atomic():
        job = start_sending(archive, made.fingerprint, names, person)
        subject = f"administration {administration.pk}"
        record(person, "share.send-asked", subject, archive=archive.name, job=str(job.pk))
    return job


def sign(person: Person, result: Result, password: str, reason: str = "") -> Signature:
    """Put a person's name under the report of a result: the next version of what was signed for the administration.

    Parameters
    ----------
    person : Person
        Who signs.
    result : Result
        What is signed.
    password : str
        Given again, as a signature by hand would be.
    reason : str
        Why a version that was signed before is amended.

    Raises
    ------
    ContradictoryInformation
        If the password is wrong, or this result was signed already.
    MissingInformation
        If an amendment has no reason.
    """
    if not person.check_password(password):
        record(person, "report.not-signed", f"result {result.pk}", why="wrong password")
        raise ContradictoryInformation("The password is not that of your account; nothing was signed.", "Try again.")
    with transaction.atomic():
        return _sign(person, result, reason.strip())


def _sign(person: Person, result: Result, reason: str) -> Signature:
    administration = Administration.objects.select_for_update().get(pk=result.administration_id)
    before = Signature.objects.filter(result__administration=administration)
    if before.filter(result=result).exists():
        raise ContradictoryInformation("This result is signed already.", "An amendment is a new result with a reason.")
    if before.exists() and len(reason) < _LEAST_REASON:
        raise MissingInformation("An earlier version is signed.", "Say why it is amended.")
    version = (before.aggregate(last=Max("version"))["last"] or 0) + 1
    sha256 = hashlib.sha256(file_of(result, REPORT).read_bytes()).hexdigest()
    made = Signature.objects.create(result=result, version=version, person=person, sha256=sha256, reason=reason)
    record(person, "report.signed", f"result {result.pk}", version=version, sha256=sha256)
    return made
