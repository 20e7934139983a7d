"""Free text cleaned by keeping what is known to name nobody: words of the field, nuclides, and short numbers."""

from __future__ import annotations

import re

from hevesy.data.deidentification import vocabulary
from hevesy.errors import UnreadableFile
from hevesy.stages.imaging.administration import parse_nuclide

#: most digits in a number, or in numbers that only punctuation parts; dates and identifiers have more
MOST_DIGITS = 3
_NUMBERS = re.compile(r"\d+(?:\s+\d+){2,}|\d+(?:[./_:-]+\d+)*")
#: a word, or a nuclide that a hyphen parts
_WORD = re.compile(r"(?<![^\W_])(?:[A-Z][a-z]?-\d{1,3}m?|\d{1,3}m?-[A-Z][a-z]?)(?![^\W_])|[^\W_]+")
#: a word with a number before or after it, such as 24h or scan2
_NUMBERED = re.compile(r"([^\W\d_]*)(\d*)([^\W\d_]*)")


def clean_descriptor(text: str) -> str:
    """Return a descriptor without any word that is not in the vocabulary; it may be empty."""
    without_dates = _NUMBERS.sub(_short_numbers, text)
    kept = _WORD.sub(lambda word: word[0] if is_known(word[0]) else "", without_dates)
    joined = re.sub(r"([\s_.,;:/\\-])[\s_.,;:/\\-]+", r"\1", re.sub(r"[^\w\s.,;:/+%()-]", " ", kept))
    return joined.replace("()", "").strip(" _.,;:/\\-")


def says_nothing_of_anybody(text: str) -> bool:
    """Whether every word of a text is known."""
    return all(is_known(word) for word in _WORD.findall(text))


def is_known(word: str) -> bool:
    """Whether a word is of the vocabulary, a nuclide, a short number, or a known word with one."""
    lower = word.lower()
    if lower in vocabulary():
        return True
    before_digits_after = _NUMBERED.fullmatch(lower)
    if before_digits_after is not None:
        before, digits, after = before_digits_after.groups()
        if len(digits) <= MOST_DIGITS and all(part in vocabulary() for part in (before, after) if part):
            return True
    try:
        return parse_nuclide(word) is not None
    except UnreadableFile:  # an element with an impossible mass number
        return False


def _short_numbers(found: re.Match[str]) -> str:
    return found[0] if sum(c.isdigit() for c in found[0]) <= MOST_DIGITS else " "
