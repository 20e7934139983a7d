"""Whose each object is, decided from all objects of a folder together: what one leaves out, another says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hevesy.errors import ContradictoryInformation, HevesyError
from hevesy.stages.imaging import header
from hevesy.stages.imaging.identity import subject_of


@dataclass(frozen=True, slots=True)
class _Said:
    """What the objects of one series say of whose they are."""

    identifier: str
    issuers: frozenset[str]
    study: str


def subjects(series: Sequence[Sequence[Any]]) -> list[str | HevesyError]:
    """Return what tells the patient of each series from every other, or why that is not known.

    An identifier without its issuer is of the issuer that the same study, or else the only one that any object of the
    folder, names with it. Objects without an identifier are of the one patient that the rest of their study names. How
    a name is spelt decides nothing, unless there is nothing else.

    Parameters
    ----------
    series : sequence of sequences of Dataset
        The headers of each series, one at least.
    """
    said = [_said(headers) for headers in series]
    found: list[str | HevesyError] = []
    for one, headers in zip(said, series, strict=True):
        found.append(_with_issuer(one, said) if one.identifier else _subject(headers[0]))
    of_study: dict[str, set[str]] = defaultdict(set)
    for one, subject in zip(said, found, strict=True):
        if one.identifier and one.study and isinstance(subject, str):
            of_study[one.study].add(subject)
    for number, one in enumerate(said):
        there = of_study[one.study]
        if not one.identifier and there:
            found[number] = next(iter(there)) if len(there) == 1 else _unclear("names no patient, and its study", there)
    return found


def _said(headers: Sequence[Any]) -> _Said:
    first = headers[0]
    return _Said(
        header.text(first, "PatientID"),
        frozenset(filter(None, (header.text(head, "IssuerOfPatientID") for head in headers))),
        header.text(first, "StudyInstanceUID"),
    )


def _subject(head: Any) -> str | HevesyError:
    try:
        return subject_of(head)
    except HevesyError as nameless:
        return nameless


def _with_issuer(one: _Said, said: Iterable[_Said]) -> str | HevesyError:
    alike = [other for other in said if other.identifier == one.identifier]
    near = frozenset[str]().union(*(other.issuers for other in alike if one.study and other.study == one.study))
    issuers = one.issuers or near or frozenset[str]().union(*(other.issuers for other in alike))
    if len(issuers) > 1:
        return _unclear("has an identifier", issuers)
    return f"{one.identifier}\0{next(iter(issuers))}" if issuers else one.identifier


def _unclear(what: str, those: Iterable[str]) -> ContradictoryInformation:
    count = len(set(those))
    return ContradictoryInformation(
        f"A series {what} of {count} patients: it is not known whose it is.",
        "Complete Patient ID (0010,0020) and its issuer (0010,0021), or give a folder for each patient.",
    )
