"""The DICOM listener: what is sent here is on the disk and in its row before it is thanked for."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from threading import Event
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connections
from pydicom.uid import AllTransferSyntaxes
from pynetdicom import AE, _config, evt
from pynetdicom.presentation import AllStoragePresentationContexts
from pynetdicom.sop_class import Verification

from hevesy.errors import BadConfiguration, BadInput, OutputFailed
from hevesy.web.site.audit.record import record
from hevesy.web.site.jobs.disk import require_room
from hevesy.web.site.jobs.scratch import Scratch, name_of_this_process
from hevesy.web.site.store.arrivals import Wishes, arriving
from hevesy.web.site.store.door import Door
from hevesy.web.site.store.files import FileStore
from hevesy.web.site.store.importing import Importer
from hevesy.web.site.store.limits import Limits
from hevesy.web.site.store.models import Import
from hevesy.web.site.store.moving import asked_for
from hevesy.web.site.store.sources import Candidate

_log = logging.getLogger(__name__)

#: answers to C-STORE (PS3.4, table B.2-1)
SUCCESS, OUT_OF_RESOURCES, NOT_UNDERSTOOD = 0x0000, 0xA700, 0xC000
#: associations that may be open at once, and s after which a silent one is closed
ASSOCIATIONS, SILENCE_S = 20, 60.0


def listen(door: Door, stop: Event) -> None:
    """Listen until told to stop.

    Raises
    ------
    BadConfiguration
        If it cannot listen there.
    """
    _config.STORE_RECV_CHUNKED_DATASET = True  # objects on their way do not fill the memory
    _config.UNRESTRICTED_STORAGE_SERVICE = True  # classes that are newer than this software
    unit = AE(ae_title=door.title)
    unit.maximum_associations = ASSOCIATIONS
    unit.network_timeout = SILENCE_S
    unit.require_called_aet = True
    unit.require_calling_aet = [] if "*" in door.callers else list(door.callers)
    for context in AllStoragePresentationContexts:
        unit.add_supported_context(context.abstract_syntax, AllTransferSyntaxes)
    unit.add_supported_context(Verification)
    with Scratch(settings.HOME.scratch, name_of_this_process()) as mine:
        tempfile.tempdir = str(mine.folder)  # patients' data stay in the site's folder, and go with this process
        _serve(unit, door, FileStore(settings.HOME.objects, mine.folder), stop)


def _serve(unit: AE, door: Door, store: FileStore, stop: Event) -> None:
    handlers = [
        (evt.EVT_ACCEPTED, _accepted),
        (evt.EVT_REJECTED, _rejected),
        (evt.EVT_C_STORE, _store, [store]),
        (evt.EVT_C_ECHO, lambda event: SUCCESS),
        # objects are kept on one thread of an association, and its connection is closed on another
        (evt.EVT_RELEASED, lambda event: connections.close_all()),
        (evt.EVT_ABORTED, lambda event: connections.close_all()),
        (evt.EVT_CONN_CLOSE, _closed),
    ]
    try:
        unit.start_server((door.address, door.port), block=False, evt_handlers=handlers)
    except OSError as error:
        raise BadConfiguration(
            f"The DICOM listener cannot listen at {door.address}, port {door.port} ({error.strerror}).",
            "Choose another HEVESY_DICOM_PORT.",
        ) from error
    try:
        stop.wait()
    finally:
        unit.shutdown()


def _caller(event: Any) -> str:
    requestor = event.assoc.requestor
    return f"{requestor.ae_title.strip()} at {requestor.address}"[:200]


def _accepted(event: Any) -> None:
    record(None, "association.accepted", _caller(event))


def _rejected(event: Any) -> None:
    """Note who was turned away; the thread that does it ends here."""
    record(None, "association.rejected", _caller(event))
    connections.close_all()


def _store(event: Any, store: FileStore) -> int:
    """Keep one object and answer how that went."""
    try:
        require_room()
        return _keep(event, store)
    except (OutputFailed, DatabaseError) as fault:  # the sender may try again later
        _log.error("DICOM: an object of %s was not stored: %s", _caller(event), fault)
        return OUT_OF_RESOURCES


def _keep(event: Any, store: FileStore) -> int:
    importer = _importer(event, store)
    before = importer.report.refused
    name = str(event.request.AffectedSOPInstanceUID)
    try:
        with importer.store.hold(Path(event.dataset_path)) as held:
            importer.add(Candidate(name, held))
            importer.flush()
    except BadInput as refusal:
        importer.refuse(name, refusal)
        importer.flush()
    return NOT_UNDERSTOOD if importer.report.refused > before else SUCCESS


def _importer(event: Any, store: FileStore) -> Importer:
    """Return the import that this association fills, begun with its first object, and anew with each fetch."""
    found: Importer | None = getattr(event.assoc, "importer", None)
    asked = asked_for(getattr(event.request, "MoveOriginatorMessageID", None))
    mark = None if asked is None else asked.mark
    if found is not None and found.arrival.mark != mark:
        found.finish()
        found = None
    if found is None:
        wishes = Wishes(deidentify=asked is not None and asked.deidentified)
        arrival = arriving(Import.Origin.ASSOCIATION, None, wishes, _caller(event))
        arrival.mark = mark
        arrival.save()
        found = event.assoc.importer = Importer(arrival, store, Limits())
    return found


def _closed(event: Any) -> None:
    """End the import of an association that is over, however it ended."""
    importer: Importer | None = getattr(event.assoc, "importer", None)
    try:
        if importer is not None:
            importer.finish()
    finally:
        connections.close_all()
