"""Bodies of many parts (RFC 2046), read and written piece by piece."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from email.message import Message
from pathlib import Path
from typing import BinaryIO

from hevesy.errors import UnreadableFile

PIECE = 256 * 1024
#: room for the headers of one part, bytes
HEADERS = 64 * 1024


def boundary_of(content_type: str) -> bytes:
    """Return the boundary that a Content-Type names.

    Raises
    ------
    UnreadableFile
        If it names none.
    """
    message = Message()
    message["Content-Type"] = content_type
    boundary = message.get_param("boundary")
    if message.get_content_maintype() != "multipart" or not isinstance(boundary, str) or not boundary:
        raise UnreadableFile(f"The answer is '{content_type[:100]}', not one of many parts.")
    return boundary.encode("ascii", "replace")


class Parts:
    """A body of many parts, whose parts are written into files one after another.

    Parameters
    ----------
    pieces : iterable of bytes
        The body as it comes.
    boundary : bytes
        What stands between parts.
    """

    def __init__(self, pieces: Iterable[bytes], boundary: bytes) -> None:
        self._pieces = iter(pieces)
        self._mark = b"\r\n--" + boundary
        self._buffer = b"\r\n"  # the first boundary has no line before it
        self._opened = False

    def write_next(self, file: BinaryIO) -> bool:
        """Write the next part's content; return False where there is none.

        Raises
        ------
        UnreadableFile
            If the body ends too early.
        """
        if not self._opened:
            self._until_mark(None)
            self._opened = True
        while len(self._buffer) < 2:
            self._more()
        if self._buffer.startswith(b"--"):
            return False
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if len(self._buffer) > HEADERS:
                raise UnreadableFile("The headers of a part of the answer do not end.")
            self._more()
        self._buffer = self._buffer[end + 4 :]
        self._until_mark(file)
        return True

    def _until_mark(self, file: BinaryIO | None) -> None:
        """Pass over everything up to the next boundary, and over the boundary."""
        while (at := self._buffer.find(self._mark)) < 0:
            kept = len(self._mark) - 1
            if len(self._buffer) > kept:
                if file is not None:
                    file.write(self._buffer[:-kept])
                self._buffer = self._buffer[-kept:]
            self._more()
        if file is not None:
            file.write(self._buffer[:at])
        self._buffer = self._buffer[at + len(self._mark) :]

    def _more(self) -> None:
        piece = next(self._pieces, b"")
        if not piece:
            raise UnreadableFile("The answer ended too early.", "Fetch it again.")
        self._buffer += piece


def written(paths: Sequence[Path], boundary: bytes, content_type: str) -> Iterator[bytes]:
    """Yield the body that holds some files."""
    for path in paths:
        yield b"--" + boundary + b"\r\nContent-Type: " + content_type.encode("ascii") + b"\r\n\r\n"
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                yield piece
        yield b"\r\n"
    yield b"--" + boundary + b"--\r\n"
