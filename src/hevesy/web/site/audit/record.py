"""Writing the record, and finding out whether anybody has meddled with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.utils import timezone

from hevesy.web.site.audit.models import BEGINNING, Event

if TYPE_CHECKING:
    from hevesy.web.site.accounts.models import Person

#: the lock of PostgreSQL under which a line is added; any number that nothing else here uses
_LOCK = 0x4865_7665_7379


def record(who: Person | None, action: str, subject: str, **details: Any) -> Event:
    """Add a line to the record, within the transaction of the caller.

    Call it last in that transaction: from here to its end, others who record wait.

    Parameters
    ----------
    who : Person or None
        Who did it; None for the site itself, or for somebody who has not signed in.
    action : str
        What was done, as ``noun.verb``: ``study.seen``, ``report.signed``.
    subject : str
        What it was done to; of a longer text, the first 200 characters are kept.
    details
        What JSON can say. Where a token asked in the person's name, what it is called is added as ``token``.

    Returns
    -------
    Event

    Raises
    ------
    ValueError, TypeError
        If a detail is not what JSON can say.
    """
    if who is not None and who.token is not None:
        details = {"token": who.token.name, **details}
    with transaction.atomic():
        _wait_for_turn()
        number, previous = _last()
        event = Event(
            number=number + 1,
            at=timezone.now(),
            actor=who,
            actor_name=_text(who.get_username() if who else "", 150),
            action=_text(action, 64),
            subject=_text(subject, 200),
            details=details,
            previous=previous,
        )
        event.hash = event.digest()
        event.save()
    return event


def verify() -> int | None:
    """Return the number of the first line that is not as it was written, or None if all are.

    A record whose last lines were cut off is still whole in itself: keep its last hash elsewhere, as an export does.
    """
    previous = BEGINNING
    for number, event in enumerate(Event.objects.order_by("number").iterator(chunk_size=1000), start=1):
        if event.number != number or event.previous != previous or event.hash != event.digest():
            return number
        previous = event.hash
    return None


def _last() -> tuple[int, str]:
    """Return number and hash of the last line; written out, for every page asks for it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT number, hash FROM audit_event ORDER BY number DESC LIMIT 1")
        found: tuple[int, str] | None = cursor.fetchone()
    return found or (0, BEGINNING)


def _wait_for_turn() -> None:
    """Let one writer at a time read the last line and add to it."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    # SQLite: every transaction begins IMMEDIATE (see the settings), and so holds the one lock for writing


def _text(text: str, length: int) -> str:
    """Return what every database can keep: no NUL, no half of a character."""
    return text.replace("\0", "�").encode("utf-8", "replace").decode("utf-8")[:length]
