"""Files on their way from a browser: pieces written where they belong, again if need be, under names made safe."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from django.conf import settings

from hevesy.errors import BadInput, ContradictoryInformation
from hevesy.web.site.jobs.disk import require_room
from hevesy.web.site.store.limits import Limits
from hevesy.web.site.store.models import Import

#: what file systems take, bytes; and how deep folders are nested where people make them
NAME, PATH, NESTED = 255, 2000, 32


class Readable(Protocol):
    """What is read to its end."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes; none at the end."""


@dataclass(frozen=True, slots=True)
class Upload:
    """The folder of one import's files that are being sent.

    Parameters
    ----------
    folder : Path
        Below the site's folder of uploads.
    limits : Limits
        What it may bring.
    """

    folder: Path
    limits: Limits

    @classmethod
    def of(cls, arrival: Import) -> Upload:
        """Return the folder of an import."""
        return cls(settings.HOME.uploads / str(arrival.pk), Limits())

    def write(self, name: str, offset: int, content: Readable) -> int:
        """Write a piece of a file, and return the length that the file has now.

        Parameters
        ----------
        name : str
            Path of the file as its sender knows it, parts joined by slashes.
        offset : int
            Where the piece begins; what is sent again takes the place of what was there.
        content : binary file
            The piece, read to its end.

        Raises
        ------
        BadInput
            If the name is none, or the file grows beyond the limits.
        ContradictoryInformation
            If what comes before the piece has not arrived.
        NoRoom
            If the disk is nearly full.
        """
        path = self.folder.joinpath(*safe_parts(name))
        length = self.length(name) or 0
        if not 0 <= offset <= length:
            raise ContradictoryInformation(f"{length} bytes of {name} are here, not {offset}.", "Go on from there.")
        self._make_folder(path, name)
        require_room()
        path.touch(mode=0o600)
        with path.open("r+b") as file:
            file.seek(offset)
            while piece := content.read(1024**2):
                if file.tell() + len(piece) > self.limits.file:
                    raise BadInput(f"{name} is larger than {self.limits.file} bytes.", "Send it in parts.")
                file.write(piece)
            return max(length, file.tell())

    def length(self, name: str) -> int | None:
        """Return how much of a file is here; None where it has not begun.

        Raises
        ------
        BadInput
            If the name is none.
        """
        path = self.folder.joinpath(*safe_parts(name))
        try:
            return path.stat().st_size if path.is_file() else None
        except OSError:
            return None

    def received(self) -> Iterator[tuple[str, int]]:
        """Yield the name and length of each file that is here, whole or not."""
        for folder, _, files in os.walk(self.folder):
            for file in sorted(files):
                path = Path(folder) / file
                yield path.relative_to(self.folder).as_posix(), path.stat().st_size

    def discard(self) -> None:
        """Remove the folder: first its name, then its files, so that no part of it is taken for the whole."""
        gone = self.folder.with_suffix(".gone")
        if self.folder.is_dir():
            self.folder.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)

    def _make_folder(self, path: Path, name: str) -> None:
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(f"{name} lies in a folder that is a file.", "Rename one of them.") from error
        if path.is_dir():
            raise BadInput(f"{name} is a folder already.", "Rename one of them.")


def safe_parts(name: str) -> tuple[str, ...]:
    """Return the folders and the name of a file as it is kept below an upload's folder.

    Raises
    ------
    BadInput
        If it leads elsewhere, or no file system takes it.
    """
    parts = tuple(part for part in name.replace("\\", "/").split("/") if part not in ("", "."))
    try:
        encoded = [part.encode() for part in parts]
    except UnicodeEncodeError:
        encoded = []
    shown = name[:80]
    if not encoded or len(parts) > NESTED or len(name.encode(errors="replace")) > PATH:
        raise BadInput(f"'{shown}' is no name of a file.", "Rename it.")
    if ".." in parts or any(len(part) > NAME or min(part) < 32 for part in encoded):
        raise BadInput(f"'{shown}' is no name that a file may be sent under.", "Rename it.")
    return parts
