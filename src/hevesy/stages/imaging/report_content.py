"""The content of Hevesy's own dose table (`dose_report`) without words that a person wrote."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import EnhancedSRStorage

from hevesy.stages.imaging import header
from hevesy.stages.imaging import sr_content as sr
from hevesy.stages.imaging.derived import MANUFACTURER, derived_uid
from hevesy.stages.imaging.dose_report import (
    ADMINISTRATION,
    AGENT,
    ALGORITHM,
    COMMENT,
    METHOD,
    REGION,
    UNKNOWN,
    VERSION,
)

#: kinds of content items in it; a person's name, a drawing or a sound would be another's
KINDS = frozenset({"CONTAINER", "TEXT", "CODE", "NUM", "UIDREF", "DATETIME", "IMAGE"})
#: concepts whose texts the software wrote
OWN_TEXTS = frozenset(code[:2] for code in (ALGORITHM, VERSION, METHOD, COMMENT, ("121013", "DCM", "")))


def is_own_report(head: Any) -> bool:
    """Whether an object is a dose table as `dose_report` writes it, with nothing in it that is not."""
    if header.text(head, "SOPClassUID") != EnhancedSRStorage or header.text(head, "Manufacturer") != MANUFACTURER:
        return False
    kinds = {header.text(item, "ValueType") for item in _items(head)}
    return kinds <= KINDS and sr.child(head, ADMINISTRATION) is not None


def without_free_text(
    report: Dataset, region: Callable[[str], str], clean: Callable[[str], str], removed: str
) -> Dataset:
    """Return a dose table whose regions and drug go by other names, and in which no text of another's is left.

    Parameters
    ----------
    report : Dataset
        One that `is_own_report`; it stays as it is.
    region, clean : callable
        What a region goes by, and what may stay of a text, which may be nothing.
    removed : str
        What stands for a text that the software did not write.
    """
    made = copy.copy(report)
    made.ContentSequence = copy.deepcopy(report.ContentSequence)
    for item in _items(made):
        if header.text(item, "ValueType") == "TEXT":
            item.TextValue = _text(item, region, removed)
    for given in sr.children(made, ADMINISTRATION):
        for agent in sr.children(given, AGENT):
            drug = clean(sr.meaning_of(agent)) if sr.meaning_of(agent) != UNKNOWN[2] else ""
            code = (derived_uid(drug)[-16:], sr.PRIVATE_SCHEME, drug) if drug else UNKNOWN
            agent.ConceptCodeSequence = [sr.coded(code)]
    return made


def _text(item: Dataset, region: Callable[[str], str], removed: str) -> str:
    named = item.ConceptNameCodeSequence[0]
    concept = (str(named.CodeValue), str(named.CodingSchemeDesignator))
    if concept == REGION[:2]:
        return region(str(item.TextValue))
    return str(item.TextValue) if concept in OWN_TEXTS else removed


def _items(parent: Any) -> Iterator[Dataset]:
    for item in parent.get("ContentSequence") or ():
        yield item
        yield from _items(item)
