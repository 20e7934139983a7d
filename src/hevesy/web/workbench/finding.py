"""Organs that a job found, entered as a new version of the regions, and versions that are taken back."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from hevesy.errors import ContradictoryInformation, MissingInformation, UnknownName
from hevesy.web.site.accounts.models import Person
from hevesy.web.site.audit.record import record
from hevesy.web.site.jobs.models import Job, State
from hevesy.web.site.jobs.queue import result_folder, submit
from hevesy.web.site.store.files import FileStore
from hevesy.web.site.store.models import Administration
from hevesy.web.workbench import tasks
from hevesy.web.workbench.case_folder import digest_of, regions_of, settings_of
from hevesy.web.workbench.drawing import View, free_identifier, take_over
from hevesy.web.workbench.models import RegionSet
from hevesy.workflows.organ_request import Asked

#: what the change of a version begins with that a job made
_FOUND = "found automatically: "


@transaction.atomic
def ask_organs(person: Person, administration: Administration, images: Job, asked: Asked) -> Job:
    """Have organs found on the reference scan, and enter who asked.

    Raises
    ------
    MissingInformation
        If the images for the viewer, on which they are shown, are not ready.
    """
    if images.state != State.DONE:
        raise MissingInformation("The images are not ready.", "Open the page of the regions, and wait for them.")
    arguments = {
        "administration": str(administration.pk),
        "settings": settings_of(administration),
        "inputs": digest_of(administration),
        "images": images.fingerprint,
        "organs": list(asked.organs),
        "by": asked.by,
    }
    job = submit(tasks.ORGANS, arguments, person)
    record(person, "organs.asked", f"administration {administration.pk}", job=str(job.pk), by=asked.by)
    return job


def last_search(administration: Administration) -> Job | None:
    """Return the job that was last asked to find organs here."""
    there = Job.objects.filter(kind=tasks.ORGANS, arguments__administration=str(administration.pk))
    return there.order_by("-submitted_at").first()


def enter_found(job: Job, result: dict[str, Any]) -> None:
    """Enter what a job found as a new version of the regions; what a person drew under a name stays."""
    if not result["regions"] or job.submitted_by is None:
        return
    administration = Administration.objects.select_for_update().get(pk=job.arguments["administration"])
    images = Job.objects.filter(fingerprint=job.arguments["images"], state=State.DONE).latest("submitted_at")
    view = View(administration, images)
    regions = view.regions()
    if regions_of(administration) is None:
        take_over(view, regions)
    store, folder, names = FileStore.of_site(), result_folder(job.fingerprint), []
    for one in result["regions"]:
        at = (one["name"], one["timePoint"])
        before = next((r for r in regions if (r["name"], r["timePoint"]) == at), None)
        if before is not None and not before.get("foundBy"):
            continue
        entry = {**one, "sha256": store.put(folder / one["url"])}
        entry.pop("url")
        if before is None:
            regions.append({**entry, "id": free_identifier(regions), "version": 1})
        else:
            before.update(entry, version=int(before["version"]) + 1)
        names.append(one["name"])
    if names:
        _new_version(job.submitted_by, administration, regions, f"{_FOUND}{', '.join(names)}")


@transaction.atomic
def restore(person: Person, administration: Administration, version: int) -> RegionSet:
    """Make an earlier version of the regions the newest; nothing between is lost.

    Raises
    ------
    UnknownName
        If there is no such version.
    ContradictoryInformation
        If it is the newest already.
    """
    Administration.objects.select_for_update().get(pk=administration.pk)
    sets = RegionSet.objects.filter(administration=administration)
    wanted = sets.filter(version=version).first()
    if wanted is None:
        raise UnknownName(f"The regions have no version {version}.", f"There are: 1 to {sets.count()}.")
    if wanted == sets.first():
        raise ContradictoryInformation(f"Version {version} is the newest already.", "Name an earlier one.")
    return _new_version(person, administration, wanted.regions, f"back to version {version}")


@transaction.atomic
def take_back(person: Person, administration: Administration) -> None:
    """Take back the organs that were found last; all that were found where nothing had been drawn before.

    Raises
    ------
    ContradictoryInformation
        If the newest version is not what a job found.
    """
    newest = regions_of(administration)
    if newest is None or not newest.change.startswith(_FOUND):
        raise ContradictoryInformation("The regions were changed after organs were found.", "Delete what is wrong.")
    if newest.version > 1:
        restore(person, administration, newest.version - 1)
        return
    kept = [one for one in newest.regions if not one.get("foundBy")]
    _new_version(person, administration, kept, "back to before organs were found")


def can_take_back(administration: Administration) -> bool:
    """Whether the newest version of the regions is what a job found."""
    newest = regions_of(administration)
    return newest is not None and newest.change.startswith(_FOUND)


def found_names(administration: Administration) -> set[str]:
    """Return the names of the regions that a job found."""
    newest = regions_of(administration)
    return {one["name"] for one in newest.regions if one.get("foundBy")} if newest else set()


def _new_version(
    person: Person, administration: Administration, regions: list[dict[str, Any]], change: str
) -> RegionSet:
    newest = regions_of(administration)
    version = (newest.version if newest else 0) + 1
    made = RegionSet.objects.create(
        administration=administration, version=version, author=person, change=change[:200], regions=regions
    )
    record(person, "regions.changed", f"administration {administration.pk}", version=version, change=change[:200])
    return made
