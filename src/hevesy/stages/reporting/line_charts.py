"""Panels of lines with a legend, as one SVG file that stands alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import ArrayLike

from hevesy.errors import BadInput
from hevesy.stages.reporting.charts import ticks
from hevesy.stages.reporting.svg import drawing, path, tag

#: distinguishable with any colour vision (Okabe and Ito, 2008), dark enough for a white page
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#a6528a", "#8a6d00", "#333333", "#3a8fb7", "#8c4a1f")
_WIDTH, _HEIGHT = 460.0, 330.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 62.0, 16.0, 44.0, 50.0
_LEGEND_LINE = 18.0


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One line of a panel.

    Parameters
    ----------
    name : str
        In the legend.
    x, y : (n,) array_like
        Its points.
    dashed : bool
        Drawn broken, such as a law beside what was measured.
    marked : bool
        A dot at each point.
    colour : int or None
        Number of its colour; None takes its place among the lines.
    """

    name: str
    x: ArrayLike
    y: ArrayLike
    dashed: bool = False
    marked: bool = False
    colour: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Lines on one pair of axes, both of which start at `origin`.

    Parameters
    ----------
    title, x_label, y_label : str
        Words.
    lines : tuple of Line
        At least one.
    origin : tuple of float
        Lower left corner.

    Raises
    ------
    BadInput
        If there is nothing to draw.
    """

    title: str
    x_label: str
    y_label: str
    lines: tuple[Line, ...]
    origin: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        if not self.lines or any(np.size(line.x) == 0 or np.shape(line.x) != np.shape(line.y) for line in self.lines):
            raise BadInput(f"Panel '{self.title}' needs lines with as many x as y.")


def line_chart(title: str, panels: Sequence[Panel]) -> str:
    """Return an SVG document with panels side by side, each with its legend below."""
    deepest = max(len(panel.lines) for panel in panels)
    width, height = _WIDTH * len(panels), _HEIGHT + 42.0 + _LEGEND_LINE * deepest
    parts = [
        tag("rect", x=0, y=0, width=width, height=height, fill="#fff"),
        _words(title, x=14, y=24, font_weight="bold", font_size=15),
    ]
    for number, panel in enumerate(panels):
        parts.append(tag("g", _drawn(panel), transform=f"translate({_WIDTH * number:.0f} 30)"))
    svg = drawing(width, height, title, *parts)
    return str(svg).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1) + "\n"


def _drawn(panel: Panel) -> Markup:
    (x_least, y_least) = panel.origin
    x_most = x_least + 1.02 * (max(float(np.max(line.x)) for line in panel.lines) - x_least)
    y_most = y_least + 1.06 * (max(float(np.max(line.y)) for line in panel.lines) - y_least)
    frame = _Frame(x_least, x_most, y_least, y_most)
    colours = [COLOURS[(n if s.colour is None else s.colour) % len(COLOURS)] for n, s in enumerate(panel.lines)]
    drawn = [frame.drawn(line, colour) for line, colour in zip(panel.lines, colours, strict=True)]
    legend = [_entry(n, line, colour) for n, (line, colour) in enumerate(zip(panel.lines, colours, strict=True))]
    heading = _words(panel.title, x=_LEFT, y=_TOP - 12, font_weight="bold")
    return Markup("").join([frame.axes(panel.x_label, panel.y_label), *drawn, heading, *legend])


@dataclass(frozen=True, slots=True)
class _Frame:
    x_least: float
    x_most: float
    y_least: float
    y_most: float

    def x(self, value: ArrayLike) -> ArrayLike:
        across = (np.asarray(value, float) - self.x_least) / (self.x_most - self.x_least)
        return _LEFT + across * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: ArrayLike) -> ArrayLike:
        up = (np.asarray(value, float) - self.y_least) / (self.y_most - self.y_least)
        return _HEIGHT - _BOTTOM - up * (_HEIGHT - _TOP - _BOTTOM)

    def drawn(self, line: Line, colour: str) -> Markup:
        x, y = np.atleast_1d(self.x(line.x)), np.atleast_1d(self.y(line.y))
        stroke = tag("path", d=path(x, y), fill="none", stroke=colour, stroke_width=2, **_dash(line))
        dots = [tag("circle", cx=a, cy=b, r=3.2, fill=colour) for a, b in zip(x, y, strict=True) if line.marked]
        return Markup("").join([stroke, *dots])

    def axes(self, x_label: str, y_label: str) -> Markup:
        foot, right = float(np.asarray(self.y(self.y_least))), _WIDTH - _RIGHT
        parts = []
        for tick in _from(self.x_least, self.x_most, 6):
            x = float(np.asarray(self.x(tick)))
            parts += [tag("line", x1=x, x2=x, y1=foot, y2=foot + 4, stroke="#555")]
            parts += [_words(f"{tick:g}", x=x, y=foot + 18, text_anchor="middle")]
        for tick in _from(self.y_least, self.y_most, 6):
            y = float(np.asarray(self.y(tick)))
            parts += [tag("line", x1=_LEFT, x2=right, y1=y, y2=y, stroke="#ddd")]
            parts += [_words(f"{tick:g}", x=_LEFT - 7, y=y + 4, text_anchor="end")]
        parts += [tag("line", x1=_LEFT, x2=right, y1=foot, y2=foot, stroke="#555")]
        middle, turn = (_TOP + foot) / 2, f"rotate(-90 14 {(_TOP + foot) / 2:.1f})"
        parts += [_words(x_label, x=(_LEFT + right) / 2, y=foot + 38, text_anchor="middle")]
        parts += [_words(y_label, x=14, y=middle, text_anchor="middle", transform=turn)]
        return Markup("").join(parts)


def _from(least: float, most: float, about: int) -> list[float]:
    if least == 0.0:
        return ticks(most, about)
    step = ticks(most - least, about)[1]
    first = np.ceil(least / step - 1e-9) * step
    return [float(round(v, 10)) for v in np.arange(first, most, step)]


def _entry(number: int, line: Line, colour: str) -> Markup:
    y = _HEIGHT + 10 + _LEGEND_LINE * number
    mark = tag("line", x1=_LEFT, x2=_LEFT + 26, y1=y - 4, y2=y - 4, stroke=colour, stroke_width=2, **_dash(line))
    if np.size(line.x) == 1:
        mark = tag("circle", cx=_LEFT + 13, cy=y - 4, r=3.2, fill=colour)
    return mark + _words(line.name, x=_LEFT + 34, y=y)


def _words(text: str, font_size: float = 12.0, **attributes: str | float | None) -> Markup:
    return tag("text", text, font_family="sans-serif", font_size=font_size, fill="#222", **attributes)


def _dash(line: Line) -> dict[str, str | None]:
    return {"stroke_dasharray": "6 4" if line.dashed else None}
