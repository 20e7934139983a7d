"""``hevesy audit``: whether the site's record is as it was written, and a copy of it."""

from __future__ import annotations

import argparse
from pathlib import Path

from hevesy.cli.serve import prepare_site
from hevesy.errors import BadConfiguration, OutputFailed, UnreadableFile


def configure(command: argparse.ArgumentParser) -> None:
    """Add the options of ``hevesy audit``."""
    command.add_argument(
        "--verify", action="store_true", help="follow the chain of hashes from the first line to the last"
    )
    command.add_argument(
        "--export", metavar="FILE", type=Path, help="write the record to FILE: .jsonl or .csv; it must not exist"
    )


def run(options: argparse.Namespace) -> None:
    """Verify, or export, or both.

    Raises
    ------
    BadConfiguration
        If neither is asked for, or the file's name ends in neither ``.jsonl`` nor ``.csv``.
    UnreadableFile
        If a line is not as it was written.
    OutputFailed
        If the file cannot be written.
    """
    if not options.verify and options.export is None:
        raise BadConfiguration("Nothing is asked for.", "Give --verify, --export FILE, or both.")
    if options.export is not None and options.export.suffix not in (".jsonl", ".csv"):
        raise BadConfiguration(
            f"'{options.export.name}' ends in neither .jsonl nor .csv.", "Name the form by the ending."
        )
    prepare_site()
    if options.verify:
        _verify()
    if options.export is not None:
        _export(options.export)


def _verify() -> None:
    from hevesy.web.site.audit.models import Event
    from hevesy.web.site.audit.record import verify

    broken = verify()
    if broken is not None:
        raise UnreadableFile(
            f"Line {broken} of the audit record is not as it was written.",
            "Hold the record against an export made earlier, and secure the database.",
        )
    last = Event.objects.order_by("-number").first()
    if last is None:
        print("The record has no line yet.")
    else:
        print(f"{last.number} lines, each as it was written. Hash of the last: {last.hash}")


def _export(path: Path) -> None:
    from hevesy.web.site.audit.export import csv_lines, json_lines
    from hevesy.web.site.audit.models import Event

    lines = (csv_lines if path.suffix == ".csv" else json_lines)(Event.objects.order_by("number").iterator())
    half = path.with_name(f"{path.name}.part")
    try:
        with half.open("x", encoding="utf-8", newline="") as file:
            file.writelines(lines)
        path.hardlink_to(half)  # unlike a renaming, never over a file that is there
        half.unlink()
    except OSError as fault:
        half.unlink(missing_ok=True)
        raise OutputFailed(f"'{path}' cannot be written: {fault.strerror}.", "Nothing was left behind.") from None
    print(f"Wrote {path}")
