"""Free text cleaned by keeping what is known to name nobody: words of the field, nuclides, and short numbers."""

from __future__ import annotations

import re

from hevesy.data.deidentification import vocabulary
from hevesy.errors import UnreadableFile
from hevesy.stages.imaging.administration import parse_nuclide

#: most digits in a number, or in numbers that only punctuation parts; dates and identifiers have more
MOST_DIGITS = 3
#: months in English, German and French, whole or cut short
_MONTH = (
    "(?i:jan(?:uary|uar|vier)?|feb(?:ruary|ruar)?|f[eé]v(?:rier)?|mar(?:ch|s)?|mär(?:z)?|a[pv]r(?:il)?|ma[iy]|ju[ni]n?[ei]?"
    "|jul[iy]?|juil(?:let)?|aug(?:ust)?|ao[uû]t|sept?(?:emb(?:er|re))?|o[ck]t(?:ob(?:er|re))?|nov(?:emb(?:er|re))?"
    "|de[cz](?:ember)?|d[eé]c(?:embre)?)"
)
#: a date whose month is a word
SPELT_DATE = re.compile(
    rf"(?<!\d)\d{{1,2}}[\s._-]*{_MONTH}[\s.,_-]*\d{{2,4}}(?!\d)"
    rf"|(?<![^\W_]){_MONTH}[\s.,_-]*\d{{1,2}}[\s.,_-]+\d{{4}}(?!\d)"
)
_NUMBERS = re.compile(r"\d+(?:\s+\d+){2,}|\d+(?:[./_:-]+\d+)*")
#: a word, or a nuclide that a hyphen parts
_WORD = re.compile(r"(?<![^\W_])(?:[A-Z][a-z]?-\d{1,3}m?|\d{1,3}m?-[A-Z][a-z]?)(?![^\W_])|[^\W_]+")
#: what no descriptor needs
_MARKS = re.compile(r"[^\w\s.,;:/+%()-]")
#: letters or digits of a word such as 24h, scan2 or c2s1d0
_PIECE = re.compile(r"[^\W\d_]+|\d+")


def clean_descriptor(text: str) -> str:
    """Return a descriptor without any word that is not in the vocabulary; it may be empty."""
    without_dates = _NUMBERS.sub(_short_numbers, SPELT_DATE.sub(" ", text))
    kept = _WORD.sub(lambda word: word[0] if is_known(word[0]) else "", without_dates)
    if kept == text and not _MARKS.search(text):
        return text.strip(" _.,;:/\\-")
    joined = re.sub(r"([\s_.,;:/\\-])[\s_.,;:/\\-]+", r"\1", _MARKS.sub(" ", kept))
    return joined.replace("()", "").strip(" _.,;:/\\-")


def says_nothing_of_anybody(text: str) -> bool:
    """Whether every word of a text is known, and none is a code of letters and digits, such as a patient's PT12."""
    return all(is_known(word) and (_is_nuclide(word) or len(_PIECE.findall(word)) == 1) for word in _WORD.findall(text))


def is_known(word: str) -> bool:
    """Whether a word is a nuclide, or made of words of the vocabulary and a few digits."""
    pieces = _PIECE.findall(word.lower())
    digits = sum(len(piece) for piece in pieces if piece.isdigit())
    if digits <= MOST_DIGITS and all(piece.isdigit() or piece in vocabulary() for piece in pieces):
        return True
    return _is_nuclide(word)


def _is_nuclide(word: str) -> bool:
    try:
        return parse_nuclide(word) is not None
    except UnreadableFile:  # an element with an impossible mass number
        return False


def _short_numbers(found: re.Match[str]) -> str:
    return found[0] if sum(c.isdigit() for c in found[0]) <= MOST_DIGITS else " "
