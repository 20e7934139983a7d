"""What an import is made of: the files of a folder, of archives in it, and of archives in those."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from zipfile import ZipInfo

from hevesy.errors import BadInput, EmptyInput, HevesyError, UnreadableFile, UnsupportedObject
from hevesy.web.site.store.files import FileStore, Held
from hevesy.web.site.store.limits import Limits
from hevesy.web.site.store.zips import Archive, is_zip, open_archive

#: an archive may lie in an archive, and no deeper
DEPTH = 2


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that may enter the store.

    Parameters
    ----------
    name : str
        Its path below what was given; anything may stand in it.
    content : Held or HevesyError
        The file, held for as long as the candidate is looked at, or why it is refused unread.
    """

    name: str
    content: Held | HevesyError


@dataclass(slots=True)
class Source:
    """A folder or a file, walked once.

    Parameters
    ----------
    root : Path
        The folder or file.
    store : FileStore
        Whose scratch folder holds each file while it is looked at.
    limits : Limits
        What it may bring.
    own : bool
        The files are the site's own and are not written again, so that they need not be copied.
    """

    root: Path
    store: FileStore
    limits: Limits
    own: bool = False
    expected: int = 0
    files: int = 0
    total: int = 0

    def count(self) -> None:
        """Count the files that lie there; those inside archives are added as archives are opened.

        Raises
        ------
        EmptyInput
            If there is none.
        BadInput
            If they are more than are allowed, in number or size.
        """
        files = size = 0
        for path in walk(self.root):
            files += 1
            size += 0 if path.is_symlink() else path.stat().st_size
            if files > self.limits.files or size > self.limits.total:
                raise BadInput(
                    f"{self.root.name} holds more than {self.limits.files} files or {self.limits.total} bytes.",
                    "Import it in parts.",
                )
        if not files:
            raise EmptyInput("There is no file to import.")
        self.expected = files

    def candidates(self) -> Iterator[Candidate]:
        """Yield every file, one at a time.

        Raises
        ------
        BadInput
            If archives bring more than is allowed.
        """
        for path in walk(self.root):
            name = path.name if path == self.root else path.relative_to(self.root).as_posix()
            name = name.encode(errors="surrogateescape").decode(errors="replace")
            if path.is_symlink():
                yield Candidate(name, UnsupportedObject("It is a link, not a file."))
            else:
                yield from self._held(name, partial(self.store.hold, path, linked=self.own), 0)

    def _held(self, name: str, hold: Callable[[], AbstractContextManager[Held]], depth: int) -> Iterator[Candidate]:
        """Hold one file and yield it, or what it holds where it is an archive."""
        try:
            with hold() as held:
                self._add(held)
                if not is_zip(held.path):
                    yield Candidate(name, held)
                elif depth == DEPTH:
                    yield Candidate(name, UnsupportedObject("It is an archive in an archive in an archive."))
                else:
                    yield from self._unpacked(name, held, depth)
        except (UnreadableFile, UnsupportedObject) as refusal:
            yield Candidate(name, refusal)

    def _unpacked(self, name: str, held: Held, depth: int) -> Iterator[Candidate]:
        with ExitStack() as stack:
            try:
                archive = stack.enter_context(open_archive(held.path, self.limits))
            except BadInput as refusal:
                yield Candidate(name, refusal)
                return
            self.expected += len(archive.members)
            for member in archive.members:
                yield from self._held(
                    f"{name}/{member.filename}", partial(_hold_member, self.store, archive, member), depth + 1
                )

    def _add(self, held: Held) -> None:
        self.files += 1
        self.total += held.size
        if self.files > self.limits.files or self.total > self.limits.total:
            raise BadInput(
                f"It holds more than {self.limits.files} files or {self.limits.total} bytes.", "Import it in parts."
            )


def walk(root: Path) -> Iterator[Path]:
    """Yield the files and links below a folder in order of name, or the file itself; hidden ones are passed over.

    Raises
    ------
    UnreadableFile
        If a folder cannot be opened.
    """
    if not root.is_dir():
        if root.is_file():
            yield root
        return
    for folder, folders, files in os.walk(root, onerror=_refuse_folder):
        links = [f for f in folders if (Path(folder) / f).is_symlink()]
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for path in (Path(folder) / f for f in sorted([*files, *links]) if not f.startswith(".")):
            if path.is_symlink() or path.is_file():  # a pipe or a device would be waited for
                yield path


@contextmanager
def _hold_member(store: FileStore, archive: Archive, member: ZipInfo) -> Iterator[Held]:
    with ExitStack() as stack:
        with archive.open(member) as content:
            held = stack.enter_context(store.hold(content))
        yield held


def _refuse_folder(fault: OSError) -> None:
    raise UnreadableFile(f"{fault.filename} cannot be opened ({fault.strerror}).") from fault
