"""Tables that a person types, as lines of text."""

from __future__ import annotations

from pathlib import Path

from hevesy.errors import EmptyInput, UnreadableFile


def lines_of(path: Path) -> list[str]:
    """Return the lines of a table that are not empty.

    Raises
    ------
    EmptyInput
        If there is no such file.
    UnreadableFile
        If it is no text.
    """
    if not path.is_file():
        raise EmptyInput(f"There is no file {path}.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise UnreadableFile(f"{path} is no table of text.", "Save it as comma-separated values in UTF-8.") from None
    return [line for line in text.splitlines() if line.strip()]
