"""The files inside a zip archive, one at a time and never further than the limits."""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from hevesy.errors import BadInput, UnreadableFile, UnsupportedObject
from hevesy.web.site.store.limits import Limits

MAGIC = b"PK\x03\x04"
EMPTY = b"PK\x05\x06"
#: the end record and the longest comment that may follow it, bytes
END_RECORD = 22
COMMENT = 65535
#: room in the directory for one file: its record, name and extra fields, bytes
DIRECTORY_ENTRY = 256


def is_zip(path: Path) -> bool:
    """Return whether a file starts as a zip archive does, and is not DICOM behind a preamble that does."""
    with path.open("rb") as file:
        start = file.read(132)
    return start[:4] in (MAGIC, EMPTY) and start[128:] != b"DICM"


@dataclass(frozen=True, slots=True)
class Archive:
    """A zip archive that keeps to the limits.

    Parameters
    ----------
    file : zipfile.ZipFile
        The archive.
    members : tuple of zipfile.ZipInfo
        Its files; folders and hidden files are left out.
    """

    file: zipfile.ZipFile
    members: tuple[zipfile.ZipInfo, ...]

    @property
    def unpacked(self) -> int:
        """Size of all its files, unpacked; none can be read beyond the size that it declares."""
        return sum(member.file_size for member in self.members)

    @contextmanager
    def open(self, member: zipfile.ZipInfo) -> Iterator[BinaryIO]:
        """Open one file for reading.

        Raises
        ------
        UnreadableFile
            If it is damaged or encrypted.
        UnsupportedObject
            If it is a link, or its name leads out of the archive.
        """
        if ".." in _parts(member.filename) or member.filename.startswith(("/", "\\")):
            raise UnsupportedObject("Its name leads out of the archive.")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise UnsupportedObject("It is a link, not a file.")
        if member.flag_bits & 1:
            raise UnreadableFile("It is encrypted.", "Unpack it first.")
        try:
            with self.file.open(member) as content:
                yield content  # type: ignore[misc]
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
            raise UnreadableFile(f"It cannot be unpacked ({error}).", "Pack it again.") from error


@contextmanager
def open_archive(path: Path, limits: Limits) -> Iterator[Archive]:
    """Open an archive after its directory was judged.

    Raises
    ------
    UnreadableFile
        If it is damaged.
    BadInput
        If it holds more files or more bytes than are allowed, or grows as a bomb does.
    """
    _judge_directory(path, limits)
    try:
        file = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise UnreadableFile(f"The archive is damaged ({error}).", "Pack it again.") from error
    with file:
        members = tuple(m for m in file.infolist() if not m.is_dir() and not _hidden(m.filename))
        archive = Archive(file, members)
        _judge(archive, path.stat().st_size, limits)
        yield archive


def _parts(name: str) -> tuple[str, ...]:
    return PurePosixPath(name.replace("\\", "/")).parts


def _hidden(name: str) -> bool:
    """Return whether a file is one that systems add of themselves."""
    parts = _parts(name)
    return "__MACOSX" in parts or (parts[-1:] != () and parts[-1].startswith(".") and parts[-1] != "..")


def _judge(archive: Archive, packed: int, limits: Limits) -> None:
    if len(archive.members) > limits.files:
        raise BadInput(
            f"The archive holds {len(archive.members)} files, more than {limits.files}.", "Send it in parts."
        )
    unpacked = archive.unpacked
    largest = max((member.file_size for member in archive.members), default=0)
    if unpacked > limits.total or largest > limits.file:
        raise BadInput(f"The archive unpacks to {unpacked} bytes, more than is allowed.", "Send it in parts.")
    if unpacked > limits.harmless and unpacked > limits.ratio * packed:
        raise BadInput(f"The archive grows {unpacked // packed}-fold, as no images do.", "Send the files themselves.")


def _judge_directory(path: Path, limits: Limits) -> None:
    """Refuse a directory that would not fit into memory before it is read."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - END_RECORD - COMMENT))
        tail = file.read()
        at = tail.rfind(b"PK\x05\x06")
        if at < 0 or len(tail) - at < END_RECORD:
            raise UnreadableFile("The archive is truncated: its directory is missing.", "Copy it again.")
        directory = int.from_bytes(tail[at + 12 : at + 16], "little")
        if directory == 0xFFFFFFFF:  # zip64: its own end record stands before the locator, 20 bytes
            before = tail[max(0, at - 20) : at]
            file.seek(int.from_bytes(before[8:16], "little"))
            directory = int.from_bytes(file.read(56)[40:48], "little")
    if directory > limits.files * DIRECTORY_ENTRY:
        raise BadInput(f"The archive's directory is {directory} bytes long.", "Send it in parts.")
