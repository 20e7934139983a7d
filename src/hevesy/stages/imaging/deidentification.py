"""De-identification of DICOM objects that leaves dosimetry intact.

DICOM PS3.15 Annex E: the Basic Application Level Confidentiality Profile with the options Retain Patient
Characteristics, Retain Longitudinal Temporal Information with Modified Dates, Clean Descriptors and Retain Safe
Private, through all sequences. Dates go back by whole days, the same for every date of a patient, and times stay, so
that what lies between an injection and a scan does not move.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Any

from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.tag import BaseTag, Tag
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from hevesy import __version__
from hevesy.data.deidentification import Action, actions, safe_private
from hevesy.errors import IdentityRemains, UnsupportedObject
from hevesy.stages.imaging import header
from hevesy.stages.imaging.damage import refusing_damage
from hevesy.stages.imaging.descriptors import clean_descriptor
from hevesy.stages.imaging.identity import (
    DATE_OR_UID,
    Identity,
    Pseudonyms,
    elements_within,
    names_within,
    subject_of,
    texts_of,
)
from hevesy.stages.imaging.plain_values import FORMS, age, age_between, earlier, is_plain
from hevesy.stages.imaging.report_content import is_own_report, without_free_text
from hevesy.stages.imaging.series import GAMMA_CAMERA_CLASS, SOP_CLASS

DUMMY = "REMOVED"
#: what the object says was done (PS3.16 CID 7050)
METHODS = (
    ("113100", "Basic Application Confidentiality Profile"),
    ("113105", "Clean Descriptors Option"),
    ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    ("113108", "Retain Patient Characteristics Option"),
)
#: and of an object in which a private element was left
METHOD_OF_PRIVATE = ("113111", "Retain Safe Private Option")
#: and of a structured report
METHOD_OF_REPORTS = ("113104", "Clean Structured Content Option")
#: what replaces a value that is no text
DUMMIES = {"DS": "0", "IS": "0", "AS": "000Y", "TM": "000000", "DA": "", "DT": "", "CS": "", "OB": b"", "OW": b""}
#: SOP classes of secondary captures begin with this
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
REAL_WORLD_VALUES = "1.2.840.10008.5.1.4.1.1.67"
#: modalities of screens, documents and whatever else may show a name
SCREENS = ("OT", "SC", "DOC", "SR", "PR")
TEXT = ("LO", "SH", "UC", "ST", "LT", "UT")
PSEUDONYM_TAGS = (Tag("PatientName"), Tag("PatientID"))
AGE, ZONE = Tag("PatientAge"), Tag("TimezoneOffsetFromUTC")
#: what the standard's table does not list: the original under lock and key, and what only a signature needs
MORE_REMOVED = frozenset(Tag(name) for name in ("EncryptedAttributesSequence", "MACParametersSequence"))
#: bulk data that are pixels, or numbers to read them by; any other may hold a text, as a colour profile does
BULK = frozenset(
    Tag(name)
    for name in (
        "PixelData",
        "FloatPixelData",
        "DoubleFloatPixelData",
        "ExtendedOffsetTable",
        "ExtendedOffsetTableLengths",
        "LUTData",
        "RedPaletteColorLookupTableData",
        "GreenPaletteColorLookupTableData",
        "BluePaletteColorLookupTableData",
    )
)
#: descriptors that the standard's table does not list
MORE_DESCRIPTORS = frozenset(
    Tag(name)
    for name in (
        "SegmentLabel",
        "SegmentDescription",
        "TrackingID",
        "ContentDescription",
        "DoseComment",
        "LUTExplanation",
    )
)
#: descriptors that must say something: what drawings are told apart by
NAMES_OF_REGIONS = {Tag("ROIName"): "ROINumber", Tag("SegmentLabel"): "SegmentNumber"}


class Fate(Enum):
    """What becomes of an element."""

    KEEP = auto()
    REMOVE = auto()
    EMPTY = auto()
    REPLACE = auto()
    RENEW = auto()
    SHIFT = auto()
    CLEAN = auto()
    CHECK = auto()
    ENTER = auto()
    AGE = auto()


#: of elements that the table does not list, by kind of value; all others are numbers and stay
UNLISTED = {
    "UI": Fate.RENEW,
    "DA": Fate.SHIFT,
    "DT": Fate.SHIFT,
    "SQ": Fate.ENTER,
    "LO": Fate.CHECK,
    "SH": Fate.CHECK,
    "UC": Fate.CHECK,
    "PN": Fate.EMPTY,
    "AE": Fate.EMPTY,
    "LT": Fate.REMOVE,
    "ST": Fate.REMOVE,
    "UT": Fate.REMOVE,
    "UR": Fate.REMOVE,
    "UN": Fate.REMOVE,
}
#: what becomes of the content of a report of our own, after `without_free_text`
OF_REPORTS = {
    Tag("ContentSequence"): Fate.ENTER,
    Tag("TextValue"): Fate.CHECK,
    Tag("ReferencedPerformedProcedureStepSequence"): Fate.EMPTY,  # a report must have it, if only empty
}
#: the last of the actions that the table gives as alternatives, which keeps the object valid
LISTED = {"X": Fate.REMOVE, "Z": Fate.EMPTY, "D": Fate.REPLACE, "U": Fate.RENEW, "U*": Fate.ENTER}


def fate(tag: BaseTag, vr: str) -> Fate:
    """Return what becomes of a standard element of a kind of value."""
    if tag.element == 0 or tag.group & 0xFF00 in (0x5000, 0x6000) or tag in MORE_REMOVED:
        return Fate.REMOVE  # group lengths, curves, overlays, what is encrypted
    if tag == AGE:
        return Fate.AGE
    if _is_bulk(vr) and tag not in BULK:
        return Fate.REMOVE
    if tag in MORE_DESCRIPTORS:
        return Fate.CLEAN
    row = actions().get(tag)
    if row is None:
        return UNLISTED.get(vr, Fate.KEEP)
    return _by_option(row, tag, vr) or _by_profile(row, vr)


def _is_bulk(vr: str) -> bool:
    return any(kind.startswith("O") for kind in vr.split(" or "))


def _by_option(row: Action, tag: BaseTag, vr: str) -> Fate | None:
    if row.modified_dates == "C" and vr in ("DA", "DT"):
        return Fate.SHIFT
    keeps = row.patient_characteristics == "K" or (row.modified_dates == "C" and (vr == "TM" or tag == ZONE))
    if keeps:
        return Fate.CHECK if vr in TEXT else Fate.KEEP
    return Fate.CLEAN if row.descriptors == "C" and vr in TEXT else None


def _by_profile(row: Action, vr: str) -> Fate:
    found = LISTED[row.action.split("/")[-1]]
    return Fate.REMOVE if vr in ("SQ", "UN", "OB") and found is Fate.REPLACE else found


def refusal(head: Any) -> UnsupportedObject | None:
    """Return why an object cannot be de-identified: its pixels or its text may name the patient; None if it can."""
    why = reason_against(head)
    if why is None:
        return None
    what = header.text(head, "SeriesDescription") or header.text(head, "Modality") or "An object"
    return UnsupportedObject(f"'{what}' {why}; it is not de-identified.", "Leave it out with --leave-out.")


def reason_against(head: Any) -> str | None:
    """Return why an object cannot be de-identified, in words that hold none of its own; None if it can."""
    sop_class, modality = header.text(head, "SOPClassUID"), header.text(head, "Modality")
    known = sop_class in SOP_CLASS or sop_class in (GAMMA_CAMERA_CLASS, REAL_WORLD_VALUES)
    own = is_own_report(head)
    drawn_in = any(
        e.tag.group & 0xFF00 == 0x6000 and e.tag.element == 0x0102 and e.value not in (None, 0) for e in _overlays(head)
    )
    captured = sop_class.startswith(SECONDARY_CAPTURE) or header.text(head, "ConversionType") != ""
    reasons = {
        "is a secondary capture, and names may be written in its pixels": captured,
        "is no image, dose or structure, and its content may name the patient": not (known or own),
        f"has the modality {modality}, which captured screens have": modality in SCREENS and not own,
        "says that text is burned into its pixels": header.text(head, "BurnedInAnnotation").upper() == "YES",
        "has an overlay within the bits of its pixels": drawn_in,
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _overlays(head: Any) -> Iterable[DataElement]:
    return (head[tag] for tag in head.keys() if Tag(tag).group & 0xFF00 == 0x6000)  # noqa: SIM118 - items decode


def identity_of(headers: Iterable[Any]) -> Identity:
    """Collect the names and identifiers that the headers of a patient's objects state, to find them elsewhere."""
    found: set[str] = set()
    for head in headers:
        for element in elements_within(head):
            if element.tag.is_private:
                continue
            lost = fate(element.tag, element.VR) in (Fate.REMOVE, Fate.EMPTY, Fate.REPLACE)
            if element.VR == "PN" or (lost and element.VR in ("LO", "SH", "UC")):
                found.update(names_within(texts_of(element), element.VR == "PN"))
    return Identity(frozenset(found))


def deidentified(
    dataset: Dataset,
    pseudonyms: Pseudonyms,
    identity: Identity | None = None,
    pseudonym: str = "",
    regions: Mapping[str, str] | None = None,
) -> Dataset:
    """Return a de-identified copy of an object; its pixels are those of the original, untouched.

    Parameters
    ----------
    dataset : Dataset
        The object, with or without its pixels.
    pseudonyms : Pseudonyms
        What stands for the patient, the dates and the UIDs.
    identity : Identity, optional
        What names the patient in any of their objects; from this one alone unless given.
    pseudonym : str, optional
        By what the patient goes, where it is known better than from what this object alone says.
    regions : mapping of str to str, optional
        By what regions go that were called otherwise, where that was decided for several objects together.

    Raises
    ------
    UnsupportedObject
        If its pixels or its content may name the patient (`refusal`).
    MissingInformation
        If it names no patient, and no pseudonym is given.
    IdentityRemains
        If a name or an identifier would be left in it.
    UnreadableFile
        If an element is damaged.
    """
    why = refusal(dataset)
    if why is not None:
        raise why
    with refusing_damage("An object to be de-identified"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a value that breaks the standard's style stays, or goes, like any other
        patient = pseudonym or pseudonyms.patient(subject_of(dataset))
        work = _Work(pseudonyms, patient, identity or identity_of([dataset]), regions or {})
        made = work.copy_of(dataset)
        made.PatientName = made.PatientID = patient
        _keep_age(made, dataset)
        _declare(made, dataset)
        made.file_meta = _file_meta(dataset, made)
        made.preamble = b"\0" * 128
        _require_nameless(made, work)
    return made


@dataclass(frozen=True, slots=True)
class _Work:
    """One object's de-identification."""

    pseudonyms: Pseudonyms
    patient: str
    identity: Identity
    regions: Mapping[str, str] = field(default_factory=dict)
    fates: Mapping[BaseTag, Fate] = field(default_factory=dict)

    def copy_of(self, dataset: Dataset) -> Dataset:
        """Return a whole object as it stays."""
        if not is_own_report(dataset):
            return self.copy(dataset)
        report = without_free_text(dataset, self._region, self._cleaned, DUMMY)
        return replace(self, fates=OF_REPORTS).copy(report)

    def copy(self, dataset: Dataset) -> Dataset:
        """Return the elements that stay, as they stay."""
        made = Dataset()
        for tag in sorted(dataset.keys()):
            if tag.is_private:
                continue
            stored = dataset.get_item(tag)
            kind = _kind(tag, stored.VR)
            decided = self.fates.get(tag) or fate(tag, kind)
            if decided is Fate.KEEP and not all(is_plain(kind, text) for text in _written(stored, kind)):
                decided = Fate.EMPTY  # a word where a number or a time belongs
            if decided is Fate.KEEP:
                made[tag] = stored  # not decoded, so that not a byte of it changes
            elif decided is not Fate.REMOVE:
                self._change(made, dataset[tag], decided, dataset)
        self._keep_private(made, dataset)
        return made

    def _change(self, made: Dataset, element: DataElement, decided: Fate, of: Dataset) -> None:
        value: Any
        if element.tag in PSEUDONYM_TAGS:
            value = self.patient
        elif decided is Fate.ENTER:
            value = [self.copy(item) for item in element.value or ()] if element.VR == "SQ" else None
        elif decided is Fate.CLEAN:
            value = self._described(element, of)
        else:
            value = self._changed(element, decided)
        if value is not None:
            made.add_new(element.tag, element.VR, value)

    def _changed(self, element: DataElement, decided: Fate) -> Any:
        each: dict[Fate, Callable[[str], str]] = {
            Fate.RENEW: self.pseudonyms.uid,
            Fate.SHIFT: self._shifted,
            Fate.CHECK: self._checked,
            Fate.AGE: age,
        }
        if element.VR == "SQ":
            return []
        if decided in each:
            return _joined([each[decided](text) for text in texts_of(element)])
        return DUMMIES.get(element.VR, DUMMY) if decided is Fate.REPLACE else ""

    def _shifted(self, text: str) -> str:
        return earlier(text, self.pseudonyms.days(self.patient))

    def _checked(self, text: str) -> str:
        return DUMMY if self.identity.is_named_in(text) or DATE_OR_UID.search(text) else text

    def _cleaned(self, text: str) -> str:
        return clean_descriptor(self.identity.removed_from(text))

    def _region(self, name: str) -> str:
        return self.regions.get(name) or self._cleaned(name) or DUMMY

    def _described(self, element: DataElement, of: Dataset) -> str | list[str] | None:
        if element.tag in NAMES_OF_REGIONS and str(element.value) in self.regions:
            return self.regions[str(element.value)]
        known = [self._cleaned(text) for text in texts_of(element)]
        cleaned = _joined([text for text in known if text and not self.identity.is_named_in(text)])
        if cleaned:
            return cleaned
        if element.tag in NAMES_OF_REGIONS:
            return f"region {header.text(of, NAMES_OF_REGIONS[element.tag])}".strip()
        row = actions().get(element.tag)
        required = LISTED[row.action.split("/")[-1]] if row else Fate.EMPTY
        if required is Fate.REMOVE:
            return None
        return DUMMY if required is Fate.REPLACE else ""

    def _keep_private(self, made: Dataset, dataset: Dataset) -> None:
        if not any(tag.is_private for tag in dataset.keys()):  # noqa: SIM118 - items decode
            return
        for safe in safe_private():
            try:
                value = dataset.private_block(safe.group, safe.creator)[safe.element].value
            except KeyError:
                continue
            text = value.decode("ascii", "replace").strip(" \0") if isinstance(value, bytes) else str(value)
            value = self._shifted(text) if safe.vr in ("DA", "DT") else text
            if is_plain(safe.vr, value):
                made.private_block(safe.group, safe.creator, create=True).add_new(safe.element, safe.vr, value)


def _kind(tag: BaseTag, stated: str | None) -> str:
    """Return the kind of value of a stored element, which implicit encodings do not state."""
    if stated in (None, "UN") and dictionary_has_tag(tag):
        return str(dictionary_VR(tag))
    return stated or "UN"


def _written(stored: Any, kind: str) -> Iterable[str]:
    """Return the values of an element whose kind has a form, as they are written."""
    if kind not in FORMS or stored.value is None:
        return ()
    if isinstance(stored.value, bytes):
        return (text.strip(" \0") for text in stored.value.decode("ascii", "replace").split("\\"))
    return texts_of(stored)


def _joined(values: list[str]) -> str | list[str]:
    return values if len(values) > 1 else "".join(values)


def _keep_age(made: Dataset, dataset: Dataset) -> None:
    """Say the age where it is not stated, since the birth date no longer tells it."""
    found = age_between(header.text(dataset, "PatientBirthDate"), header.text(dataset, "StudyDate"))
    if found and not dataset.get("PatientAge"):
        made.PatientAge = found


def _declare(made: Dataset, of: Dataset) -> None:
    made.PatientIdentityRemoved = "YES"
    made.DeidentificationMethod = f"Hevesy {__version__}, DICOM PS3.15 2026c"
    more = {
        METHOD_OF_REPORTS: is_own_report(of),
        METHOD_OF_PRIVATE: any(element.tag.is_private for element in elements_within(made)),
    }
    made.DeidentificationMethodCodeSequence = []
    for value, meaning in (*METHODS, *(method for method, applied in more.items() if applied)):
        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
        made.DeidentificationMethodCodeSequence.append(item)
    made.LongitudinalTemporalInformationModified = "MODIFIED"


def _file_meta(dataset: Dataset, made: Dataset) -> FileMetaDataset:
    meta = FileMetaDataset()
    syntax = header.raw(getattr(dataset, "file_meta", None) or {}, "TransferSyntaxUID")
    implicit = dataset.original_encoding[0] is not False
    meta.TransferSyntaxUID = syntax or (ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian)
    meta.MediaStorageSOPClassUID = made.SOPClassUID
    meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    return meta


def _require_nameless(made: Dataset, work: _Work) -> None:
    """Refuse an object in which a name or an identifier is left, wherever it stands."""
    for element in elements_within(made):
        if element.VR in (*TEXT, "CS", "PN", "AE", "UR") and element.tag not in PSEUDONYM_TAGS:
            for text in texts_of(element):
                if text != DUMMY and work.identity.is_named_in(text):
                    raise IdentityRemains(
                        f"{element.name} {element.tag} would still hold a name or an identifier of the patient.",
                        "Clear it in the original.",
                    )
