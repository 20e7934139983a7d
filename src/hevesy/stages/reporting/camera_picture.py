"""A camera's image beside what was measured on it, as one SVG file."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from hevesy.stages.reporting.svg import drawing, grey_png, raster, tag

_SIDE, _LINE, _TEXT = 320.0, 19.0, 620.0


def camera_picture(values: NDArray[np.float64], title: str, lines: Sequence[str]) -> str:
    """Return an SVG document: the image in grey, dark where there are counts, and lines of text beside it.

    Parameters
    ----------
    values : (rows, columns) array
        The image; black is its 99.5th percentile of what is not zero.
    title : str
        Above the text, and for readers who do not see the picture.
    lines : sequence of str
        What was measured.
    """
    values = np.asarray(values, np.float64)
    lit = values[values > 0]
    floor = float(np.percentile(lit, 5)) / 2 if lit.size and lit.size > 0.5 * values.size else 0.0
    top = float(np.percentile(lit, 99.5)) if lit.size else 1.0
    levels = (255 * (1 - np.clip((values - floor) / max(top - floor, 1e-12), 0, 1))).astype(np.uint8)
    scale = _SIDE / max(values.shape)
    height, width = values.shape[0] * scale, values.shape[1] * scale
    texts = [
        tag("text", line, x=_SIDE + 30, y=30 + _LINE * number, font_size=13, font_family="sans-serif", fill="#222")
        for number, line in enumerate(["", *lines])
        if line
    ]
    heading = tag("text", title, x=_SIDE + 30, y=28, font_size=15, font_family="sans-serif", font_weight="bold")
    total = max(_SIDE + 20, 50 + _LINE * len(lines))
    ground = tag("rect", x=0, y=0, width=_SIDE + _TEXT, height=total, fill="#fff")
    picture = raster(grey_png(levels), 10, 10, width, height)
    svg = drawing(_SIDE + _TEXT, total, title, ground, picture, heading, *texts)
    return str(svg).replace("<svg ", Markup('<svg xmlns="http://www.w3.org/2000/svg" '), 1) + "\n"
