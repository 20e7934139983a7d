"""Numbers on pages, rounded as in the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from django import template

from hevesy.stages.reporting.rounding import plain, rounded
from hevesy.web.workbench.words import viewer_words

register = template.Library()
register.simple_tag(viewer_words)


@register.filter
def figures(value: float | None, digits: int = 3) -> str:
    """Return a number to so many significant figures."""
    return "" if value is None else plain(float(value), digits)


@register.filter
def measured(pair: Mapping[str, float] | None) -> str:
    """Return ``value ± u``, rounded to the uncertainty; the value alone where a result was stored without one."""
    return plus_minus(pair["value"], pair.get("u")) if pair else "–"


@register.filter
def plus_minus(value: float | str | None, u: float | str | None) -> str:
    """Return ``value ± u`` of two numbers, rounded to the uncertainty; what a stored result lacks is None or empty."""
    if value is None or value == "":
        return "–"
    shown, spread = rounded(float(value), float(u or 0.0))
    return f"{shown} ± {spread}" if spread else shown


@register.filter
def instant(text: str | None) -> str:
    """Return an instant of ISO 8601 as people write it, to the minute."""
    return "–" if not text else text.replace("T", " ")[:16]


@register.filter
def item(items: Sequence[Any], index: int) -> Any:
    """Return one of several by its number from 0."""
    return items[index]


@register.simple_tag
@cache
def viewer_modules() -> list[str]:
    """Return the viewer's modules, by which a page asks for all at once and not for each as another names it."""
    static = Path(__file__).parents[1] / "static"
    return sorted(path.relative_to(static).as_posix() for path in static.glob("workbench/viewer/*.js"))
