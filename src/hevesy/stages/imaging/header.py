"""Typed reading of DICOM header values: absent and empty are one, and nothing is invented."""

from __future__ import annotations

import warnings
from datetime import date, datetime, timedelta, timezone
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.sequence import Sequence

from hevesy.errors import UnreadableFile

#: de-identification writes dates such as 00010101; no image is older than the modality
EARLIEST_YEAR = 1950


def raw(header: Any, keyword: str | tuple[int, int]) -> Any:
    """Return a value as pydicom converts it; None where it is absent or empty.

    Raises
    ------
    UnreadableFile
        If the stored bytes are no value of the element's kind.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # a value that breaks the standard's style, such as its length, still counts
            value = header.get(keyword)
    except Exception as error:  # conversion is lazy, and damage makes it raise many kinds
        raise UnreadableFile(f"{keyword} is damaged ({error}).", "Export the object again.") from error
    return None if value == "" else value


def whole(header: Any, keyword: str, default: int = 0) -> int:
    """Return a whole number, or the default where it is absent or empty.

    Raises
    ------
    UnreadableFile
        If the value is not one number.
    """
    value = number(header, keyword)
    return default if value is None else int(value)


def frames(header: Any) -> int:
    """Return the number of frames; 1 where it is not stated."""
    return max(whole(header, "NumberOfFrames", 1), 1)


def text(header: Any, keyword: str) -> str:
    """Return a text value, stripped; ``""`` where it is absent or empty."""
    value = raw(header, keyword)
    return "" if value is None else str(value).strip()


def words(header: Any, keyword: str) -> tuple[str, ...]:
    """Return a multi-valued text, such as Image Type, in capitals; empty where it is absent."""
    value = raw(header, keyword)
    if value is None:
        return ()
    values = [value] if isinstance(value, str) else list(value)
    return tuple(str(v).strip().upper() for v in values)


def number(header: Any, keyword: str) -> float | None:
    """Return a number; None where it is absent or empty.

    Raises
    ------
    UnreadableFile
        If the value is not one finite number.
    """
    value = raw(header, keyword)
    if value is None:
        return None
    try:
        result = float(value)
    except (TypeError, ValueError) as error:
        raise UnreadableFile(f"{keyword} holds '{value}', which is not a number.") from error
    if not np.isfinite(result):
        raise UnreadableFile(f"{keyword} holds '{value}', which is not finite.")
    return result


def positive(header: Any, keyword: str) -> float | None:
    """Return a number above zero; None where it is absent, empty or zero, as vendors write for unknown."""
    value = number(header, keyword)
    return value if value is not None and value > 0 else None


def numbers(header: Any, keyword: str) -> NDArray[np.float64] | None:
    """Return finite numbers (n,); None where the value is absent or empty.

    Raises
    ------
    UnreadableFile
        If the value is not made of finite numbers.
    """
    value = raw(header, keyword)
    if value is None:
        return None
    try:
        result = np.array([float(v) for v in (value if np.iterable(value) else [value])])
    except (TypeError, ValueError) as error:
        raise UnreadableFile(f"{keyword} holds '{value}', which are not numbers.") from error
    if not np.isfinite(result).all():
        raise UnreadableFile(f"{keyword} holds {value}, which are not finite.")
    return result if result.size else None


def vector(header: Any, keyword: str, length: int) -> NDArray[np.float64] | None:
    """Return a vector of given length; None where it is absent or empty.

    Raises
    ------
    UnreadableFile
        If the value has another length or is not made of finite numbers.
    """
    result = numbers(header, keyword)
    if result is not None and result.size != length:
        raise UnreadableFile(f"{keyword} needs {length} numbers and holds {result.size}.")
    return result


def items(header: Any, keyword: str) -> tuple[Any, ...]:
    """Return the items of a sequence; empty where it is absent."""
    found = raw(header, keyword)
    return tuple(found) if isinstance(found, Sequence) else ()


def day(header: Any, keyword: str) -> date | None:
    """Return a date; None where it is absent, empty, or a de-identifier's filling."""
    return _day(text(header, keyword))


def instant(header: Any, date_keyword: str, time_keyword: str) -> datetime | None:
    """Return the instant that a date and a time name together; None where either is absent.

    The instant carries the zone of Timezone Offset From UTC (0008,0201) where that is given.
    """
    on = day(header, date_keyword)
    since_midnight = seconds_of_day(text(header, time_keyword))
    if on is None or since_midnight is None:
        return None
    midnight = datetime(on.year, on.month, on.day, tzinfo=zone(text(header, "TimezoneOffsetFromUTC")))
    return midnight + timedelta(seconds=since_midnight)


def date_time(value: str, default_zone: timezone | None) -> datetime | None:
    """Return the instant of a DT value, in its own zone or else the default one; None where it is empty."""
    value = value.strip()
    digits, offset = value, default_zone
    for sign in "+-":
        if sign in value:
            digits, _, rest = value.partition(sign)
            offset = zone(sign + rest)
    on = _day(digits[:8])
    since_midnight = seconds_of_day(digits[8:])
    if on is None or since_midnight is None:
        return None
    return datetime(on.year, on.month, on.day, tzinfo=offset) + timedelta(seconds=since_midnight)


def seconds_of_day(value: str) -> float | None:
    """Return the seconds since midnight of a TM value HHMMSS.FFFFFF, however short; None where it is empty."""
    digits = value.replace(":", "").strip()
    if len(digits) < 2:
        return None
    try:
        hours, minutes = int(digits[:2]), int(digits[2:4] or 0)
        return hours * 3600.0 + minutes * 60.0 + round(float(digits[4:] or 0), 6)
    except ValueError as error:
        raise UnreadableFile(f"'{value}' is not a DICOM time.") from error


def zone(value: str) -> timezone | None:
    """Return the zone of an offset such as ``"-0400"``; None where it is empty."""
    value = value.strip()
    if not value:
        return None
    try:
        sign = -1 if value[0] == "-" else 1
        return timezone(sign * timedelta(hours=int(value[1:3]), minutes=int(value[3:5])))
    except ValueError as error:
        raise UnreadableFile(f"'{value}' is not an offset from UTC.") from error


def private(header: Any, group: int, creator: str, element: int) -> str:
    """Return the value of a private element as text; ``""`` where its block or the element is absent.

    Elements that were copied without their creator are found by the customary block 0x10.
    """
    try:
        value = header.private_block(group, creator)[element].value
    except KeyError:
        found = raw(header, (group, 0x1000 | element))
        value = None if found is None else found.value
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    return "" if value is None else str(value).strip(" \0")


def _day(value: str) -> date | None:
    digits = value.replace(".", "").replace("-", "").strip()
    if len(digits) != 8 or not digits.isdigit() or int(digits[:4]) < EARLIEST_YEAR:
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
