"""Where the site keeps its data: one folder, with secrets that are made at the first start."""

from __future__ import annotations

import os
import secrets
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

#: the environment variable that names the folder
VARIABLE = "HEVESY_HOME"


@dataclass(frozen=True, slots=True)
class Home:
    """The folder of one site's data.

    Parameters
    ----------
    folder : Path
        Made with the rights of its owner alone where it does not exist.
    """

    folder: Path

    @classmethod
    def from_environment(cls) -> Home:
        """Return the folder that ``HEVESY_HOME`` names, or ``~/hevesy``."""
        return cls(Path(os.environ.get(VARIABLE) or Path.home() / "hevesy").expanduser().absolute())

    @property
    def database(self) -> Path:
        """The SQLite file that is used where no other database is named."""
        return self.folder / "hevesy.sqlite3"

    @property
    def objects(self) -> Path:
        """Files that came in, each under the SHA-256 of its bytes."""
        return self.folder / "objects"

    @property
    def uploads(self) -> Path:
        """Files that are being sent, a folder for each import; gone once they are in the store."""
        return self.folder / "uploads"

    @property
    def results(self) -> Path:
        """Folders that jobs made, each under the fingerprint of what it was made from."""
        return self.folder / "results"

    @property
    def scratch(self) -> Path:
        """What is half made; nothing in it outlives the process that makes it."""
        return self.folder / "scratch"

    def prepare(self) -> None:
        """Make the folders that are missing."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (self.objects, self.uploads, self.results, self.scratch):
            folder.mkdir(mode=0o700, exist_ok=True)

    def secret_key(self) -> str:
        """Return the key that signs sessions: made once, kept in a file that its owner alone can read."""
        return self._made_once("secret-key")

    def pseudonym_key(self) -> str:
        """Return the key that pseudonyms, shifts of dates and UIDs follow from; made when it is first asked for."""
        return self._made_once("pseudonym-key")

    def _made_once(self, name: str) -> str:
        path = self.folder / name
        if not path.exists():
            descriptor, half = tempfile.mkstemp(dir=self.folder, prefix=f".{name}-")  # for its owner alone
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(secrets.token_urlsafe(48))
                file.flush()
                os.fsync(file.fileno())
            # of processes that start at once, one gives its key the name, and all read that one, whole
            with suppress(FileExistsError):
                path.hardlink_to(half)
            Path(half).unlink()
        return path.read_text(encoding="ascii").strip()
