"""A course of treatment: what its cycles add up to, and how that stands to limits that are in use."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hevesy.errors import EmptyInput, UnreadableFile
from hevesy.stages.radiobiology.effective_dose import effective_dose_Gy, protraction_factor

#: causes of uncertainty that every cycle of one patient has in common: they add up, others add in quadrature
SHARED = ("calibration", "recovery", "volume", "density", "engine", "photons left out", "half-life")


@dataclass(frozen=True, slots=True)
class Tissue:
    """What the linear-quadratic model needs of a tissue: α/β (Gy), half-time of repair (h), and who says so."""

    words: tuple[str, ...]
    alpha_beta_Gy: float
    repair_h: float
    source: str


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit in use: for which tissue and quantity, where it applies, who says so, and whether that was read there."""

    words: tuple[str, ...]
    quantity: str
    limit_Gy: float
    applies: str
    source: str
    verified: bool


_KIDNEY = ("kidney", "renal")
_BODEI = "Bodei et al. 2008, doi:10.1007/s00259-008-0778-1 (abstract)"
TISSUES = (
    Tissue(_KIDNEY, 2.6, 2.8, "α/β 2.6 Gy, repair 2.8 h, as PyTheranostics tabulates; α/β 1.5–3 Gy in PubMed 15285886"),
)
LIMITS = (
    Limit(_KIDNEY, "BED", 28.0, "with risk factors such as hypertension or diabetes", _BODEI, True),
    Limit(_KIDNEY, "BED", 40.0, "without risk factors", _BODEI, True),
    Limit(_KIDNEY, "absorbed dose", 23.0, "in general use", "taken over from external-beam radiotherapy", False),
    Limit(("marrow",), "absorbed dose", 2.0, "in general use", "in general use", False),
)


def read_record(folder: Path) -> dict[str, Any]:
    """Return the results.json of a folder that `hevesy dose` wrote.

    Raises
    ------
    UnreadableFile
        If there is none.
    """
    path = folder / "results.json" if folder.is_dir() else folder
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UnreadableFile(f"{path} is no result of hevesy dose.", "Give the folder of its --out.") from None
    if not isinstance(found, dict) or "regions" not in found:
        raise UnreadableFile(f"{path} is no result of hevesy dose.", "Give the folder of its --out.")
    return found


def add_up(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Add up the cycles of a course, region by region.

    The biologically effective dose (BED) is that of each cycle, summed; it is not that of the summed dose, which would
    take no account of the time between cycles.

    Parameters
    ----------
    records : sequence of mapping
        The results.json of each cycle, in their order. A region is known by its name.

    Returns
    -------
    dict
        Plain JSON types: for each region its cycles, the cumulative absorbed dose with its standard uncertainty, the
        BED where its tissue is known, and the limits that there are; notes.

    Raises
    ------
    EmptyInput
        If there is no cycle.
    """
    if not records:
        raise EmptyInput("There is no cycle to add up.", "Compute the dose of one.")
    names = list(dict.fromkeys(one["name"] for record in records for one in record["regions"]))
    return {"cycles": len(records), "regions": [_region(name, records) for name in names]}


def _region(name: str, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    tissue = next((one for one in TISSUES if any(word in name.lower() for word in one.words)), None)
    cycles, notes = [], []
    for number, record in enumerate(records, start=1):
        found = next((one for one in record["regions"] if one["name"] == name), None)
        if found is None or found["absorbed_dose_Gy"] is None:
            notes.append(f"Cycle {number} has no dose to this region: the sum is that of the others.")
            continue
        cycles.append({"cycle": number, **_cycle(found, tissue)})
    known = [one["bed_Gy"] for one in cycles]
    bed = math.fsum(known) if known and all(one is not None for one in known) else None
    if tissue is not None and bed is None:
        notes.append("No BED: the curve of a cycle was not fitted by exponentials, so its dose rate is not known.")
    summed = {"value": math.fsum(one["dose_Gy"] for one in cycles), "u": _u(cycles)}
    return {
        "name": name,
        "cycles": [{key: value for key, value in one.items() if key != "components"} for one in cycles],
        "absorbed_dose_Gy": summed,
        "bed_Gy": bed,
        "tissue": asdict(tissue) if tissue else None,
        "limits": _limits(name, summed["value"], bed),
        "notes": notes,
    }


def _cycle(found: Mapping[str, Any], tissue: Tissue | None) -> dict[str, Any]:
    dose = found["absorbed_dose_Gy"]
    bed = None
    if tissue is not None:
        bed = _bed(found, tissue)
    return {"dose_Gy": dose["value"], "u_Gy": dose["u"], "bed_Gy": bed, "components": dose["components"]}


def _bed(found: Mapping[str, Any], tissue: Tissue) -> float | None:
    """Return a cycle's BED (Gy), the dose rate following the activity in the region; None without exponentials."""
    parameters = found["fit"]["parameters"]
    count = sum(name.startswith("rate_") for name in parameters)
    if not count:
        return None
    amplitudes = [parameters[f"amplitude_{n + 1}"]["value"] for n in range(count)]
    rates = [parameters[f"rate_{n + 1}"]["value"] for n in range(count)]
    factor = protraction_factor(amplitudes, rates, math.log(2) / (tissue.repair_h * 3600.0))
    return effective_dose_Gy(found["absorbed_dose_Gy"]["value"], tissue.alpha_beta_Gy, factor)


def _u(cycles: Sequence[Mapping[str, Any]]) -> float:
    """Return the standard uncertainty of the sum, Gy."""
    labels = {label for one in cycles for label in one["components"]}
    total = 0.0
    for label in labels:
        each = [one["dose_Gy"] * one["components"].get(label, 0.0) / 100 for one in cycles]
        total += math.fsum(each) ** 2 if label in SHARED else math.fsum(u**2 for u in each)
    return math.sqrt(total)


def _limits(name: str, dose_Gy: float, bed_Gy: float | None) -> list[dict[str, Any]]:
    found = []
    for one in LIMITS:
        reached = dose_Gy if one.quantity == "absorbed dose" else bed_Gy
        if reached is None or not any(word in name.lower() for word in one.words):
            continue
        facts = {key: value for key, value in asdict(one).items() if key != "words"}
        found.append({**facts, "percent": 100 * reached / one.limit_Gy})
    return found
