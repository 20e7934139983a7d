"""Activity in colour over anatomy in grey, in three planes, as one SVG file."""

from __future__ import annotations

from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from hevesy.core import Image
from hevesy.stages.reporting.planes import LETTERS, Anatomy, Plane, View
from hevesy.stages.reporting.svg import drawing, grey_png, palette_png, raster, tag

VIEWS: tuple[View, ...] = ("axial", "coronal", "sagittal")
HEIGHT, GAP, FOOT = 320.0, 8.0, 30.0
#: activity that a small share of voxels exceeds is fully bright
BRIGHTEST_SHARE = 5e-4
COLOURS = ((0, 0, 0), (130, 20, 60), (220, 80, 20), (250, 190, 40), (255, 255, 220))


def fused_picture(activity: Image, anatomy: Image | None, title: str) -> str:
    """Return an SVG document: planes through the middle of the activity, brightness by the square root of it.

    Parameters
    ----------
    activity : Image
        In colour.
    anatomy : Image or None
        In grey, on the same grid, such as a μ-map; None draws none.
    title : str
        Below the picture, and for readers who do not see it.

    Raises
    ------
    GridMismatch
        If the two lie on different grids.
    """
    if anatomy is not None:
        activity.grid.require_match(anatomy.grid, "Activity and anatomy")
    seen = Anatomy(activity.grid)
    turned = np.maximum(seen.turned(np.asarray(activity.values, np.float64)), 0)
    top = float(np.quantile(turned, 1 - BRIGHTEST_SHARE)) or 1.0
    parts, across, height = [], 0.0, 0.0
    for view, index in zip(VIEWS, _middle(turned)[::-1], strict=True):
        # sections are taken along head, back and left: the reverse of the axes' order
        hot = seen.section(activity.values, view, index)
        under = None if anatomy is None else seen.section(anatomy.values, view, index)
        scale = HEIGHT / max(hot.height_mm, hot.width_mm)
        parts.append(tag("g", *_drawn(hot, under, top, scale), transform=f"translate({across:.1f} 0)"))
        across += hot.width_mm * scale + GAP
        height = max(height, hot.height_mm * scale)
    ground = tag("rect", x=0, y=0, width=across - GAP, height=height + FOOT, fill="#000")
    words = f"{title}; brightest {float(f'{top:.3g}'):,.10g} {activity.quantity.unit}"
    below = tag("text", words, x=8, y=height + 20, font_size=13, font_family="sans-serif", fill="#ddd")
    svg = drawing(across - GAP, height + FOOT, title, ground, *parts, below)
    return str(svg).replace("<svg ", Markup('<svg xmlns="http://www.w3.org/2000/svg" '), 1) + "\n"


def _middle(turned: NDArray[np.float64]) -> list[int]:
    """Return the index, towards left, posterior and head, of the middle of the activity."""
    weights = [turned.sum(axis=tuple({0, 1, 2} - {axis})) for axis in range(3)]
    return [round(float(np.average(np.arange(w.size), weights=w + 1e-300))) for w in weights]


def _drawn(hot: Plane, under: Plane | None, top: float, scale: float) -> list[Markup]:
    width, height = hot.width_mm * scale, hot.height_mm * scale
    parts = []
    if under is not None:
        levels = 170 * np.clip(under.values / max(float(under.values.max()), 1e-12), 0, 1)
        parts.append(raster(grey_png(levels.astype(np.uint8)), 0, 0, width, height))
    level = (255 * np.sqrt(np.clip(hot.values / top, 0, 1))).astype(np.uint8)
    parts.append(raster(palette_png(level, _palette()), 0, 0, width, height))
    left, right, above, below = LETTERS[hot.view]
    corners = ((left, 6.0, height / 2), (right, width - 16, height / 2), (above, width / 2, 14.0))
    for letter, x, y in (*corners, (below, width / 2, height - 6)):
        parts.append(tag("text", letter, x=x, y=y, font_size=12, font_family="sans-serif", fill="#fff"))
    return parts


def _palette() -> NDArray[Any]:
    level, steps = np.linspace(0, 1, 256), np.linspace(0, 1, len(COLOURS))
    colours = [np.interp(level, steps, channel) for channel in np.array(COLOURS, float).T]
    return np.stack((*colours, 255 * np.interp(level, (0.05, 0.5), (0, 0.9))), axis=-1).round().astype(np.uint8)
