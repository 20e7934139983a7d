"""NIfTI with a JSON sidecar to images: RAS becomes LPS at this door, and units become those inside."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from hevesy.core import Grid, Image, Provenance, Quantity, Timing
from hevesy.errors import BadConfiguration, MissingInformation, UnreadableFile, UnsupportedObject

#: the sidecar's keys, and what each holds
KEYS = {
    "quantity": "what the values mean: a name of hevesy.core.Quantity in small letters, such as activity_concentration",
    "unit": "their unit, such as kBq/mL",
    "start": "start of the acquisition, ISO 8601",
    "duration_s": "its length, s",
    "decay_corrected_to": 'the instant to which activity is decay-corrected, ISO 8601, or "none"',
    "nuclide": "such as Lu-177",
    "frame_of_reference": "DICOM frame of reference UID, where the grid shares one with other images",
    "same_as": "Series Instance UID of a DICOM series that holds the same image",
}
ALWAYS = ("quantity", "unit")
FOR_ACTIVITY = ("start", "duration_s", "decay_corrected_to")

#: unit at the door → factor to the unit inside
FACTORS = {
    Quantity.ACTIVITY_CONCENTRATION: {"Bq/mL": 1.0, "kBq/mL": 1e3, "MBq/mL": 1e6},
    Quantity.DENSITY: {"kg/m³": 1.0, "kg/m3": 1.0, "g/cm³": 1e3, "g/cm3": 1e3, "g/mL": 1e3},
    Quantity.ABSORBED_DOSE: {"Gy": 1.0, "mGy": 1e-3, "cGy": 1e-2},
    Quantity.ABSORBED_DOSE_RATE: {"Gy/s": 1.0, "Gy/h": 1 / 3600, "mGy/h": 1e-3 / 3600},
    Quantity.TIME_INTEGRATED_ACTIVITY_CONCENTRATION: {"Bq·s/mL": 1.0, "Bq*s/mL": 1.0, "MBq·h/mL": 3.6e9},
    Quantity.ATTENUATION: {"1/mm": 1.0, "1/cm": 0.1},
}
FROM_RAS = np.diag((-1.0, -1.0, 1.0, 1.0))
TO_MM = {"mm": 1.0, "meter": 1e3, "micron": 1e-3, "unknown": 1.0}


@dataclass(frozen=True, slots=True)
class Sidecar:
    """What the JSON beside a NIfTI file says."""

    quantity: Quantity
    factor: float
    timing: Timing | None = None
    nuclide: str | None = None
    frame_of_reference: str | None = None
    same_as: str | None = None


def sidecar_path(path: Path) -> Path:
    """Return where the sidecar of a NIfTI file must lie: same folder, same name, .json."""
    name = path.name.removesuffix(".gz").removesuffix(".nii")
    return path.with_name(f"{name}.json")


def says_what_it_holds(path: Path) -> bool:
    """Say whether a sidecar that names a quantity lies beside a NIfTI file; other software writes JSON there, too."""
    try:
        facts = json.loads(sidecar_path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(facts, dict) and "quantity" in facts


def read_sidecar(path: Path) -> Sidecar:
    """Read the sidecar of a NIfTI file.

    Raises
    ------
    MissingInformation
        If there is none, or a key that is needed is absent.
    UnreadableFile
        If it is not JSON.
    BadConfiguration
        If a key or a value is wrong.
    """
    beside = sidecar_path(path)
    if not beside.is_file():
        raise MissingInformation(
            f"{path.name} has no sidecar {beside.name}, so that its values have no meaning.",
            f"Write one with the keys {', '.join(ALWAYS)}; for activity also {', '.join(FOR_ACTIVITY)}.",
        )
    try:
        facts = json.loads(beside.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnreadableFile(f"{beside.name} is not JSON ({error}).") from error
    if not isinstance(facts, dict):
        raise BadConfiguration(f"{beside.name} must hold keys and values.")
    _check_keys(facts, beside.name)
    quantity, factor = _quantity(facts, beside.name)
    needed = FOR_ACTIVITY if quantity is Quantity.ACTIVITY_CONCENTRATION else ()
    for key in needed:
        if key not in facts:
            raise MissingInformation(f"{beside.name} lacks '{key}', which an activity needs: {KEYS[key]}.")
    timing = _timing(facts, beside.name) if "start" in facts else None
    return Sidecar(
        quantity, factor, timing, facts.get("nuclide"), facts.get("frame_of_reference"), facts.get("same_as")
    )


def read_nifti(path: Path) -> Image:
    """Read a NIfTI volume and its sidecar.

    Raises
    ------
    MissingInformation, BadConfiguration
        If the sidecar is absent, incomplete or wrong, or the file has no orientation.
    UnsupportedObject
        If it does not hold one volume.
    UnreadableFile
        If it is damaged.
    """
    sidecar = read_sidecar(path)
    image = read_plain(path, sidecar.quantity, sidecar.factor)
    grid = Grid(image.grid.shape, image.grid.affine, sidecar.frame_of_reference)
    return Image(image.values, grid, image.quantity, sidecar.timing, image.provenance)


def read_plain(path: Path, quantity: Quantity, factor: float = 1.0) -> Image:
    """Read a NIfTI volume whose meaning the caller knows; values times `factor` are in the unit of `quantity`.

    Raises
    ------
    MissingInformation
        If the file has no orientation.
    UnsupportedObject
        If it does not hold one volume.
    UnreadableFile
        If it is damaged.
    """
    import nibabel

    try:
        file = nibabel.load(path)
        values = np.asarray(file.dataobj, dtype=np.float64)
        head = file.header
        coded = int(head["sform_code"]) > 0 or int(head["qform_code"]) > 0
        units = head.get_xyzt_units()[0]
    except Exception as error:  # nibabel and gzip raise many kinds
        raise UnreadableFile(f"{path.name} cannot be read as NIfTI ({error}).") from error
    values = values[..., 0] if values.ndim == 4 and values.shape[3] == 1 else values
    if values.ndim != 3:
        raise UnsupportedObject(f"{path.name} has {values.ndim} dimensions; one volume was expected.", "Split it.")
    if not coded:
        raise MissingInformation(f"{path.name} has neither sform nor qform, so that its orientation is unknown.")
    scale = np.diag((*[TO_MM.get(units, 1.0)] * 3, 1.0))
    affine = FROM_RAS @ scale @ np.asarray(file.affine, dtype=np.float64)
    shape = (values.shape[0], values.shape[1], values.shape[2])
    return Image(
        np.ascontiguousarray((values * factor).astype(np.float32)),
        Grid(shape, affine),
        quantity,
        provenance=Provenance(path.name),
    )


def _check_keys(facts: dict[str, Any], where: str) -> None:
    for key in facts:
        if key not in KEYS:
            near = difflib.get_close_matches(key, KEYS, 1)
            remedy = f"Did you mean '{near[0]}'?" if near else f"Known keys: {', '.join(KEYS)}."
            raise BadConfiguration(f"{where} has an unknown key '{key}'.", remedy)
    for key in ALWAYS:
        if key not in facts:
            raise MissingInformation(f"{where} lacks '{key}': {KEYS[key]}.")


def _quantity(facts: dict[str, Any], where: str) -> tuple[Quantity, float]:
    names = {q.name.lower(): q for q in Quantity}
    name = str(facts["quantity"]).strip().lower().replace(" ", "_")
    if name not in names:
        near = difflib.get_close_matches(name, names, 1)
        remedy = f"Did you mean '{near[0]}'?" if near else f"Known: {', '.join(names)}."
        raise BadConfiguration(f"{where} has an unknown quantity '{facts['quantity']}'.", remedy)
    quantity = names[name]
    factors = FACTORS.get(quantity, {quantity.unit: 1.0})
    unit = str(facts["unit"]).strip().replace("/ml", "/mL")
    if unit not in factors:
        raise BadConfiguration(f"{where} gives {name} in '{facts['unit']}'; known are {', '.join(factors)}.")
    return quantity, factors[unit]


def _timing(facts: dict[str, Any], where: str) -> Timing:
    start = _instant(facts["start"], "start", where)
    given = facts.get("decay_corrected_to", "none")
    to = None if str(given).lower() == "none" else _instant(given, "decay_corrected_to", where)
    duration = facts.get("duration_s", 0.0)
    if isinstance(duration, bool) or not isinstance(duration, int | float):
        raise BadConfiguration(f"{where} has a duration_s of '{duration}'; a number of seconds was expected.")
    return Timing(start, float(duration), to)


def _instant(value: Any, key: str, where: str) -> datetime:
    try:
        return datetime.fromisoformat(str(value))
    except ValueError as error:
        raise BadConfiguration(
            f"{where} has {key} '{value}'; an instant such as 2024-03-05T10:00:00 was expected."
        ) from error
