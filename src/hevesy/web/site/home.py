"""Where the site keeps its data: one folder, with secrets that are made at the first start."""

from __future__ import annotations

import os
import secrets
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
        path = self.folder / "secret-key"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_text(encoding="ascii").strip()
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        return path.read_text(encoding="ascii").strip()
