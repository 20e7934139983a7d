"""Content items of a DICOM structured report (PS3.3 C.17.3): made, and looked up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from pydicom.dataset import Dataset

from hevesy.stages.imaging.derived import decimal, plain, referenced

Code = tuple[str, str, str]

#: concepts for which no standard scheme has a code
PRIVATE_SCHEME = "99HEVESY"


def coded(code: Code) -> Dataset:
    """Return an item of a code sequence: value, scheme and meaning."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code
    return item


def _item(relationship: str, kind: str, concept: Code, *children: Dataset) -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType = relationship, kind
    item.ConceptNameCodeSequence = [coded(concept)]
    if children:
        item.ContentSequence = list(children)
    return item


def container(concept: Code, *children: Dataset, template: str | None = None) -> Dataset:
    """Return a container, of a template of PS3.16 if one is named."""
    item = _item("CONTAINS", "CONTAINER", concept, *children)
    item.ContinuityOfContent = "SEPARATE"
    if template:
        identified = Dataset()
        identified.MappingResource, identified.TemplateIdentifier = "DCMR", template
        item.ContentTemplateSequence = [identified]
    return item


def code(concept: Code, value: Code, *children: Dataset, relationship: str = "CONTAINS") -> Dataset:
    """Return a coded value."""
    item = _item(relationship, "CODE", concept, *children)
    item.ConceptCodeSequence = [coded(value)]
    return item


def text(concept: Code, value: str, relationship: str = "CONTAINS") -> Dataset:
    """Return a text without control characters."""
    item = _item(relationship, "TEXT", concept)
    item.TextValue = plain(value, longest=2**16)
    return item


def uid(concept: Code, value: str, relationship: str = "CONTAINS") -> Dataset:
    """Return a reference to a UID."""
    item = _item(relationship, "UIDREF", concept)
    item.UID = value
    return item


def instant(concept: Code, value: datetime) -> Dataset:
    """Return a date and time, with its zone where it has one."""
    item = _item("CONTAINS", "DATETIME", concept)
    item.DateTime = value.strftime("%Y%m%d%H%M%S.%f%z" if value.tzinfo else "%Y%m%d%H%M%S.%f")
    return item


def number(concept: Code, value: float, unit: Code, *children: Dataset, relationship: str = "CONTAINS") -> Dataset:
    """Return a number: as a decimal string, and in double precision where that does not hold it."""
    measured = Dataset()
    measured.NumericValue = decimal(value)
    if float(str(measured.NumericValue)) != value:
        measured.FloatingPointValue = float(value)
    measured.MeasurementUnitsCodeSequence = [coded(unit)]
    item = _item(relationship, "NUM", concept, *children)
    item.MeasuredValueSequence = [measured]
    return item


def image(source: Dataset, concept: Code | None = None, segment: int | None = None) -> Dataset:
    """Return a reference to an image, or to one segment of a segmentation."""
    item = Dataset()
    item.RelationshipType, item.ValueType = "CONTAINS", "IMAGE"
    if concept:
        item.ConceptNameCodeSequence = [coded(concept)]
    reference = referenced(source)
    if segment is not None:
        reference.ReferencedSegmentNumber = segment
    item.ReferencedSOPSequence = [reference]
    return item


def children(parent: Dataset, concept: Code) -> Iterator[Dataset]:
    """Yield the content items right below one that have a concept's code."""
    for item in parent.get("ContentSequence") or ():
        named: Sequence[Dataset] = item.get("ConceptNameCodeSequence") or ()
        if named and (named[0].CodeValue, named[0].CodingSchemeDesignator) == concept[:2]:
            yield item


def child(parent: Dataset, concept: Code) -> Dataset | None:
    """Return the first of `children`, or None."""
    return next(children(parent, concept), None)


def text_of(parent: Dataset, concept: Code) -> str:
    """Return a text below an item; empty where there is none."""
    found = child(parent, concept)
    return "" if found is None else str(found.TextValue)


def meaning_of(item: Dataset) -> str:
    """Return the meaning of a coded value."""
    return str(item.ConceptCodeSequence[0].CodeMeaning)


def value_of(item: Dataset) -> float:
    """Return a number in the precision in which it was written."""
    measured = item.MeasuredValueSequence[0]
    exact = measured.get("FloatingPointValue")
    return float(measured.NumericValue if exact is None else exact)
