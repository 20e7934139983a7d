"""The record as text that others can keep and check."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from hevesy.web.site.audit.canonical import canonical
from hevesy.web.site.audit.models import Event

_COLUMNS = ("number", "at", "actor", "actor_name", "action", "subject", "details", "previous", "hash")
#: what a spreadsheet would take for a formula
_FORMULAE = ("=", "+", "-", "@", "\t", "\r")


def json_lines(events: Iterable[Event]) -> Iterator[str]:
    """Yield a line of canonical JSON for each event: what its hash covers, and the hash."""
    for event in events:
        yield canonical(event.content() | {"hash": event.hash}) + "\n"


def csv_lines(events: Iterable[Event]) -> Iterator[str]:
    """Yield a table with a head, in which no cell is a formula."""
    yield _row(_COLUMNS)
    for event in events:
        content = event.content() | {"hash": event.hash, "details": canonical(event.details)}
        yield _row([_plain(content[name]) for name in _COLUMNS])


def _plain(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULAE) else text


def _row(cells: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
