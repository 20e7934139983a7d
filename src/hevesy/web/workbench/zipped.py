"""A folder as an archive that is sent while it is made."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

_PIECE = 1 << 20


class _Pipe(io.RawIOBase):
    """What the archive is written to, and read from in turn."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(data)  # type: ignore[call-overload]
        self._held += piece
        return len(piece)

    def take(self) -> bytes:
        taken = bytes(self._held)
        self._held.clear()
        return taken


def zipped(folder: Path) -> Iterator[bytes]:
    """Give an archive of the files of a folder piece by piece; the same files give the same bytes."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.iterdir()):
            entry = zipfile.ZipInfo(path.name)
            entry.external_attr = 0o644 << 16
            with path.open("rb") as file, archive.open(entry, "w", force_zip64=True) as target:
                while piece := file.read(_PIECE):
                    target.write(piece)
                    yield pipe.take()
    yield pipe.take()
