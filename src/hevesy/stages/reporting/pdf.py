"""report.pdf: the page of report.html on paper, set by Typst."""

from __future__ import annotations

import html
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html.parser import HTMLParser
from importlib.resources import as_file, files
from pathlib import Path

import typst

_VOID = frozenset({"meta", "br", "link", "img", "input"})
_UNSEEN = frozenset({"head", "style", "title"})
_SVG = re.compile(r"<svg\b.*?</svg>", re.DOTALL)
_LABEL = re.compile(r'<svg[^>]*\baria-label="([^"]*)"')
_CLASS = re.compile(r'<svg[^>]*\bclass="([^"]*)"')


@dataclass(slots=True)
class _Element:
    """One element of the page."""

    tag: str
    classes: frozenset[str] = frozenset()
    children: list[_Element | str] = field(default_factory=list)

    def elements(self, *tags: str) -> list[_Element]:
        return [c for c in self.children if isinstance(c, _Element) and (not tags or c.tag in tags)]

    def every(self, tag: str) -> Iterator[_Element]:
        for child in self.elements():
            if child.tag == tag:
                yield child
            yield from child.every(tag)


class _Reader(HTMLParser):
    """Reads our own pages, whose every element is closed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = _Element("page")
        self._open = [self.root]

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        element = _Element(tag, frozenset((dict(attributes).get("class") or "").split()))
        self._open[-1].children.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


def render_pdf(page: str, created: datetime) -> bytes:
    """Set a report's page on paper.

    The words, numbers and drawings are those of the page; the same page gives the same bytes.

    Parameters
    ----------
    page : str
        What `hevesy.stages.reporting.html.render` returned.
    created : datetime
        When the result was made; stated in the file, in UTC where it names no time zone.

    Returns
    -------
    bytes
        A tagged PDF (PDF/UA-1) with its fonts in it.
    """
    drawings = _SVG.findall(page)
    numbers = iter(range(len(drawings)))
    reader = _Reader()
    reader.feed(_SVG.sub(lambda _: f"<svg>{next(numbers)}</svg>", page))
    style = _drawing_style()
    with tempfile.TemporaryDirectory() as name, as_file(_RESOURCES / "fonts") as fonts:
        folder = Path(name)
        for number, drawing in enumerate(drawings):
            inside = drawing.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
            inside = inside.replace(">", f"><style>{style}</style>", 1)
            (folder / f"{number}.svg").write_text(inside, encoding="utf-8")
        preamble = (_RESOURCES / "templates/report.typ").read_text(encoding="utf-8")
        source = folder / "report.typ"
        source.write_text(preamble + _Writer(drawings).content(reader.root), encoding="utf-8")
        made: bytes = typst.compile(
            source, font_paths=[fonts], ignore_system_fonts=True, timestamp=_in_utc(created), pdf_standards="ua-1"
        )
    return made


_RESOURCES = files("hevesy.stages.reporting")


def _in_utc(instant: datetime) -> datetime:
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


class _Writer:
    """Writes elements as Typst markup; every text goes into a string literal, so that none is read as markup."""

    def __init__(self, drawings: Sequence[str]) -> None:
        self._drawings = drawings
        self._by_tag: dict[str, Callable[[_Element], str]] = {
            "svg": self._drawing,
            "table": self._table,
            "dl": self._facts,
            "ul": self._items,
            "ol": self._items,
            "br": lambda _: "#linebreak()",
            "strong": lambda e: f"#strong[{self.content(e)}]",
            "em": lambda e: f"#emph[{self.content(e)}]",
            "h1": self._heading,
            "h2": self._heading,
            "h3": self._heading,
        }

    def content(self, element: _Element) -> str:
        """Return what is within an element."""
        return "".join(self._text(c) if isinstance(c, str) else self._element(c) for c in element.children)

    def _element(self, element: _Element) -> str:
        if element.tag in _UNSEEN:
            return ""
        if element.tag in self._by_tag:
            return self._by_tag[element.tag](element)
        if element.tag == "div" and element.classes & {"pair", "projections", "planes", "dose-block"}:
            cells = ", ".join(f"[{self._element(child)}]" for child in element.elements())
            return f"#{'dose-block' if 'dose-block' in element.classes else 'beside'}({cells})\n"
        if element.tag in ("p", "figure", "figcaption", "section", "header", "footer", "div", "span"):
            classes = ", ".join(_literal(name) for name in sorted(element.classes))
            return f"#{element.tag}(({classes}{',' if classes else ''}))[{self.content(element)}]"
        return self.content(element)

    @staticmethod
    def _text(text: str) -> str:
        joined = re.sub(r"[ \t\r\n\f]+", " ", text)
        return f"#{_literal(joined)};" if joined.strip() else " " if joined else ""

    def _heading(self, element: _Element) -> str:
        return f"#heading(level: {element.tag[1]})[{self.content(element)}]\n"

    def _items(self, element: _Element) -> str:
        items = ", ".join(f"[{self.content(item)}]" for item in element.elements("li"))
        kind = "enum" if element.tag == "ol" else "list"
        return f"#{kind}({items})\n" if items else ""

    def _drawing(self, element: _Element) -> str:
        number = int(str(element.children[0]))
        label, classes = (pattern.search(self._drawings[number]) for pattern in (_LABEL, _CLASS))
        alt = _literal(html.unescape(label.group(1) if label else "drawing"))
        kind = _literal(classes.group(1) if classes else "")
        return f'#drawing("{number}.svg", {alt}, {kind})'

    def _facts(self, element: _Element) -> str:
        kind = "listed" if "list" in element.classes else "facts"
        pairs = [
            f"([{self.content(row.elements('dt')[0])}], [{self.content(row.elements('dd')[0])}])"
            for row in element.elements("div")
        ]
        return f"#{kind}({', '.join(pairs)})\n" if pairs else ""

    def _table(self, element: _Element) -> str:
        rows = [(row, row.elements("th", "td")) for row in element.every("tr")]
        columns = max(len(cells) for _, cells in rows)
        heads = {id(row) for head in element.every("thead") for row in head.every("tr")}
        feet = {id(row) for foot in element.every("tfoot") for row in foot.every("tr")}
        parts = []
        for row, cells in rows:
            written = ", ".join(f"cell({str('number' in c.classes).lower()})[{self.content(c)}]" for c in cells)
            wrapped = f"table.header({written})" if id(row) in heads else written
            parts.append(f"table.hline(stroke: 0.6pt + soft), {written}" if id(row) in feet else wrapped)
        caption = "".join(self.content(c) for c in element.every("caption"))
        return f"#tabled({columns}, [{caption}], {', '.join(parts)})\n"


def _literal(text: str) -> str:
    """Return a Typst string that holds the text; control characters, which no font shows, are left out."""
    kept = "".join(c for c in text if c.isprintable() or c in "\u00a0\u202f")
    return '"' + kept.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _drawing_style() -> str:
    """Return the page's rules for drawings, with the light colours written out: each stands alone in a PDF."""
    css = (_RESOURCES / "templates/report.css").read_text(encoding="utf-8")
    colours = dict(re.findall(r"--([\w-]+):\s*(#\w+)", css[: css.index("}")]))
    drawn = css[css.index("svg text {") : css.index(".references {")]
    written = re.sub(r"var\(--([\w-]+)\)", lambda name: colours[name.group(1)], drawn)
    return written.replace("inherit", "'Source Sans Pro'")
