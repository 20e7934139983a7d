"""Many pieces of files in one request: before each stands a line of JSON that says what it is."""

from __future__ import annotations

import json
from typing import Any, Protocol

from django.db.models import F

from hevesy.errors import BadInput, ContradictoryInformation, UnreadableFile
from hevesy.web.site.store.models import Import
from hevesy.web.site.store.uploads import Upload

#: length of the line before a piece, and pieces of one request
LINE, PIECES = 16 * 1024, 2000


class Body(Protocol):
    """A request's body, read from its beginning on."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes."""

    def readline(self, size: int, /) -> bytes:
        """Return a line of at most `size` bytes."""


class _Piece:
    """The next bytes of a body as a file of its own."""

    def __init__(self, body: Body, length: int) -> None:
        self.body, self.left = body, length

    def read(self, size: int) -> bytes:
        content = self.body.read(min(size, self.left))
        self.left -= len(content)
        return content


def receive(arrival: Import, body: Body) -> list[tuple[str, int]]:
    """Write the pieces of one request where they belong, and return the names and present lengths of their files.

    Parameters
    ----------
    arrival : Import
        Still open.
    body : file
        For each piece, a line such as ``{"name": "a/1.dcm", "offset": 0, "length": 1024}``, then that many bytes.

    Raises
    ------
    UnreadableFile
        If the body ends too early or is not of this form.
    ContradictoryInformation
        If the import is closed, or what comes before a piece has not arrived.
    BadInput
        If a name is none, or more comes than is allowed.
    """
    if arrival.job_id is not None:
        raise ContradictoryInformation("This import is closed.", "Begin another.")
    upload = Upload.of(arrival)
    files: dict[str, int] = {}
    for name, offset, piece in _pieces(body):
        known = upload.length(name)
        now = upload.write(name, offset, piece)
        if piece.left:
            raise UnreadableFile("The request ended before its last piece.", "Send it again.")
        files[name] = now
        added = {"sent_files": F("sent_files") + int(known is None), "sent_bytes": F("sent_bytes") + now - (known or 0)}
        Import.objects.filter(pk=arrival.pk).update(**added)
    arrival.refresh_from_db(fields=["sent_files", "sent_bytes"])
    if arrival.sent_files > upload.limits.files or arrival.sent_bytes > upload.limits.total:
        raise BadInput(
            f"More than {upload.limits.files} files or {upload.limits.total} bytes.", "Send them in several imports."
        )
    return list(files.items())


def _pieces(body: Body) -> Any:
    for _ in range(PIECES):
        line = body.readline(LINE)
        if not line:
            return
        try:
            said = json.loads(line)
            name, offset, length = said["name"], said["offset"], said["length"]
        except (ValueError, KeyError, TypeError, RecursionError):
            name = offset = length = None
        if not (isinstance(name, str) and type(offset) is int and type(length) is int and offset >= 0 and length >= 0):
            raise UnreadableFile("The line before a piece is not JSON with name, offset and length.")
        yield name, offset, _Piece(body, length)
    raise BadInput(f"More than {PIECES} pieces in one request.", "Send fewer at once.")
