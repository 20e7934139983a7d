"""What was computed of a case, once its images name nobody: the same numbers, with dates, UIDs and names as theirs are.

Reports are not written: they are drawn from the images, and `hevesy dose` draws them again from the copy's.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hevesy.errors import EmptyInput, MixedPatients, UnreadableFile
from hevesy.stages.imaging import header
from hevesy.stages.imaging.damage import read_whole
from hevesy.stages.imaging.deidentification import deidentified
from hevesy.stages.imaging.derived import save
from hevesy.stages.imaging.nifti_in import Sidecar, read_sidecar, says_what_it_holds, sidecar_path
from hevesy.stages.imaging.plain_values import is_plain
from hevesy.stages.imaging.series import Series
from hevesy.stages.imaging.unmoved import require_unmoved
from hevesy.stages.reporting.results_json import dumps, require_schema
from hevesy.stages.reporting.tables import as_cell, from_cell
from hevesy.stages.reporting.whole_file import write_bytes, write_text
from hevesy.workflows.shared_case import Renaming
from hevesy.workflows.shared_words import Words

RESULTS, TABLE = "results.json", "regions.csv"
#: dose and time-integrated activity, voxel by voxel
MAPS = ("dose.nii.gz", "tia.nii.gz")
OBJECTS = ("rtdose.dcm", "seg.dcm", "rtstruct.dcm", "dose_report.dcm", "rwvm.dcm")
#: texts of the header of NIfTI-1: start and length, bytes; what stands in `descrip` names the quantity
NIFTI_TEXTS = ((4, 10), (14, 18), (228, 24), (328, 16))
NIFTI_HEADER = struct.Struct("<i104xf232x4s")
Change = Callable[[Words, str], str | None]

#: how the path to a text of results.json ends, and what becomes of it; None where it goes
TEXTS: Mapping[tuple[str, ...], Change] = {
    **dict.fromkeys((("schema",), ("nuclide",), ("role",), ("sex",), ("sha256",)), lambda words, text: text),
    **dict.fromkeys((("hevesy",), ("python",), ("numpy",)), Words.version),
    ("patient", "identifier"): lambda words, text: words.case.patient,
    ("patient", "birth_date"): lambda words, text: None,
    ("administered_at",): lambda words, text: words.case.moved(text, "administered_at"),
    ("provenance", "created"): lambda words, text: words.case.moved(text, "created"),
    ("radiopharmaceutical",): lambda words, text: words.label(text) if text else "",
    ("time_points", "label"): Words.label,
    ("time_points", "series_uid"): Words.uid,
    ("inputs", "use"): Words.label,
    ("inputs", "description"): Words.label,
    ("inputs", "uid"): Words.uid,
    ("name",): Words.region,
    ("left_out",): Words.label,
    ("source",): lambda words, text: words.sentence(text) or "",
    ("notes",): Words.sentence,
    ("warnings",): Words.sentence,
    ("limits",): Words.sentence,
    ("method",): lambda words, text: words.sentence(text) or "",
    ("nuclide_data",): lambda words, text: words.sentence(text) or "",
}


def write_results(
    results: Path,
    folder: Path,
    case: Renaming,
    settings: Mapping[str, Any] | None,
    copies: Sequence[tuple[Series, Sequence[Path]]],
) -> tuple[str, ...]:
    """Write the results of a case without names; return what was left out of them, a line each.

    Parameters
    ----------
    results : Path
        The folder that a dose computation left.
    folder : Path
        Made here.
    case : Renaming
        What goes by another name.
    settings : mapping or None
        Those of the case as they are now; None where they were left out.
    copies : sequence of (Series, sequence of Path)
        Each series as it was, and its files as they are now.

    Raises
    ------
    EmptyInput
        If the folder holds no results.json.
    MixedPatients
        If they are not those of the case's patient.
    IdentityRemains
        If a name or an identifier would be left in an object.
    UnreadableFile
        If a file is damaged, or not as it was written.
    """
    record = read_results(results)
    _require_same_patient(record, case)
    words = Words(case, record)
    folder.mkdir(parents=True)
    inputs = words.inputs(record["provenance"]["inputs"], copies)
    chosen = _settings(record, settings)
    made = _renamed({**record, "provenance": {**record["provenance"], "inputs": inputs, "settings": {}}}, (), words)
    made["provenance"]["settings"] = chosen
    require_schema(made)
    write_text(folder / RESULTS, dumps(made))
    if (results / TABLE).is_file():
        write_text(folder / TABLE, _table((results / TABLE).read_text(encoding="utf-8"), words))
    for name in MAPS:
        if (results / name).is_file():
            write_bytes(folder / name, _map((results / name).read_bytes(), name))
        if says_what_it_holds(results / name):
            write_text(sidecar_path(folder / name), dumps(_sidecar(read_sidecar(results / name), words)))
    for name in OBJECTS:
        if (results / name).is_file():
            _write_object(results / name, folder / name, words)
    reports = [name for name in ("report.html", "report.pdf") if (results / name).is_file()]
    drawn = [f"{' and '.join(reports)}: drawn anew by 'hevesy dose'."] if reports else []
    lost = words.left_out
    said = (
        [f"{lost} sentence{'' if lost == 1 else 's'} of results.json that may quote a person's words."] if lost else []
    )
    return (*drawn, *said)


def read_results(folder: Path) -> dict[str, Any]:
    """Return results.json of a folder, as its schema says.

    Raises
    ------
    EmptyInput
        If there is none.
    UnreadableFile
        If it is damaged.
    """
    path = folder / RESULTS
    if not path.is_file():
        raise EmptyInput(f"There are no results in {folder} (results.json).", "Give what 'hevesy dose' wrote.")
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise UnreadableFile("results.json is no JSON.", "Compute the dose again.") from None
    require_schema(record)
    return record


def _require_same_patient(record: Mapping[str, Any], case: Renaming) -> None:
    whose = {
        header.text(head, key) for one in case.series for head in one.headers for key in ("PatientID", "PatientName")
    }
    if record["patient"]["identifier"] not in whose:
        raise MixedPatients(
            "The results are not of the patient of the images.", "Give those that were computed of them."
        )


def _settings(record: Mapping[str, Any], settings: Mapping[str, Any] | None) -> dict[str, Any]:
    before: Mapping[str, Any] = record["provenance"]["settings"]
    assumed = {key: value for key, value in before.get("assumed", {}).items() if isinstance(value, (int, float))}
    return {"given": dict(settings or {}), "assumed": assumed}


def _renamed(value: Any, path: tuple[str, ...], words: Words) -> Any:
    """Return a part of results.json as it is now: numbers stay, and of texts what is known to name nobody."""
    if isinstance(value, Mapping):
        return {
            key if _is_own(path, key) else words.sentence(key) or "another cause": _renamed(each, (*path, key), words)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [one for one in (_renamed(each, path, words) for each in value) if one is not None]
    if not isinstance(value, str):
        return value
    change = next((TEXTS[path[n:]] for n in range(len(path)) if path[n:] in TEXTS), None)
    return change(words, value) if change else words.token(value)


def _is_own(path: tuple[str, ...], key: str) -> bool:
    """Whether the name of a value is the schema's own; those of causes of uncertainty and of parameters are not."""
    return not path or path[-1] not in ("components", "parameters")


def _table(text: str, words: Words) -> str:
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    made = io.StringIO(newline="")
    writer = csv.DictWriter(made, fieldnames=list(rows[0]) if rows else [], lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        numbers = {
            key: cell if is_plain("DS", cell) else words.token(cell) for key, cell in row.items() if key != "name"
        }
        writer.writerow({"name": as_cell(words.region(from_cell(row["name"]))), **numbers})
    return made.getvalue()


def _map(content: bytes, name: str) -> bytes:
    """Return a NIfTI-1 volume without any text but what its numbers are, which the software wrote."""
    try:
        plain = bytearray(gzip.decompress(content))
        size, offset, magic = NIFTI_HEADER.unpack_from(plain)
    except (OSError, EOFError, struct.error) as fault:
        raise UnreadableFile(f"{name} is damaged.", "Compute the dose again.") from fault
    if size != 348 or magic != b"n+1\0" or offset != 352 or any(plain[348:352]):
        raise UnreadableFile(f"{name} is not as 'hevesy dose' writes it.", "Compute the dose again.")
    for start, length in NIFTI_TEXTS:
        plain[start : start + length] = bytes(length)
    return gzip.compress(bytes(plain), compresslevel=1, mtime=0)


def _sidecar(known: Sidecar, words: Words) -> dict[str, str]:
    """Return what a sidecar of `hevesy dose` says, with the UIDs of now; it holds no time."""
    if known.factor != 1.0 or known.timing is not None:
        raise UnreadableFile("A sidecar is not as 'hevesy dose' writes it.", "Compute the dose again.")
    facts = {"quantity": known.quantity.name.lower(), "unit": known.quantity.unit}
    if known.nuclide is not None:
        facts["nuclide"] = words.token(known.nuclide)
    if known.frame_of_reference is not None:
        facts["frame_of_reference"] = words.uid(known.frame_of_reference)
    return facts


def _write_object(source: Path, target: Path, words: Words) -> None:
    original, case = read_whole(source), words.case
    made = deidentified(original, case.pseudonyms, case.identity, case.patient, words.regions)
    require_unmoved([original], [made], source.name)
    save(made, target)


def readme(written: Sequence[str], left_out: Sequence[str], has_settings: bool) -> str:
    """Return what a reader of the copy must know, in a text that names nobody."""
    again = "'hevesy dose case --out again' computes them again, and draws report.html and report.pdf."
    lines = [
        "A patient without a name",
        "",
        "case/    the images, what was drawn on them"
        + (", and the settings of the computation (case.yaml)" if has_settings else ""),
        "result/  what Hevesy computed of them: " + ", ".join(written),
        "",
        "Every date was moved by one and the same number of whole days; times of day are true.",
        "UIDs are new, and refer to each other as they did. Pixels, numbers and what decay correction and SUV rest on",
        "are those of the originals.",
        again if has_settings else "The settings of the computation were left out.",
        "Each DICOM object says in (0012,0064) what was applied (DICOM PS3.15 Annex E).",
        "Nothing was searched for in pixels: a CT of the head shows a face.",
        *(["", "Left out:", *(f"- {why}" for why in left_out)] if left_out else []),
    ]
    return "\n".join(lines) + "\n"
