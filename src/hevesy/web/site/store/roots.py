"""Folders of the server that may be imported from."""

from __future__ import annotations

import os
from pathlib import Path

from hevesy.errors import BadInput

#: the environment variable that names them, joined as in PATH
VARIABLE = "HEVESY_IMPORT_ROOTS"


def import_roots() -> tuple[Path, ...]:
    """Return the folders below which everything may be imported by its path."""
    given = os.environ.get(VARIABLE, "")
    return tuple(Path(root).expanduser().resolve() for root in given.split(os.pathsep) if root.strip())


def require_open(path: str) -> Path:
    """Return a path with all links followed.

    Raises
    ------
    BadInput
        If it lies below none of the folders that are open, or does not exist; which of both is not told.
    """
    try:
        found = Path(path).resolve(strict=True)
    except (OSError, ValueError, RuntimeError):
        found = None
    if found is None or not any(found == root or root in found.parents for root in import_roots()):
        raise BadInput(
            f"'{path[:200]}' is no folder that may be imported from.",
            f"Give one that exists below those that {VARIABLE} names on the server.",
        )
    return found
