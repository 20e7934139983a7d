"""Numbers as a reader should see them: rounded to their uncertainty."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, Decimal

from hevesy.core import Measured

NARROW_SPACE = "\u202f"
MINUS = "\u2212"

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

#: figures of a number that has no uncertainty of its own
PLAIN_DIGITS = 3


def rounded(value: float, u: float, digits: int = PLAIN_DIGITS) -> tuple[str, str]:
    """Return a value and its standard uncertainty as text.

    The uncertainty keeps two significant digits and the value ends at the same decimal place
    (GUM, JCGM 100:2008, 7.2.6). Without an uncertainty the value keeps `digits` and the second text is empty.
    """
    if not u > 0:
        return at_place(value, _place(value, digits)), ""
    place = _place(u, 2)
    return at_place(value, place), at_place(u, place)


def with_uncertainty(measured: Measured, divisor: float = 1.0, digits: int = PLAIN_DIGITS) -> str:
    """Return ``value ± u``, or the value alone to `digits` where it has no uncertainty, in the unit times `divisor`."""
    value, u = rounded(measured.value / divisor, measured.u / divisor, digits)
    return f"{value} ± {u}" if u else value


def scientific(measured: Measured) -> str:
    """Return ``value ± u unit``; with a power of ten where plain digits would be mostly zeros."""
    largest = max(abs(measured.value), measured.u)
    power = math.floor(math.log10(abs(measured.value))) if measured.value else 0
    if 1e-3 <= largest < 1e6 or not largest:
        return f"{with_uncertainty(measured)} {measured.unit}".rstrip()
    factor = f"10{str(power).translate(_SUPERSCRIPT)}"
    return f"({with_uncertainty(measured, 10.0**power)}) × {factor} {measured.unit}".rstrip()


def interval(bounds: tuple[float, float], u: float, divisor: float = 1.0) -> str:
    """Return an interval as text, its ends rounded as the value with standard uncertainty `u` would be."""
    place = _place(u / divisor, 2) if u > 0 else _place(max(map(abs, bounds)) / divisor, PLAIN_DIGITS)
    lower, upper = (at_place(bound / divisor, place) for bound in bounds)
    return f"{lower} to {upper}"


def plain(value: float, digits: int = PLAIN_DIGITS) -> str:
    """Return a value to so many significant digits."""
    return at_place(value, _place(value, digits))


def alike(value: float, u: float) -> str:
    """Return a value without its uncertainty, rounded as if it had the standard uncertainty `u`."""
    return rounded(value, u)[0]


def at_place(value: float, place: int) -> str:
    """Return a value rounded at a decimal place: 1 is tenths, 0 ones, -1 tens."""
    number = Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-place), ROUND_HALF_EVEN)
    text = f"{abs(number):,.{max(place, 0)}f}".replace(",", NARROW_SPACE)
    if text.count(NARROW_SPACE) == 1 and text.index(NARROW_SPACE) == 1:
        text = text.replace(NARROW_SPACE, "")  # four digits stay together
    return f"{MINUS}{text}" if number < 0 else text


def _place(value: float, digits: int) -> int:
    """Return the decimal place of the last of so many significant digits, once rounding has been done."""
    if value == 0 or not math.isfinite(value):
        return digits - 1
    place = digits - 1 - math.floor(math.log10(abs(value)))
    carried = round(abs(value), place)
    return digits - 1 - math.floor(math.log10(carried)) if carried else place
