"""What names a patient in headers, and the pseudonyms that stand for it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from hevesy.errors import BadInput, MissingInformation
from hevesy.stages.imaging import header
from hevesy.stages.imaging.descriptors import SPELT_DATE, says_nothing_of_anybody

#: shortest secret key, bytes
SHORTEST_KEY = 16
#: dates go back by one year to ten: far enough that no shifted date is one of the same patient's true ones
LEAST_DAYS, MOST_DAYS = 366, 3652
#: UIDs of standards, such as SOP classes and coding schemes (HL7), which name no object
STANDARD_ROOTS = ("1.2.840.10008.", "2.16.840.1.113883.6.")
DIGITS_AND_DOTS = frozenset("0123456789.")
#: a part of a name, or an identifier, that is shorter would be found everywhere
SHORTEST = 3
#: a name or an identifier as long as this is told apart even within another word
LONG = 6
#: what stands where nobody is named
NOBODY = frozenset({"anonymous", "anonymized", "anonymised", "anon", "unknown", "none", "removed", "patient"})
#: a date or a UID within a text
DATE_OR_UID = re.compile(
    r"(?<!\d)(19|20)\d{6}(?!\d)|\d{1,4}[-/.]\d{1,2}[-/.]\d{2,4}|(19|20)\d\d[-/]\d{1,2}[-/]\d|\d+(\.\d+){5,}"
    r"|2\.25\.\d{10,}"
    f"|{SPELT_DATE.pattern}"
)


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """What stands for whom: it follows from the secret key alone, and leads back to nothing without it.

    Raises
    ------
    BadInput
        If the key is shorter than 16 bytes.
    """

    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.key) < SHORTEST_KEY:
            raise BadInput(f"A key of {len(self.key)} bytes can be guessed.", f"Give {SHORTEST_KEY} bytes or more.")

    def patient(self, subject: str) -> str:
        """Return the pseudonym of a patient, from what tells them from every other (`subject_of`)."""
        return "H" + base64.b32encode(self._digest("patient", subject))[:11].decode()

    def days(self, pseudonym: str) -> int:
        """Return by how many days the dates of a patient go back, who goes by a pseudonym."""
        span = MOST_DAYS - LEAST_DAYS + 1
        return LEAST_DAYS + int.from_bytes(self._digest("days", pseudonym)[:8], "big") % span

    def uid(self, true: str) -> str:
        """Return the UID that stands for another; those of the standard stay."""
        true = true.strip(" \0")
        if not true or (true.startswith(STANDARD_ROOTS) and set(true) <= DIGITS_AND_DOTS):
            return true
        return f"2.25.{int.from_bytes(self._digest('uid', true)[:16], 'big')}"

    def _digest(self, what: str, value: str) -> bytes:
        return hmac.new(self.key, f"{what}\0{value}".encode(), hashlib.sha256).digest()


def subject_of(head: Any) -> str:
    """Return what tells one patient from another by an object alone: Patient ID with its issuer, or else the name.

    Raises
    ------
    MissingInformation
        If there is neither.
    """
    identifier, issuer = header.text(head, "PatientID"), header.text(head, "IssuerOfPatientID")
    if identifier:
        return f"{identifier}\0{issuer}" if issuer else identifier
    name = " ".join(re.split(r"[\^=\s,]+", header.text(head, "PatientName").casefold())).strip()
    if not name:
        raise MissingInformation(
            "An object names no patient: neither Patient ID (0010,0020) nor Patient's Name (0010,0010).",
            "Dates of one patient could not be shifted alike; complete the header.",
        )
    return name


def _either(texts: Iterable[str]) -> str:
    return "|".join(re.escape(text) for text in sorted(texts, key=len, reverse=True))


def _is_telling(text: str) -> bool:
    """Whether a text is found even within a word: a long one, or one of a script that does not part words."""
    return len(text) >= LONG or not text.isascii()


@dataclass(frozen=True, slots=True)
class Identity:
    """The texts that name a patient, the people and the places around them, in lower case."""

    texts: frozenset[str] = field(repr=False)
    _pattern: re.Pattern[str] | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # short ones where they stand alone, since 'Lee' is not named by 'sleeve'; long ones within words, too
        alone = _either(text for text in self.texts if not _is_telling(text))
        within = _either(text for text in self.texts if _is_telling(text))
        patterns = [rf"(?<![^\W_])(?:{alone})(?![^\W_])" if alone else "", within]
        either = "|".join(pattern for pattern in patterns if pattern)
        object.__setattr__(self, "_pattern", re.compile(either, re.IGNORECASE) if either else None)

    def is_named_in(self, text: str) -> bool:
        """Whether a text holds a name or an identifier."""
        return self._pattern is not None and self._pattern.search(text) is not None

    def removed_from(self, text: str) -> str:
        """Return a text without the names and identifiers in it."""
        return text if self._pattern is None else self._pattern.sub(" ", text)


def texts_of(element: DataElement) -> Iterator[str]:
    """Yield each value of an element as text."""
    values = element.value if element.VM > 1 else [element.value]
    yield from (str(value).strip() for value in values if value not in (None, ""))


def names_within(texts: Iterable[str], person: bool) -> Iterator[str]:
    """Yield what of texts would name somebody elsewhere: the whole, and the parts of a person's name."""
    for text in texts:
        parts = re.split(r"[\^=\s,]+", text) if person else []
        for part in (text, *parts):
            lower = part.strip().lower()
            if (
                len(lower) >= (SHORTEST if lower.isascii() else SHORTEST - 1)
                and lower not in NOBODY
                and not says_nothing_of_anybody(part)
            ):
                yield lower


def elements_within(dataset: Dataset) -> Iterator[DataElement]:
    """Yield every element of a dataset and of the sequences in it, sequences themselves left out."""
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                yield from elements_within(item)
        else:
            yield element
