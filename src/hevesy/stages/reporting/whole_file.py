"""Writing a file whole or not at all."""

from __future__ import annotations

from pathlib import Path

from hevesy.errors import OutputFailed


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text with the line ends that it has; as `write_bytes`."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file beside the target first, then rename it.

    Raises
    ------
    OutputFailed
        If the file cannot be written; nothing is left behind.
    """
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    except OSError as fault:
        if path.parent.is_dir():
            beside.unlink(missing_ok=True)
        reason = fault.strerror or str(fault)
        raise OutputFailed(f"{path.name} could not be written: {reason}.", "Nothing was left behind.") from fault
