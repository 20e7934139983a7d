"""Check of data: what a dose of a case still needs, contradicts or doubts, and the key of case.yaml that settles it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from hevesy.core import Administration
from hevesy.data.nuclides import nuclide as find_nuclide
from hevesy.errors import ContradictoryInformation, HevesyError, ImpossibleTiming, MissingInformation, WrongQuantity
from hevesy.stages.imaging.folder import Folder, read_folder
from hevesy.stages.imaging.series import Series
from hevesy.workflows.case import Case, schema
from hevesy.workflows.ct_agreement import misplaced
from hevesy.workflows.scans import (
    Course,
    administered_activity,
    administered_at,
    check_region_names,
    emission_series,
    gather,
    nuclide_name,
    read_scan,
)

#: keys of case.yaml in a sentence, such as ``administration: time:`` or ``scans: units:``
_KEYS = re.compile(r"(?:[a-zA-Z_]+: ?)+")


class Kind(StrEnum):
    """What a finding is."""

    MISSING = "missing"
    CONTRADICTORY = "contradictory"
    UNUSABLE = "unusable"
    ADVICE = "advice"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about the data that a person should settle.

    Parameters
    ----------
    kind : Kind
        `ADVICE` does not keep a dose from being computed.
    text : str
        What the engine says, word for word.
    keys : tuple of str
        Dotted paths of case.yaml that settle it, such as ``administration.time`` or ``scans[].units``; empty where
        only other data would.
    series : str
        The series instance UID (or file name) that it is about; empty where it is about the whole case.
    """

    kind: Kind
    text: str
    keys: tuple[str, ...] = ()
    series: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """What was found.

    Parameters
    ----------
    findings : tuple of Finding
        What keeps a dose from being computed first.
    facts : mapping
        What is known, in plain JSON types: nuclide, administered_at, administered_activity_MBq, scans, regions.
    notes : tuple of str
        How tags were read.
    """

    findings: tuple[Finding, ...]
    facts: Mapping[str, Any]
    notes: tuple[str, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether nothing keeps a dose from being computed."""
        return all(one.kind is Kind.ADVICE for one in self.findings)

    def as_json(self) -> dict[str, Any]:
        """Return it in plain JSON types."""
        findings = [{**asdict(one), "kind": one.kind.value, "keys": list(one.keys)} for one in self.findings]
        return {"ready": self.ready, "findings": findings, "facts": dict(self.facts), "notes": list(self.notes)}


def check_case(path: Path, case: Case) -> Check:
    """Read a case as far as before its curves, and collect every refusal that can be met without another.

    Parameters
    ----------
    path : Path
        The case's folder.
    case : Case
        What the images do not say.

    Raises
    ------
    EmptyInput
        If there is no such folder, or no image in it.
    """
    folder = read_folder(path, tolerant=True)
    damaged = [_finding(problem, "") for problem in folder.problems]
    try:
        course = gather(replace(folder, problems=()), case)
        check_region_names(case, course.scans)
    except HevesyError as first:
        refused = [_finding(refusal, series) for refusal, series in _refusals(folder, case)]
        return Check(_once([*damaged, *(refused or [_finding(first, "")])]), _stated(folder, case))
    return Check(_once([*damaged, *_advice(course)]), _facts(course), course.notes)


def keys_named(text: str) -> tuple[str, ...]:
    """Return the keys of case.yaml that a sentence names, as dotted paths of the schema."""
    tree = schema()
    found = []
    for written in _KEYS.findall(text):
        path = [part for part in re.split(r":\s*", written) if part]
        for start in range(len(path)):
            where = _placed(path[start:], tree)
            if where:
                found.append(where)
                break
    return tuple(dict.fromkeys(found))


def _placed(path: list[str], tree: Mapping[str, Any]) -> str:
    """Return a dotted path if it lies in the schema, lists marked by [] and free names by NAME; else nothing."""
    said = ""
    node: Mapping[str, Any] = tree
    for key in path:
        if "items" in node:
            node, said = node["items"], said + "[]"
        if isinstance(free := node.get("additionalProperties"), dict):
            node, said = free, said + ".NAME"
        if key not in node.get("properties", {}):
            return ""
        node, said = node["properties"][key], f"{said}.{key}" if said else key
    return said


def _refusals(folder: Folder, case: Case) -> Iterator[tuple[HevesyError, str]]:
    """Give what each part of the data is refused for, with the series that it is about."""
    try:
        _ = folder.patient
        series = emission_series(folder, case)
    except HevesyError as refusal:
        yield refusal, ""
        return
    injected = [one.injected for one, _ in series]
    asks: tuple[Callable[..., Any], ...] = (nuclide_name, administered_at, administered_activity)
    met = [found for ask in asks if (found := _refusal(ask, injected, case)) is not None]
    yield from ((refused, "") for refused in met)
    for one, entry in series:
        if met:
            yield from ((problem, one.uid) for problem in one.problems if not _is_settled(problem, entry, case, met))
        elif unread := _refusal(_read, one, entry, folder, case):
            yield unread, one.uid


def _refusal(act: Callable[..., Any], *given: Any) -> HevesyError | None:
    try:
        act(*given)
    except HevesyError as refusal:
        return refusal
    return None


def _read(one: Series, entry: Mapping[str, Any], folder: Folder, case: Case) -> None:
    injected = [each.injected for each, _ in emission_series(folder, case)]
    found = find_nuclide(nuclide_name(injected, case))
    given = Administration(found.name, administered_at(injected, case), None, "")
    read_scan(one, entry, one.description, case, found, given)


def _is_settled(problem: HevesyError, entry: Mapping[str, Any], case: Case, met: list[HevesyError]) -> bool:
    """Say whether case.yaml answers a problem of a header, or it has been told already."""
    if any(str(problem) == str(one) for one in met):
        return True
    keys = keys_named(str(problem))
    given = [key for key in keys if case.get(key) is not None or entry.get(key.removeprefix("scans[].")) is not None]
    return bool(given)


def _finding(refusal: HevesyError, series: str) -> Finding:
    kinds: dict[type[HevesyError], Kind] = {
        MissingInformation: Kind.MISSING,
        WrongQuantity: Kind.MISSING,
        ContradictoryInformation: Kind.CONTRADICTORY,
        ImpossibleTiming: Kind.CONTRADICTORY,
    }
    kind = next((found for error, found in kinds.items() if isinstance(refusal, error)), Kind.UNUSABLE)
    return Finding(kind, str(refusal), keys_named(refusal.remedy), series)


def _advice(course: Course) -> Iterator[Finding]:
    if course.administration.activity is None:
        yield Finding(
            Kind.ADVICE,
            "No administered activity is stated: nothing can be given per activity, nor a curve checked against it.",
            ("administration.activity_MBq",),
        )
    if len(course.scans) == 1:
        yield Finding(
            Kind.ADVICE,
            "One time point alone: no washout can be fitted; a second scan or a population half-life is needed.",
            ("administration.radiopharmaceutical",),
        )
    yield from _misplaced(course)
    for scan in course.scans:
        if not scan.drawn and scan.asked is None:
            yield Finding(Kind.ADVICE, f"No regions are drawn on {scan.label}.", (), scan.series.uid)


def _misplaced(course: Course) -> Iterator[Finding]:
    """Doubt a CT that does not lie where the scan in its frame of reference lies."""
    anatomy, series = course.anatomy, course.anatomy_series
    for scan in course.scans:
        if anatomy is not None and scan.activity.grid.frame_of_reference == anatomy.grid.frame_of_reference:
            if line := misplaced(scan.label, scan.activity, anatomy):
                yield Finding(Kind.ADVICE, line, (), series.uid if series else "")
            return


def _once(findings: list[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(dict.fromkeys(findings), key=lambda one: one.kind is Kind.ADVICE))


def _stated(folder: Folder, case: Case) -> dict[str, Any]:
    """Return what is known before the data are sound."""
    there = [{"label": s.description, "series_uid": s.uid, "kind": s.kind.value} for s in folder.series]
    return {"nuclide": case.get("nuclide"), "series": there}


def _facts(course: Course) -> dict[str, Any]:
    given = course.administration
    regions = sorted({name for scan in course.scans for name in scan.drawn})
    return {
        "nuclide": course.nuclide.name,
        "radiopharmaceutical": given.radiopharmaceutical,
        "administered_at": given.time.isoformat(),
        "administered_activity_MBq": given.activity.value / 1e6 if given.activity else None,
        "mass_kg": course.patient.mass_kg,
        "height_m": course.patient.height_m,
        "scans": [
            {
                "label": scan.label,
                "series_uid": scan.series.uid,
                "t_h": scan.mid_s / 3600,
                "duration_s": scan.duration_s,
                "regions": sorted(scan.drawn),
            }
            for scan in course.scans
        ],
        "anatomy": course.anatomy_series.description if course.anatomy_series else None,
        "regions": regions,
    }
