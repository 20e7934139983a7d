"""A fetch by C-MOVE: the archive sends to the listener, and what came there is told as one import."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.db import transaction
from django.utils import timezone

from hevesy.web.site.audit.record import record
from hevesy.web.site.store.dimse import Dimse, new_mark, require_listener
from hevesy.web.site.store.importing import COUNTS
from hevesy.web.site.store.models import Attachment, Import, Instance, Remark

#: s that the listener has to end its import after the archive said that all was sent
_ENDING_S = 30.0


def move(client: Dimse, study: str, arrival: Import, progress: Callable[[float | None, str], None]) -> None:
    """Have a study sent to the listener, and take what came there into the import that asked for it.

    Raises
    ------
    BadConfiguration
        If there is no listener.
    PeerFailed
        If the archive does not send all of it; what came stays.
    EmptyInput
        If it holds nothing of it.
    """
    require_listener()
    arrival.mark = new_mark()
    arrival.ended_at = None
    arrival.save(update_fields=["mark", "ended_at"])
    try:
        client.move(study, arrival.mark, progress)
    finally:
        _await_end(arrival)
        _take_over(arrival)


def asked_for(mark: int | None) -> Import | None:
    """Return the fetch under way that has a message ID; None where an object comes unasked."""
    if mark is None:
        return None
    return Import.objects.filter(origin=Import.Origin.RETRIEVAL, mark=mark, ended_at=None).first()


def _of(arrival: Import) -> list[Import]:
    came = Import.objects.filter(origin=Import.Origin.ASSOCIATION, mark=arrival.mark)
    return list(came.filter(started_at__gte=arrival.started_at))


def _await_end(arrival: Import) -> None:
    until = time.monotonic() + _ENDING_S
    while time.monotonic() < until and any(one.ended_at is None for one in _of(arrival)):
        time.sleep(0.1)


@transaction.atomic
def _take_over(arrival: Import) -> None:
    """Count what came by the associations of a fetch as its own."""
    came = _of(arrival)
    for model in (Instance, Attachment, Remark):
        model.objects.filter(arrival__in=came).update(arrival=arrival)
    for count in COUNTS:
        setattr(arrival, count, getattr(arrival, count) + sum(getattr(one, count) for one in came))
    arrival.ended_at, arrival.sealed = timezone.now(), ""
    arrival.save(update_fields=[*COUNTS, "ended_at", "sealed"])
    Import.objects.filter(pk__in=[one.pk for one in came]).delete()
    counts = {count: getattr(arrival, count) for count in COUNTS}
    record(arrival.person, "import.ended", str(arrival.pk), origin=arrival.origin, **counts)
