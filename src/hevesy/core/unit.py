"""Products and quotients of unit symbols, so that a result knows its unit."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

#: the pairs of symbols that one computation meets are few
_cached = lru_cache(maxsize=512)


@_cached
def multiply(first: str, second: str) -> str:
    """Return the product of two unit symbols: ``multiply("Bq", "s")`` is ``"Bq·s"``."""
    return _symbol(_powers(first), _powers(second), 1.0)


@_cached
def divide(first: str, second: str) -> str:
    """Return the quotient of two unit symbols: ``divide("Bq", "mL")`` is ``"Bq/mL"``."""
    return _symbol(_powers(first), _powers(second), -1.0)


@_cached
def raise_to(unit: str, power: float) -> str:
    """Return a unit symbol raised to a power: ``raise_to("mm", 2)`` is ``"mm^2"``."""
    return _symbol({}, _powers(unit), power)


def _powers(unit: str) -> dict[str, float]:
    powers: Counter[str] = Counter()
    for part, sign in zip(unit.split("/"), [1, *[-1] * unit.count("/")], strict=True):
        for factor in filter(None, part.split("·")):
            name, _, power = factor.partition("^")
            if name != "1":
                powers[name] += sign * float(power or 1)  # type: ignore[assignment]
    return dict(powers)


def _symbol(first: dict[str, float], second: dict[str, float], power: float) -> str:
    names = [*first, *(name for name in second if name not in first)]
    powers = {name: first.get(name, 0.0) + power * second.get(name, 0.0) for name in names}
    above = "·".join(_factor(name, p) for name, p in powers.items() if p > 0)
    below = "/".join(_factor(name, -p) for name, p in powers.items() if p < 0)
    if not below:
        return above
    return f"{above or '1'}/{below}"


def _factor(name: str, power: float) -> str:
    return name if power == 1 else f"{name}^{power:g}"
