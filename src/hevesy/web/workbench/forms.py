"""Forms made from the schema of case.yaml: the key, what it says of it, its unit, and the value as it was typed."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hevesy.errors import BadConfiguration, UnknownName
from hevesy.workflows.case import parse_instant, schema

#: what a key's last part says of its unit → as it is written
UNITS = {
    "MBq": "MBq",
    "kg": "kg",
    "m": "m",
    "mm": "mm",
    "s": "s",
    "h": "h",
    "percent": "%",
}
#: keys that may be asked of the whole case, in groups
GROUPS: dict[str, tuple[str, ...]] = {
    "administration": (
        "nuclide",
        "administration.radiopharmaceutical",
        "administration.time",
        "administration.activity_MBq",
        "administration.u_percent",
    ),
    "patient": ("patient.mass_kg", "patient.height_m"),
    "images": (
        "calibration.counts_per_s_per_MBq",
        "calibration.Bq_mL_per_unit",
        "calibration.u_percent",
        "registration",
        "reference",
        "body_in_view",
    ),
    "uncertainty": (
        "uncertainty.counts_percent",
        "uncertainty.density_percent",
        "uncertainty.resolution_mm",
        "uncertainty.delineation_mm",
    ),
}
#: keys whose words say too little, or are none → label and unit
_LABELS = {
    "counts_per_s_per_MBq": ("Calibration factor", "counts/s/MBq"),
    "Bq_mL_per_unit": ("Concentration of one unit", "Bq/mL"),
    "recovery_u_percent": ("Uncertainty of the recovery", "%"),
    "density_g_mL": ("Density", "g/mL"),
    "population_effective_half_life_h": ("Effective half-life in a population", "h"),
}
_INSTANTS = ("administration.time", "scans[].start", "created")


@dataclass(frozen=True, slots=True)
class Field:
    """One key of case.yaml as it is asked for.

    Parameters
    ----------
    path : str
        Dotted path in the schema; ``scans[].`` begins what is said of one scan.
    label, unit, help : str
        What a person reads.
    kind : str
        ``number``, ``whole``, ``numbers`` (one, or several by spaces), ``choice``, ``yes``, ``instant``, ``text``.
    choices : tuple of str
        Of a choice.
    value : object
        What case.yaml says now; None where it says nothing.
    series : str
        The series that it is said of, where the path begins with ``scans[].``.
    """

    path: str
    label: str
    unit: str
    help: str
    kind: str
    choices: tuple[str, ...] = ()
    value: Any = None
    series: str = ""

    @property
    def shown(self) -> Any:
        """The value as it stands in the input."""
        return " ".join(map(str, self.value)) if isinstance(self.value, list) else self.value

    @property
    def name(self) -> str:
        """The name of the input."""
        return f"{self.path}@{self.series}" if self.series else self.path

    def read(self, text: str) -> Any:
        """Return what was typed as the schema wants it; None where nothing was.

        Raises
        ------
        BadConfiguration
            If it is no number, or no date and time.
        """
        text = text.strip()
        if not text:
            return None
        if self.kind in ("number", "whole"):
            return _number(text, self)
        if self.kind == "numbers":
            found = [_number(part, self) for part in text.replace(";", " ").split()]
            return found[0] if len(found) == 1 else found
        if self.kind == "yes":
            return True
        if self.kind == "instant":
            parse_instant(text, self.label)
        return text


def _number(text: str, field: Field) -> float | int:
    try:
        value = float(text.replace(",", "."))
        if not math.isfinite(value):
            raise ValueError
    except ValueError:
        raise BadConfiguration(f"{field.label}: '{text[:40]}' is not a number.", f"Write it in {field.unit}.") from None
    return int(value) if value == int(value) else value


def field_of(path: str, settings: Mapping[str, Any], series: str = "") -> Field:
    """Return the field of a key.

    Raises
    ------
    UnknownName
        If the schema has no such key.
    """
    node: Mapping[str, Any] = schema()
    for part in path.split("."):
        node = _below(node, part.removesuffix("[]"), path)
        node = node.get("items", node) if part.endswith("[]") else node
    label, unit = _label(path.rpartition(".")[2])
    kinds = {"number": "number", "integer": "whole", "boolean": "yes"}
    forms = [one.get("type") for one in node.get("oneOf", ())]
    kind = "choice" if "enum" in node else kinds.get(str(node.get("type")), "text")
    if forms == ["number", "array"]:
        kind = "numbers"
    if path in _INSTANTS:
        kind = "instant"
    value = value_of(settings, path, series)
    return Field(path, label, unit, node.get("description", ""), kind, tuple(node.get("enum", ())), value, series)


def _below(node: Mapping[str, Any], part: str, path: str) -> Mapping[str, Any]:
    found = node.get("properties", {}).get(part, node.get("additionalProperties"))
    if not isinstance(found, Mapping):
        raise UnknownName(f"case.yaml has no key '{path}'.", "See docs/reference/case.md.")
    return found


def _label(key: str) -> tuple[str, str]:
    if key in _LABELS:
        return _LABELS[key]
    name, _, last = key.rpartition("_")
    found = (name, UNITS[last]) if name and last in UNITS else (key, "")
    words = found[0].replace("_", " ").removeprefix("u ").strip()
    return ("standard uncertainty" if words == "u" else words).capitalize(), found[1]


def value_of(settings: Mapping[str, Any], path: str, series: str = "") -> Any:
    """Return what settings say at a path."""
    node: Any = settings
    if path.startswith("scans[]."):
        node = next((one for one in settings.get("scans", ()) if one["series"] == series), {})
        path = path.removeprefix("scans[].")
    for key in path.split("."):
        if not isinstance(node, Mapping) or key not in node:
            return None
        node = node[key]
    return node


def with_value(settings: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return settings with another value at a path, or without it where the value is None."""
    changed = copy.deepcopy(dict(settings))
    *parents, last = path.split(".")
    nodes: list[dict[str, Any]] = [changed]
    for key in parents:
        nodes.append(nodes[-1].setdefault(key, {}))
    if value is None:
        nodes[-1].pop(last, None)
    else:
        nodes[-1][last] = value
    for parent, key, node in reversed(list(zip(nodes, parents, nodes[1:], strict=False))):
        if not node:
            parent.pop(key)
    return changed


def with_scan_value(
    settings: Mapping[str, Any], series: str, path: str, value: Any, all_series: Iterable[str]
) -> dict[str, Any]:
    """Return settings with something said of one scan; every scan is named then, as those not named would be left out.

    Parameters
    ----------
    settings : mapping
        The settings before.
    series : str
        UID of the scan's series.
    path : str
        Dotted path below ``scans[]``.
    value : object
        None takes it out.
    all_series : iterable of str
        UIDs of all scans, in order of time; used where settings name none.
    """
    entries = [dict(one) for one in settings.get("scans", ())] or [{"series": uid} for uid in all_series]
    if not any(one["series"] == series for one in entries):
        entries.append({"series": series})
    entries = [with_value(one, path, value) if one["series"] == series else one for one in entries]
    return {**settings, "scans": entries}


def read_fields(settings: Mapping[str, Any], given: Mapping[str, str], all_series: Iterable[str]) -> dict[str, Any]:
    """Return settings with every field of a form that was sent; a field that was not sent stays.

    Raises
    ------
    UnknownName, BadConfiguration
        If a key does not exist, or a value is none of its kind.
    """
    changed = dict(settings)
    scans = list(all_series)
    for name, text in given.items():
        path, _, series = name.partition("@")
        value = field_of(path, changed, series).read(text)
        if path.startswith("scans[]."):
            changed = with_scan_value(changed, series, path.removeprefix("scans[]."), value, scans)
        else:
            changed = with_value(changed, path, value)
    return changed
