"""Dates, times, ages and numbers as text: told from a word in their place, and changed so that they tell less."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

#: how a value of a kind is written, however loosely; what is not written so may be a word
FORMS = {
    "DS": re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?"),
    "IS": re.compile(r"[-+]?\d+(\.0*)?"),
    "TM": re.compile(r"\d{2}(:?\d{2}(:?\d{2}(\.\d+)?)?)?"),
}
#: a date, parted or not, and a time with its zone after it
_INSTANT = re.compile(r"(\d{4})(\.?)(\d{2})\2(\d{2})((?:\d{2}){0,3}(?:\.\d+)?(?:[-+]\d{4})?)")
_AGE = re.compile(r"(\d{1,3})([DWMY])")
#: of people as old as this few live in a place
OLDEST_YEARS = 89


def is_plain(vr: str, text: str) -> bool:
    """Whether a text is a value of a kind, and no word in its place; a kind without a form holds anything."""
    return not text or vr not in FORMS or FORMS[vr].fullmatch(text) is not None


def earlier(text: str, days: int) -> str:
    """Return a date, or a date with a time, so many days earlier; empty where it is no whole date."""
    found = _INSTANT.fullmatch(text)
    if found is None:
        return ""
    try:
        day = datetime(int(found[1]), int(found[3]), int(found[4])) - timedelta(days=days)
    except (ValueError, OverflowError):
        return ""
    return f"{day:%Y%m%d}".zfill(8) + found[5]


def age(text: str) -> str:
    """Return an age, that of the oldest as 90 years: they are too few to hide among; empty where it is none."""
    found = _AGE.fullmatch(text.upper())
    if found is None:
        return ""
    count = min(int(found[1]), OLDEST_YEARS + 1) if found[2] == "Y" else int(found[1])
    return f"{count:03d}{found[2]}"


def age_between(born: str, seen: str) -> str:
    """Return the age, in years, on one date of somebody born on another; empty where they do not tell it."""
    if not (len(born) == len(seen) == 8 and (born + seen).isascii() and (born + seen).isdigit()):
        return ""
    years = (int(seen) - int(born)) // 10000
    return age(f"{years}Y") if 0 <= years < 150 else ""
