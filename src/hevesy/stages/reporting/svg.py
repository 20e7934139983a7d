"""Drawing in SVG: elements whose every text and attribute is escaped, and rasters as data URIs."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import ArrayLike, NDArray


def tag(name: str, *children: str | Markup, **attributes: str | float | None) -> Markup:
    """Return one element; text among the children is escaped, `Markup` is not.

    A trailing underscore is dropped from an attribute's name and others become hyphens; an attribute that is
    None is left out, and a number keeps two decimals.
    """
    written = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), _text(value))
        for key, value in attributes.items()
        if value is not None
    )
    if not children:
        return Markup("<{}{}/>").format(Markup(name), written)
    inside = Markup("").join(escape(child) for child in children)
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), written, inside)


def drawing(width: float, height: float, label: str, *children: Markup, class_: str = "chart") -> Markup:
    """Return an SVG that scales with its container and reads its label aloud."""
    box = f"0 0 {_text(width)} {_text(height)}"
    return tag("svg", tag("title", label), *children, viewBox=box, class_=class_, role="img", aria_label=label)


def path(x: ArrayLike, y: ArrayLike, closed: bool = False) -> str:
    """Return the path through points."""
    points = [f"{_text(a)} {_text(b)}" for a, b in zip(np.asarray(x, float), np.asarray(y, float), strict=True)]
    return "M" + "L".join(points) + ("Z" if closed else "")


def raster(data_uri: str, x: float, y: float, width: float, height: float) -> Markup:
    """Return a picture stretched over a rectangle; its pixels need not be square."""
    return tag("image", href=data_uri, x=x, y=y, width=width, height=height, preserveAspectRatio="none")


def grey_png(levels: NDArray[np.uint8]) -> str:
    """Return an (rows, columns) picture of grey levels as the data URI of a PNG."""
    return _png(levels, 0, b"")


def palette_png(index: NDArray[np.uint8], colours: NDArray[np.uint8]) -> str:
    """Return an (rows, columns) picture of colour numbers, with (n, 4) RGBA colours, as the data URI of a PNG."""
    chunks = _chunk(b"PLTE", colours[:, :3].tobytes()) + _chunk(b"tRNS", colours[:, 3].tobytes())
    return _png(index, 3, chunks)


def colour_png(pixels: NDArray[np.uint8]) -> str:
    """Return a (rows, columns, 3) RGB picture as the data URI of a PNG."""
    return _png(pixels, 2, b"")


def _png(pixels: NDArray[np.uint8], colour_type: int, chunks: bytes) -> str:
    rows, columns = pixels.shape[:2]
    header = struct.pack(">IIBBBBB", columns, rows, 8, colour_type, 0, 0, 0)
    # each row is stored as its difference from the row above (filter 2), which packs smooth pictures well
    flat = np.ascontiguousarray(pixels).reshape(rows, -1)
    difference = np.diff(flat, axis=0, prepend=np.zeros((1, flat.shape[1]), np.uint8))
    filtered = np.hstack([np.full((rows, 1), 2, np.uint8), difference])
    data = b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", header),
            chunks,
            _chunk(b"IDAT", zlib.compress(filtered.tobytes(), 9)),
            _chunk(b"IEND", b""),
        )
    )
    return "data:image/png;base64," + base64.b64encode(data).decode("ascii")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _text(value: str | float | None) -> str:
    if isinstance(value, (int, float, np.number)):
        return f"{float(value):.2f}".rstrip("0").rstrip(".") or "0"
    return str(value)
