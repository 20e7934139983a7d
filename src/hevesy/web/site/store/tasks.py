"""What the store has workers do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_noop

from hevesy.web.site.access import CLINICAL
from hevesy.web.site.accounts.models import Person
from hevesy.web.site.jobs.models import Job
from hevesy.web.site.jobs.queue import submit
from hevesy.web.site.jobs.registry import job
from hevesy.web.site.jobs.task import Task
from hevesy.web.site.store.files import FileStore
from hevesy.web.site.store.models import Import
from hevesy.web.site.store.uploads import Upload


def start_import(arrival: Import, person: Person | None) -> Job:
    """Have a worker import what was sent or lies in a folder."""
    arrival.job = submit("import", {"import": str(arrival.pk)}, person)
    arrival.save(update_fields=["job"])
    return arrival.job


@job("import", title=gettext_noop("Import"), shown_to=CLINICAL)
def import_files(task: Task) -> dict[str, Any]:
    """Import the files of one arrival; begun again, it completes what is missing."""
    # brings in pydicom, which a server and an idle worker have no use for
    from hevesy.web.site.store.importing import COUNTS, import_path

    arrival = Import.objects.get(pk=task.arguments["import"])
    upload = Upload.of(arrival)
    sent = arrival.origin == Import.Origin.UPLOAD
    if not (sent and arrival.ended_at and not upload.folder.is_dir()):  # else it fell after the last step
        folder = upload.folder if sent else Path(arrival.source)
        store = FileStore(settings.HOME.objects, task.scratch)
        import_path(folder, arrival.person, task.progress, arrival=arrival, store=store)
        arrival.refresh_from_db()
    if sent:
        upload.discard()
    return {"import": str(arrival.pk), **{count: getattr(arrival, count) for count in COUNTS}}
