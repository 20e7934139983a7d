"""What the store wants to know of a DICOM object: who, which study, which series; and that it is whole."""

from __future__ import annotations

import re
import unicodedata
import warnings
import zlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, BinaryIO

import pydicom
from pydicom.filereader import read_file_meta_info
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from hevesy.errors import BadInput, MissingInformation, UnreadableFile, UnsupportedObject
from hevesy.web.site.store.limits import Limits
from hevesy.web.site.store.uids import UID

#: how a header may start without preamble: group 0002 or 0008 in little endian
BARE_STARTS = (b"\x02\x00\x00\x00", b"\x08\x00\x00\x00", b"\x08\x00\x05\x00", b"\x08\x00\x08\x00", b"\x08\x00\x16\x00")
DICOMDIR_CLASS = "1.2.840.10008.1.3.10"
PIXEL_GROUP = 0x7FE0
#: preamble, "DICM" and the element that holds the length of what follows of the file meta information, bytes
META = 128 + 4 + 12
UNDEFINED = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class PatientFacts:
    """Who, as the columns of a row."""

    identifier: str
    issuer: str
    name: str
    sex: str
    birth_date: date | None


@dataclass(frozen=True, slots=True)
class StudyFacts:
    """Which study, as the columns of a row."""

    uid: str
    description: str
    accession: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class SeriesFacts:
    """Which series, as the columns of a row."""

    uid: str
    modality: str
    number: int | None
    description: str
    body_part: str
    radiopharmaceutical: str
    sop_class: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class InstanceFacts:
    """Which object, as the columns of a row."""

    uid: str
    sop_class: str
    transfer_syntax: str
    number: int | None


@dataclass(frozen=True, slots=True)
class ObjectFacts:
    """A DICOM object in the four levels of its hierarchy."""

    patient: PatientFacts
    study: StudyFacts
    series: SeriesFacts
    instance: InstanceFacts


def looks_like_dicom(path: Path) -> bool:
    """Return whether a file starts as DICOM does, with its preamble or without."""
    with path.open("rb") as file:
        start = file.read(132)
    return start[128:132] == b"DICM" or start[:4] in BARE_STARTS


def read_object(path: Path, limits: Limits | None = None) -> ObjectFacts | None:
    """Read the facts of a DICOM object, its pixels left where they are; None of a DICOMDIR.

    Raises
    ------
    UnreadableFile
        If it is damaged, truncated, or would unpack beyond what is allowed.
    MissingInformation
        If it does not say what it is or to what it belongs.
    UnsupportedObject
        If it is no object that can be stored.
    """
    with path.open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # badly written values are judged where they are used
        try:
            meta = read_file_meta_info(path) if _has_preamble(file) else pydicom.Dataset()
            if meta.get("MediaStorageSOPClassUID") == DICOMDIR_CLASS:
                return None
            if meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
                file.seek(META + meta.FileMetaInformationGroupLength)
                _refuse_bomb(file, limits or Limits())
            file.seek(0)
            head = pydicom.dcmread(file, stop_before_pixels=True, force=True)
            if DeflatedExplicitVRLittleEndian != head.file_meta.get("TransferSyntaxUID"):
                _require_whole(head, file, limits or Limits())
            return None if head.get("SOPClassUID") == DICOMDIR_CLASS else _facts(head)
        except BadInput:
            raise
        except MemoryError as error:
            raise UnreadableFile("It needs more memory than there is.") from error
        except Exception as error:  # a damaged header makes pydicom raise many kinds
            raise UnreadableFile(f"Its header is damaged ({_plain(str(error))[:200]}).", "Export it again.") from error


def same_content(one: Path, other: Path) -> bool:
    """Return whether two objects differ in their preamble, file meta information or encoding alone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return bool(pydicom.dcmread(one, force=True) == pydicom.dcmread(other, force=True))


def _has_preamble(file: BinaryIO) -> bool:
    return file.read(132)[128:] == b"DICM"


def _refuse_bomb(file: BinaryIO, limits: Limits) -> None:
    """Inflate piece by piece and refuse what grows beyond the limits. The file stands at the data set."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    grown = 0
    pending = b""
    while pending or (pending := file.read(64 * 1024)):
        grown += len(inflater.decompress(pending, 1024**2))
        pending = inflater.unconsumed_tail
        if grown > limits.harmless:
            raise UnreadableFile(f"It unpacks to more than {limits.harmless} bytes.", "Export it without deflation.")
    if not inflater.eof:
        raise UnreadableFile("It is truncated: its deflated data end too early.", "Copy it again.")


def _require_whole(head: Any, file: BinaryIO, limits: Limits) -> None:
    """Refuse an object whose values end before they should. The file stands at the pixels, or at its end."""
    at = file.tell()
    size = file.seek(0, 2)
    for tag in head.keys():  # noqa: SIM118 (iterating itself would decode each value)
        element = head.get_item(tag)
        value = element.value
        if isinstance(value, bytes) and getattr(element, "length", UNDEFINED) not in (UNDEFINED, len(value)):
            raise UnreadableFile(f"It is truncated at {tag}.", "Copy it again.")
    if at >= size:
        if "Rows" in head or "Image Storage" in pydicom.uid.UID(head.get("SOPClassUID") or "").name:
            raise UnreadableFile("It is truncated: it ends before its pixels.", "Copy it again.")
        return
    if _pixel_bytes(head) > limits.file:
        raise UnreadableFile(f"It claims {_pixel_bytes(head)} bytes of pixels, more than {limits.file}.")
    file.seek(at)
    _require_pixels(head, file, size)


def _require_pixels(head: Any, file: BinaryIO, size: int) -> None:
    syntax = head.file_meta.get("TransferSyntaxUID", ImplicitVRLittleEndian)
    order = "big" if syntax == ExplicitVRBigEndian else "little"
    start = file.read(12)
    if len(start) < 8 or int.from_bytes(start[:2], order) != PIXEL_GROUP:  # type: ignore[arg-type]
        raise UnreadableFile("It is damaged before its pixels.", "Export it again.")
    explicit = start[4:6].isalpha() and start[4:6].isupper()
    length = int.from_bytes(start[8:12] if explicit else start[4:8], order)  # type: ignore[arg-type]
    if length == UNDEFINED:
        _require_fragments(file, size)
        return
    found = size - file.tell() + (0 if explicit else 4)
    expected = max(length, _pixel_bytes(head) if start[2:4] in (b"\x10\x00", b"\x00\x10") else 0)
    if found < expected:
        raise UnreadableFile(f"It is truncated: {found} bytes of pixels, not {expected}.", "Copy it again.")


def _require_fragments(file: BinaryIO, size: int) -> None:
    """Walk over the items of encapsulated pixels up to their delimiter."""
    while True:
        head = file.read(8)
        if head[:4] == b"\xfe\xff\xdd\xe0":
            return
        if head[:4] != b"\xfe\xff\x00\xe0" or file.tell() + int.from_bytes(head[4:], "little") > size:
            raise UnreadableFile("It is truncated: its compressed pixels end too early.", "Copy it again.")
        file.seek(int.from_bytes(head[4:], "little"), 1)


def _pixel_bytes(head: Any) -> int:
    """Length that native pixels must have, rounded down to whole bytes."""
    counts = [int(head.get(k) or d) for k, d in (("Rows", 0), ("Columns", 0), ("NumberOfFrames", 1))]
    samples, bits = int(head.get("SamplesPerPixel") or 1), int(head.get("BitsAllocated") or 0)
    if head.get("PhotometricInterpretation") == "YBR_FULL_422":
        samples = 2
    return counts[0] * counts[1] * counts[2] * samples * bits // 8


def _facts(head: Any) -> ObjectFacts:
    sop_class = _uid(head, "SOPClassUID")
    study, series = _uid(head, "StudyInstanceUID"), _uid(head, "SeriesInstanceUID")
    return ObjectFacts(
        _patient(head, study),
        StudyFacts(
            study, _text(head, "StudyDescription", 200), _text(head, "AccessionNumber", 64), _time(head, "Study")
        ),
        SeriesFacts(
            series,
            _text(head, "Modality", 16),
            _number(head, "SeriesNumber"),
            _text(head, "SeriesDescription", 200),
            _text(head, "BodyPartExamined", 64),
            _radiopharmaceutical(head),
            sop_class,
            _time(head, "Acquisition", "Series", "Content"),
        ),
        InstanceFacts(
            _uid(head, "SOPInstanceUID"),
            sop_class,
            str(head.file_meta.get("TransferSyntaxUID", "")),
            _number(head, "InstanceNumber"),
        ),
    )


def _patient(head: Any, study: str) -> PatientFacts:
    """Take the patient's facts; without an identifier the study stands for the person, so that no two are joined."""
    return PatientFacts(
        _text(head, "PatientID", 64) or study,
        _text(head, "IssuerOfPatientID", 64),
        _text(head, "PatientName", 200),
        _text(head, "PatientSex", 16),
        _date(_text(head, "PatientBirthDate", 8)),
    )


def _uid(head: Any, keyword: str) -> str:
    value = str(head.get(keyword) or "").strip("\x00 ")
    if not value:
        raise MissingInformation(f"It has no {keyword}.", "Export it again, as DICOM.")
    if len(value) > 64 or not UID.fullmatch(value):
        raise UnsupportedObject(f"Its {keyword} '{_plain(value)[:80]}' is no UID.")
    return value


def _plain(value: str) -> str:
    """Replace what neither a page nor a database can hold."""
    shown = (" " if unicodedata.category(c) in ("Cc", "Cs") else c for c in value)
    return "".join(shown).strip()


def _text(head: Any, keyword: str, length: int) -> str:
    try:
        value = head.get(keyword)
    except Exception:  # one damaged text is no reason to lose the object
        return ""
    return _plain(str(value if value is not None else ""))[:length]


def _number(head: Any, keyword: str) -> int | None:
    try:
        value = int(_text(head, keyword, 20))
    except ValueError:
        return None
    return value if abs(value) < 2**31 else None


def _date(text: str) -> date | None:
    try:
        return datetime.strptime(text.replace(".", ""), "%Y%m%d").date()
    except ValueError:
        return None


def _time(head: Any, *stems: str) -> datetime | None:
    """Return the first date and time that stands in the header."""
    for stem in (*stems, "Study", "Series", "Acquisition", "Content"):
        day = _date(_text(head, f"{stem}Date", 10))
        if day is not None:
            return datetime.combine(day, _clock(_text(head, f"{stem}Time", 16)), UTC)
    return None


def _clock(text: str) -> time:
    digits = re.sub(r"[:\s]", "", text)[:6].ljust(6, "0")
    try:
        return time(int(digits[:2]), int(digits[2:4]), int(digits[4:]))
    except ValueError:
        return time()


def _radiopharmaceutical(head: Any) -> str:
    """Return nuclide and drug as the object calls them, such as "Lu-177 DOTATATE"; empty where it does not."""
    try:
        item = head.RadiopharmaceuticalInformationSequence[0]
        codes = list(item.get("RadionuclideCodeSequence") or ())
    except Exception:  # absent, empty or damaged: the worklist shows nothing
        return ""
    nuclide = "".join(_text(code, "CodeMeaning", 100) for code in codes[:1])
    return f"{nuclide} {_text(item, 'Radiopharmaceutical', 90)}".strip()
