"""A folder as one archive."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from asgiref.sync import sync_to_async

#: bytes that are held at once
_PIECE = 1024**2


def zipped(folder: Path) -> bytes:
    """Return an archive of the files of a folder; the same files give the same bytes."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.iterdir()):
            entry = zipfile.ZipInfo(path.name)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes())
    return held.getvalue()


async def streamed(folder: Path) -> AsyncIterator[bytes]:
    """Yield an archive of a folder and of those in it piece by piece, however large it is."""
    pieces = _pieces(folder)
    # one at a time in another thread: Django would gather a plain iterator before it sends any of it
    following = sync_to_async(lambda: next(pieces, b""), thread_sensitive=False)
    while piece := await following():
        yield piece


def _pieces(folder: Path) -> Iterator[bytes]:
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix())
            entry.external_attr = 0o644 << 16
            with path.open("rb") as file, archive.open(entry, "w", force_zip64=True) as member:
                while content := file.read(_PIECE):
                    member.write(content)
                    yield sink.taken()
    yield sink.taken()


class _Sink(io.RawIOBase):
    """What an archive is written to, which cannot go back, and is emptied as it fills."""

    def __init__(self) -> None:
        self._held: list[bytes] = []

    def writable(self) -> bool:
        """Whether it can be written to: it can."""
        return True

    def write(self, content: bytes) -> int:  # type: ignore[override]
        """Hold what is written."""
        self._held.append(bytes(content))
        return len(content)

    def taken(self) -> bytes:
        """Return what was written since the last time."""
        held, self._held = b"".join(self._held), []
        return held
