"""case.yaml: what the images of a case do not say."""

from __future__ import annotations

import difflib
import functools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from hevesy.errors import BadConfiguration
from hevesy.stages.dosimetry.engines import require_engine

FILE_NAME = "case.yaml"

#: what is assumed where neither the images nor case.yaml say it; the report lists each that was used
ASSUMED: Mapping[str, float] = {
    "administration.u_percent": 5.0,
    "calibration.u_percent": 5.0,
    "uncertainty.counts_percent": 3.0,
    "uncertainty.density_percent": 3.0,
    "uncertainty.resolution_mm": 12.0,
    "patient.mass_u_percent": 2.0,
}
#: of these, what only the whole patient's dose hangs on
_OF_WHOLE_BODY = ("patient.mass_u_percent",)


@dataclass(frozen=True, slots=True)
class Case:
    """The settings of a case: the tree of case.yaml, checked against its schema.

    Parameters
    ----------
    settings : mapping
        The file's content; empty where there is none.
    source : Path or None
        The file.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    source: Path | None = None

    def get(self, path: str, default: Any = None) -> Any:
        """Return the value at a dotted path, or the default."""
        node: Any = self.settings
        for key in path.split("."):
            if not isinstance(node, Mapping) or key not in node:
                return default
            node = node[key]
        return node

    def engines(self) -> tuple[str, ...]:
        """Return the names of the engines: that of the dose, then those to set beside, each once.

        Raises
        ------
        UnknownEngine
            If there is no such engine.
        """
        names = tuple(dict.fromkeys((str(self.get("engine", "local")), *map(str, self.get("compare", ())))))
        for name in names:
            require_engine(name)
        return names

    def choosing(self, engine: str | None, compare: Sequence[str] | None = None) -> Case:
        """Return the case with another engine, and others to compare; None leaves what the case says."""
        chosen = {"engine": engine, "compare": list(compare) if compare is not None else None}
        given = {key: value for key, value in chosen.items() if value is not None}
        return replace(self, settings={**self.settings, **given}) if given else self

    def number(self, path: str) -> float:
        """Return a number that has a documented assumption behind it."""
        return float(self.get(path, ASSUMED[path]))

    def region(self, name: str) -> Mapping[str, Any]:
        """Return what is said of one region; empty if nothing."""
        found: Mapping[str, Any] = self.get("regions", {}).get(name, {})
        return found

    def instant(self, path: str) -> datetime | None:
        """Return a date and time, or None.

        Raises
        ------
        BadConfiguration
            If it is not ISO 8601.
        """
        written = self.get(path)
        return None if written is None else parse_instant(written, path)

    def assumed(self) -> dict[str, float]:
        """Return what was assumed for want of a value: dotted path to number."""
        unused = () if self.get("whole_body") else _OF_WHOLE_BODY
        return {path: value for path, value in ASSUMED.items() if self.get(path) is None and path not in unused}


def parse_instant(written: str, where: str) -> datetime:
    """Read an ISO 8601 date and time, or refuse it in one line."""
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        raise BadConfiguration(
            f"{where}: '{written}' is not a date and time.", "Write it like 2018-11-15T09:22:00."
        ) from None


def load_case(folder: Path, config: Path | None = None) -> Case:
    """Read the settings of a case.

    Parameters
    ----------
    folder : Path
        The case's folder; its case.yaml is read if there is one.
    config : Path, optional
        Another file to read instead.

    Raises
    ------
    BadConfiguration
        If the file is missing, is no YAML, or has a wrong key or value; the nearest right key is named.
    """
    path = config or folder / FILE_NAME
    if not path.exists() or (config and not path.is_file()):
        if config:
            raise BadConfiguration(f"There is no file {config}.", "Check --config.")
        return Case()
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as fault:
        raise BadConfiguration(f"{path} cannot be read ({fault.strerror}).") from None
    except UnicodeDecodeError:
        raise BadConfiguration(f"{path.name} is not YAML.", "Save it as UTF-8.") from None
    return Case(read_settings(text, path.name), path)


def read_settings(text: str, name: str = FILE_NAME) -> dict[str, Any]:
    """Return the settings that a text holds.

    Raises
    ------
    BadConfiguration
        If it is no YAML, or has a wrong key or value; the nearest right key is named.
    """
    try:
        settings = yaml.load(text, _PlainLoader)
    except (yaml.YAMLError, RecursionError) as fault:
        mark = getattr(fault, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark else ""
        raise BadConfiguration(f"{name} is not YAML{where}.", "Check indentation, colons and quotes.") from None
    check(settings if settings is not None else {}, name)
    return dict(settings or {})


def write_settings(settings: Mapping[str, Any]) -> str:
    """Return settings as the text of a case.yaml, which `read_settings` reads as the same settings."""
    named = {"schema": "hevesy-case-1.0", **settings}
    return yaml.safe_dump(named, sort_keys=False, allow_unicode=True, width=110)


def check(settings: Any, name: str = FILE_NAME) -> None:
    """Refuse settings that do not fit the schema, naming the key and the nearest right one."""
    faults = sorted(_validator().iter_errors(settings), key=lambda fault: list(map(str, fault.absolute_path)))
    if faults:
        raise _refusal(faults[0], name)


def schema() -> dict[str, Any]:
    """Return the JSON Schema of case.yaml."""
    text = resources.files("hevesy.workflows").joinpath("schema/case-1.0.json").read_text(encoding="utf-8")
    read: dict[str, Any] = json.loads(text)
    return read


@functools.cache
def _validator() -> Any:
    return jsonschema.Draft202012Validator(schema())


def _refusal(fault: jsonschema.ValidationError, name: str) -> BadConfiguration:
    # of several forms, that which the value was meant to have tells what is wrong with it
    meant = [inner for inner in fault.context or () if inner.validator not in ("type", "const")]
    if fault.validator == "oneOf" and meant:
        return _refusal(meant[0], name)
    where = ".".join(map(str, fault.absolute_path)) or "the file"
    if fault.validator == "additionalProperties" and isinstance(fault.instance, Mapping):
        allowed: Any = fault.schema
        known = sorted(allowed["properties"])
        wrong = next(key for key in fault.instance if key not in known)
        near = difflib.get_close_matches(str(wrong), known, n=1, cutoff=0.5)
        remedy = f"Did you mean '{near[0]}'?" if near else f"Known here: {', '.join(known)}."
        return BadConfiguration(f"{name}: '{wrong}' is not a key of {where}.", remedy)
    return BadConfiguration(f"{name}: {where}: {fault.message}.", "See docs/reference/case.md.")


class _PlainLoader(yaml.SafeLoader):
    """YAML without dates: an instant stays the text that was written, and no key is given twice."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own interface
        first: [(tag, expression) for tag, expression in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise BadConfiguration(f"{FILE_NAME}: '{key}' is given twice (line {node.start_mark.line + 1}).")
        return dict(super().construct_mapping(node, deep))


def _finite(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> float:
    value: float = loader.construct_yaml_float(node)
    if not math.isfinite(value):
        raise BadConfiguration(f"{FILE_NAME}: '{node.value}' is no number (line {node.start_mark.line + 1}).")
    return value


_PlainLoader.add_constructor("tag:yaml.org,2002:float", _finite)
