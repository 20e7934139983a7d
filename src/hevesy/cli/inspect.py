"""List what a folder of images holds and what a dose still needs."""

from __future__ import annotations

import argparse
import json
import textwrap
from pathlib import Path
from typing import Any

from hevesy.core import Grid, Patient
from hevesy.errors import MixedPatients

#: width of the text that notes are wrapped to
WIDTH = 110


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="folder of images, however nested, or one file")
    parser.add_argument("--json", action="store_true", help="write one JSON object instead of text")


def run(options: argparse.Namespace) -> None:
    """Read the folder's headers and list them.

    Raises
    ------
    EmptyInput
        If the folder does not exist or holds no image.
    """
    from hevesy.stages.imaging.folder import read_folder
    from hevesy.stages.imaging.summary import missing_for_dose, summarise
    from hevesy.workflows.ct_agreement import misplaced_in

    folder = read_folder(options.folder, tolerant=True)
    summaries = tuple(summarise(series) for series in folder.series)
    misplaced = misplaced_in(folder)
    missing = missing_for_dose(folder, summaries)
    try:
        patient = folder.patient
    except MixedPatients:
        patient = None
    facts = {
        "folder": str(options.folder),
        "patient": _patient(patient),
        "series": [_facts(s, misplaced.get(s.series.uid)) for s in summaries],
        "passed_over": [str(f.relative_to(folder.path)) if f != folder.path else f.name for f in folder.passed_over],
        "missing_for_dose": list(missing),
    }
    print(json.dumps(facts, indent=2, ensure_ascii=False) if options.json else _text(facts))


def _patient(patient: Patient | None) -> dict[str, Any] | None:
    if patient is None:
        return None
    return {
        "identifier": patient.identifier,
        "sex": patient.sex,
        "mass_kg": patient.mass_kg,
        "height_m": patient.height_m,
    }


def _facts(summary: Any, misplaced: str | None) -> dict[str, Any]:
    series, timing = summary.series, summary.timing
    activity = summary.administered_activity_Bq
    corrected = timing.decay_corrected_to if timing else None
    return {
        "kind": series.kind.value,
        "modality": series.modality,
        "description": series.description,
        "uid": series.uid,
        "files": len(series.files),
        "volumes": summary.volumes,
        "size": _size(summary.grid) or summary.pixels,
        "unit": summary.quantity.unit if summary.quantity else None,
        "start": _iso(timing.start if timing else series.start),
        "duration_s": timing.duration_s if timing else None,
        "decay_corrected_to": _iso(corrected) or ("none" if timing else None),
        "nuclide": summary.nuclide,
        "administered_at": _iso(summary.administered_at),
        "administered_activity_MBq": None if activity is None else activity / 1e6,
        "frame_of_reference": series.frame_of_reference,
        "regions": list(summary.regions),
        "notes": [*summary.notes, *([misplaced] if misplaced else [])],
        "problems": list(summary.problems),
    }


def _size(grid: Grid | None) -> str:
    if grid is None:
        return ""
    spacing = "×".join(f"{s:.4g}" for s in grid.spacing_mm)
    return f"{'×'.join(map(str, grid.shape))} voxels of {spacing} mm"


def _iso(instant: Any) -> str | None:
    return None if instant is None else instant.isoformat(timespec="seconds")


def _text(facts: dict[str, Any]) -> str:
    count = len(facts["series"])
    lines = [f"{facts['folder']}: {count} series", _patient_line(facts["patient"]), ""]
    for number, series in enumerate(facts["series"], 1):
        lines += _series_lines(number, series)
    if facts["passed_over"]:
        lines += [f"Passed over: {', '.join(facts['passed_over'])}", ""]
    lines.append("Missing for a dose:" if facts["missing_for_dose"] else "Nothing is missing for a dose.")
    lines += [line for item in facts["missing_for_dose"] for line in _wrapped("- ", item)]
    return "\n".join(lines)


def _patient_line(patient: dict[str, Any] | None) -> str:
    if patient is None:
        return "Patient: several, or none named"
    known = [patient["sex"], _with_unit(patient["mass_kg"], "kg"), _with_unit(patient["height_m"], "m")]
    facts = ", ".join(fact for fact in known if fact)
    return f"Patient: {patient['identifier']}" + (f" ({facts})" if facts else "")


def _series_lines(number: int, series: dict[str, Any]) -> list[str]:
    files = f"{series['files']} file{'' if series['files'] == 1 else 's'}"
    lines = [f"{number}. {series['kind']}: {series['description']} ({series['modality']}, {files})"]
    several = f"{series['volumes']} volumes, each " if (series["volumes"] or 1) > 1 else ""
    image = [several + series["size"] if series["size"] else "", series["unit"] or ""]
    when = series["start"] or "start not stated"
    if series["duration_s"]:
        when += f", {series['duration_s']:.0f} s"
    corrected = series["decay_corrected_to"]
    if corrected:
        when += ", not decay-corrected" if corrected == "none" else f", decay-corrected to {corrected}"
    given = [
        series["nuclide"] or "",
        _with_unit(series["administered_activity_MBq"], "MBq"),
        f"at {series['administered_at']}" if series["administered_at"] else "",
    ]
    regions = f"regions: {', '.join(series['regions'])}" if series["regions"] else ""
    details = [", ".join(filter(None, image)), when, " ".join(filter(None, given)), regions]
    lines += [line for detail in details if detail for line in _wrapped("   ", detail)]
    lines += [line for note in series["notes"] for line in _wrapped("   note: ", note)]
    lines += [line for problem in series["problems"] for line in _wrapped("   problem: ", problem)]
    return [*lines, ""]


def _with_unit(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:.4g} {unit}"


def _wrapped(lead: str, words: str) -> list[str]:
    return textwrap.wrap(words, WIDTH, initial_indent=lead, subsequent_indent=" " * len(lead), break_long_words=False)
