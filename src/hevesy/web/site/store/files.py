"""Files under the SHA-256 of their bytes: whole or absent, never changed."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

from hevesy.errors import OutputFailed, UnknownName, UnreadableFile

PIECE = 1024**2
SHA256 = re.compile(r"[0-9a-f]{64}")
#: what no row names may belong to an import that has not come to its rows yet; after a day it does not
OLD_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Held:
    """A file in the scratch folder that is not in the store yet.

    Parameters
    ----------
    path : Path
        Where it lies until it is kept or dropped.
    sha256 : str
        Of its bytes, in hexadecimal.
    size : int
        Its length, bytes.
    """

    path: Path
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Damage:
    """What `FileStore.verify` found: names that are missing, and files whose bytes are not those of their name."""

    missing: tuple[str, ...]
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FileStore:
    """A folder of files that are named by their content.

    Parameters
    ----------
    folder : Path
        ``ab/abcdef…`` for each file.
    scratch : Path
        On the same file system, so that a file enters the folder by one rename.
    """

    folder: Path
    scratch: Path

    @classmethod
    def of_site(cls) -> Self:
        """Return the store of this site."""
        from django.conf import settings

        return cls(settings.HOME.objects, settings.HOME.scratch)

    def path_of(self, sha256: str) -> Path:
        """Return where a file lies.

        Raises
        ------
        UnknownName
            If the name is no SHA-256 or the file is not there.
        """
        if not SHA256.fullmatch(sha256):
            raise UnknownName(f"'{sha256[:80]}' is no SHA-256.")
        path = self._path(sha256)
        if not path.is_file():
            raise UnknownName(f"The store holds no file {sha256}.", "Import it again.")
        return path

    def put(self, path: Path) -> str:
        """Copy a file into the store and return its SHA-256; it is on the disk when this returns.

        Raises
        ------
        UnreadableFile
            If it cannot be read.
        OutputFailed
            If the store cannot be written.
        """
        with self.hold(path) as held:
            self.keep(held)
        return held.sha256

    @contextmanager
    def hold(self, source: Path | BinaryIO, *, linked: bool = False) -> Iterator[Held]:
        """Take a copy into the scratch folder; it is dropped at the end unless it was kept.

        Parameters
        ----------
        source : Path or binary file
            What to copy.
        linked : bool
            The source is the site's own and will not be written again: link it in place of a copy.

        Raises
        ------
        UnreadableFile
            If it cannot be read.
        OutputFailed
            If the scratch folder cannot be written.
        """
        path = self.scratch / f"held-{os.getpid()}-{os.urandom(8).hex()}"
        try:
            if isinstance(source, Path):
                yield _held_file(source, path, linked=linked)
            else:
                yield _copy(source, path)
        finally:
            path.unlink(missing_ok=True)

    def keep(self, held: Held) -> None:
        """Move what is held into the store; it is on the disk when this returns.

        Raises
        ------
        OutputFailed
            If the store cannot be written.
        """
        target = self._path(held.sha256)
        try:
            with self._lock(fcntl.LOCK_SH):
                if target.is_file():
                    os.utime(target)  # young again: it is about to be named
                    _sync(target.parent)
                    return
                new_folder = not target.parent.is_dir()
                target.parent.mkdir(mode=0o700, exist_ok=True)
                held.path.chmod(0o400)
                os.utime(held.path)  # what was uploaded long ago and linked is young: it is about to be named
                _sync(held.path)
                held.path.rename(target)
                _sync(target.parent)
                if new_folder:
                    _sync(self.folder)
        except OSError as error:
            raise OutputFailed(f"The store cannot be written ({error.strerror}).", "Make room on its disk.") from error

    def verify(self, names: Collection[str]) -> Damage:
        """Read every named file and return those that are missing or changed.

        Parameters
        ----------
        names : collection of str
            SHA-256 of each.
        """
        missing = tuple(name for name in names if not self._path(name).is_file())
        changed = tuple(name for name in sorted(set(names) - set(missing)) if _digest(self._path(name)) != name)
        return Damage(missing, changed)

    def remove_unnamed(self, named: Collection[str], older_than_s: float = OLD_S, start: str = "") -> int:
        """Remove files that no row names, once they are old, and return how many.

        Parameters
        ----------
        named : collection of str
            SHA-256 of every file that must stay.
        older_than_s : float
            Age from which a file that nothing names is given up, s.
        start : str
            First digit of the names to look at; all where it is empty.
        """
        removed = 0
        before = time.time() - older_than_s
        for path in self.folder.glob(f"{start or '?'}?/*"):
            if path.name in named or _written(path) > before:
                continue
            with self._lock(fcntl.LOCK_EX):
                if _written(path) <= before:  # none has asked for it since
                    path.unlink()
                    removed += 1
        return removed

    def _path(self, sha256: str) -> Path:
        return self.folder / sha256[:2] / sha256

    @contextmanager
    def _lock(self, kind: int) -> Iterator[None]:
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, kind)
            yield
        finally:
            os.close(descriptor)


def _held_file(source: Path, path: Path, *, linked: bool) -> Held:
    try:
        if linked:
            os.link(source, path)
            return Held(path, _digest(path), path.stat().st_size)
        with source.open("rb") as file:
            return _copy(file, path)
    except OSError as error:
        raise UnreadableFile(f"{source.name} cannot be read ({error.strerror}).") from error


def _copy(source: BinaryIO, path: Path) -> Held:
    digest = hashlib.sha256()
    size = 0
    with path.open("xb") as copy:
        while piece := source.read(PIECE):
            digest.update(piece)
            size += len(piece)
            _write(copy, piece)
    return Held(path, digest.hexdigest(), size)


def _write(file: BinaryIO, piece: bytes) -> None:
    try:
        file.write(piece)
    except OSError as error:
        raise OutputFailed(f"The disk takes no more ({error.strerror}).", "Make room on it.") from error


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _written(path: Path) -> float:
    """Return when a file was last written; never, as it were, where another worker has just removed it."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
