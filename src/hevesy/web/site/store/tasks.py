"""What the store has workers do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_noop

from hevesy.errors import HevesyError, UnknownName, UnsupportedObject
from hevesy.web.site.access import CLINICAL
from hevesy.web.site.accounts.models import Person
from hevesy.web.site.audit.record import record
from hevesy.web.site.jobs.models import OPEN, Job
from hevesy.web.site.jobs.queue import submit
from hevesy.web.site.jobs.registry import job
from hevesy.web.site.jobs.task import Cancelled, Task
from hevesy.web.site.store.arrivals import Wishes, arriving, private_source
from hevesy.web.site.store.files import FileStore
from hevesy.web.site.store.models import Archive, Import
from hevesy.web.site.store.uids import UID
from hevesy.web.site.store.uploads import Upload


def start_import(arrival: Import, person: Person | None) -> Job:
    """Have a worker import what was sent or lies in a folder."""
    arrival.job = submit("import", {"import": str(arrival.pk)}, person)
    arrival.save(update_fields=["job"])
    return arrival.job


def start_retrieval(archive: Archive, study: str, person: Person, wishes: Wishes) -> Import:
    """Have a worker fetch a study and import it; a study that is to name nobody is known by its seal alone.

    Raises
    ------
    UnsupportedObject
        If the study's UID is none.
    """
    if len(study) > 64 or not UID.fullmatch(study):
        raise UnsupportedObject(f"'{study[:80]}' is no UID.")
    arrival = arriving(Import.Origin.RETRIEVAL, person, wishes, archive.name, study)
    arrival.save()
    said = {} if arrival.deidentified else {"study": study}
    arrival.job = submit("retrieve", {"import": str(arrival.pk), "archive": archive.pk, **said}, person)
    arrival.save(update_fields=["job"])
    return arrival


def start_sending(archive: Archive, result: str, files: Sequence[str], person: Person) -> Job:
    """Have a worker send files of a result to an archive, again where they were sent before.

    Parameters
    ----------
    archive : Archive
        Where to.
    result : str
        Fingerprint of the result.
    files : sequence of str
        Names of DICOM files below the result's folder, or of folders there.
    person : Person
        Who sends them.

    Raises
    ------
    UnknownName
        If one of the files is not there.
    """
    _files_of(result, files)
    given = {"archive": archive.pk, "result": result, "files": list(files)}
    same = {f"arguments__{key}": value for key, value in given.items()}
    # a sending that waits or runs is the one that is asked for; one that has ended is not
    before = Job.objects.filter(kind="send", **same).exclude(state__in=OPEN).count()
    return submit("send", given | {"before": before}, person)


def _files_of(result: str, files: Sequence[str]) -> list[Path]:
    folder = (settings.HOME.results / result).resolve()
    found: list[Path] = []
    for name in files:
        path = (folder / name).resolve()
        inside = folder.parent == settings.HOME.results.resolve() and folder in path.parents
        paths = [path] if path.is_file() else sorted(path.rglob("*.dcm"))
        if not inside or not paths:
            raise UnknownName(f"The result holds no file '{name[:80]}'.")
        found += paths
    return found


@job("retrieve", title=gettext_noop("Fetch from an archive"), shown_to=CLINICAL)
def retrieve(task: Task) -> dict[str, Any]:
    """Fetch a study and import it."""
    from hevesy.web.site.store.dimse import Dimse
    from hevesy.web.site.store.importing import COUNTS, import_path
    from hevesy.web.site.store.moving import move
    from hevesy.web.site.store.peers import client_of

    arrival = Import.objects.get(pk=task.arguments["import"])
    client = client_of(Archive.objects.get(pk=task.arguments["archive"]))
    if not (arrival.deidentified and arrival.ended_at):  # else it fell after the last step, and the study is forgotten
        study = task.arguments.get("study") or private_source(arrival)
        if isinstance(client, Dimse):
            move(client, study, arrival, task.progress)
        else:
            fetched, store = task.scratch / "fetched", FileStore(settings.HOME.objects, task.scratch)
            client.retrieve(study, fetched, task.progress)
            import_path(fetched, arrival.person, task.progress, arrival=arrival, store=store)
    arrival.refresh_from_db()
    return {"import": str(arrival.pk), **{count: getattr(arrival, count) for count in COUNTS}}


@job("send", title=gettext_noop("Send to an archive"), shown_to=CLINICAL)
def send(task: Task) -> dict[str, Any]:
    """Send objects of a result to an archive; what it holds already it takes again."""
    from hevesy.web.site.store.peers import client_of

    archive = Archive.objects.get(pk=task.arguments["archive"])
    paths = _files_of(task.arguments["result"], task.arguments["files"])
    task.progress(None, f"sending {len(paths)} objects")
    client_of(archive).store(paths)
    record(task.person, "result.sent", task.arguments["result"], archive=archive.name, files=len(paths))
    return {"sent": len(paths)}


@job("import", title=gettext_noop("Import"), shown_to=CLINICAL)
def import_files(task: Task) -> dict[str, Any]:
    """Import the files of one arrival; begun again, it completes what is missing."""
    # brings in pydicom, which a server and an idle worker have no use for
    from hevesy.web.site.store.importing import COUNTS, import_path

    arrival = Import.objects.get(pk=task.arguments["import"])
    upload = Upload.of(arrival)
    sent = arrival.origin == Import.Origin.UPLOAD
    forgotten = not upload.folder.is_dir() if sent else arrival.deidentified
    if not (arrival.ended_at and forgotten):  # else it fell after the last step
        folder = upload.folder if sent else Path(private_source(arrival))
        store = FileStore(settings.HOME.objects, task.scratch)
        try:
            import_path(folder, arrival.person, task.progress, arrival=arrival, store=store)
        except (HevesyError, Cancelled):
            if sent:  # nobody can go on with it
                upload.discard()
            raise
        arrival.refresh_from_db()
    if sent:
        upload.discard()
    return {"import": str(arrival.pk), **{count: getattr(arrival, count) for count in COUNTS}}
