"""The patient's images for the report: projections, dose over anatomy, and what registration did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from hevesy.core import Image, Region, Role
from hevesy.core.dose_volume import DoseVolumeHistogram
from hevesy.stages.reporting.charts import ticks
from hevesy.stages.reporting.planes import LETTERS, Anatomy, Plane, View, window
from hevesy.stages.reporting.results import CaseResult, RegionResult, TimePoint
from hevesy.stages.reporting.rounding import plain
from hevesy.stages.reporting.svg import colour_png, drawing, grey_png, palette_png, path, raster, tag

VIEWS: tuple[View, View, View] = ("axial", "coronal", "sagittal")

#: share of the projected pixels with activity that may be brighter than the scale
BRIGHTEST_SHARE = 0.02

#: space left about the body in the projections
MARGIN_MM = 15.0

#: a region whose D2 is below this share of the common dose scale gets a scale of its own
OWN_SCALE_BELOW = 0.25

#: grey window of a density map, kg/m³: fat dark, soft tissue mid grey, bone white
DENSITY_WINDOW = (850.0, 1250.0)


# inferno, by S. van der Walt and N. Smith (CC0), at nine even steps: lightness rises evenly with dose
_DOSE_COLOURS = (
    (0, 0, 4),
    (33, 12, 74),
    (87, 16, 110),
    (138, 34, 106),
    (188, 55, 84),
    (228, 90, 49),
    (249, 142, 9),
    (249, 203, 53),
    (252, 255, 164),
)


@dataclass(frozen=True, slots=True)
class DosePlanes:
    """Three planes through one region: the drawings, the top of their dose scale (Gy), and whether it is their own."""

    drawings: tuple[Markup, ...]
    top_Gy: float
    own_scale: bool


class Pictures:
    """Draws the images of one case.

    Parameters
    ----------
    result : CaseResult
        The case; all its images lie on one grid.
    """

    def __init__(self, result: CaseResult) -> None:
        self._result = result
        self._anatomy = Anatomy(result.dose.grid)
        self._body = {v: self._crop(v) for v in ("coronal", "sagittal")}
        self._projected = {
            (n, view): self._seen(point.activity, view)
            for n, point in enumerate(result.time_points)
            for view in ("coronal", "sagittal")
        }
        self.has_ct = is_measured_density(result.density)
        self.activity_top = round_up(max(_bright(plane.values) for plane in self._projected.values()))
        unmoved = (n for n, point in enumerate(result.time_points) if point.alignment is None)
        self._reference = next(unmoved, 0)
        tops = [found.histogram.at_volume(2) for found in result.regions if found.histogram]
        self.dose_top_Gy = round_up(max(tops, default=float(result.dose.values.max())))

    @property
    def obliquity_deg(self) -> float:
        """Angle between the planes that are shown and the anatomical ones."""
        return self._anatomy.obliquity_deg

    def projections(self, number: int) -> Markup:
        """Draw the coronal and sagittal maximum intensity projection of one time point, with the regions' outlines."""
        planes = [self._projected[number, view] for view in ("coronal", "sagittal")]
        gap, width = 6.0, 480.0
        scale = (width - gap) / sum(plane.width_mm for plane in planes)
        parts, across = [], 0.0
        for plane in planes:
            levels = 255 - _levels(plane.values, 0.0, self.activity_top)
            drawn = [raster(grey_png(levels), 0, 0, plane.width_mm * scale, plane.height_mm * scale)]
            drawn += [self._projected_outline(n, plane.view, scale) for n in range(len(self._result.regions))]
            drawn += [_furniture(plane, scale, "on-light", plane.view == "coronal")]
            parts.append(tag("g", *drawn, transform=f"translate({across:.1f} 0)"))
            across += plane.width_mm * scale + gap
        point = self._result.time_points[number]
        label = f"Projections {point.mid_s / 3600:.1f} h after administration, from the front and the left"
        return drawing(width, planes[0].height_mm * scale, label, *parts, class_="picture light")

    def activity_bar(self) -> Markup:
        """Draw the grey scale that all projections share."""
        return scale_bar("activity-scale", [(255, 255, 255), (0, 0, 0)], self.activity_top * 1e-3, "kBq/mL")

    def dose_bar(self, planes: DosePlanes, number: int) -> Markup:
        """Draw the colour scale of the dose planes of one region."""
        return scale_bar(f"dose-scale-{number}", list(_DOSE_COLOURS), planes.top_Gy, "Gy")

    def dose_planes(self, found: RegionResult) -> DosePlanes:
        """Draw the absorbed dose over anatomy in three planes through a region."""
        histogram = found.histogram
        top, own = self._dose_top(histogram) if histogram else (self.dose_top_Gy, False)
        centre = self._anatomy.centre(found.region)
        sides = [size * s.stop - size * s.start for size, s in self._sides(found.region)]
        side_mm = float(np.clip(3 * max(sides), 160, 360))
        drawn = tuple(self._dose_plane(found.region, view, centre, side_mm, top) for view in VIEWS)
        return DosePlanes(drawn, top, own)

    def registration(self, point: TimePoint, moved: Image) -> Markup:
        """Draw a scan over the reference as seen from the front: where both agree the picture is black."""
        reference = self._projected[self._reference, "coronal"]
        other = self._seen(moved, "coronal")
        first, second = (_relative(plane.values) for plane in (reference, other))
        pixels = np.stack((1 - first, 1 - (first + second) / 2, 1 - second), axis=-1)
        scale = 440.0 / reference.width_mm
        width, height = reference.width_mm * scale, reference.height_mm * scale
        picture = raster(colour_png((255 * pixels).astype(np.uint8)), 0, 0, width, height)
        furniture = _furniture(reference, scale, "on-light")
        return drawing(
            width, height, f"{point.label} over the reference scan", picture, furniture, class_="picture light"
        )

    def _seen(self, activity: Image, view: View) -> Plane:
        return self._anatomy.projection(activity.values, view).part(self._body[view])

    def _crop(self, view: View) -> tuple[slice, slice]:
        """Return the rows and columns that hold the body and every region, with a margin."""
        covered = [
            self._anatomy.coverage_projection(r.region, view) for r in (self._result.whole_body, *self._result.regions)
        ]
        inside = np.any([plane.values > 0 for plane in covered], axis=0)
        sides = []
        for axis, pixel in ((1, covered[0].pixel_mm[1]), (0, covered[0].pixel_mm[0])):
            found, margin = np.flatnonzero(inside.any(axis=axis)), round(MARGIN_MM / pixel)
            sides.append(slice(max(0, int(found[0]) - margin), int(found[-1]) + 1 + margin))
        return sides[0], sides[1]

    def _dose_top(self, histogram: DoseVolumeHistogram) -> tuple[float, bool]:
        own = histogram.at_volume(2) < OWN_SCALE_BELOW * self.dose_top_Gy and histogram.maximum_Gy > 0
        return (round_up(histogram.at_volume(2) or histogram.maximum_Gy), True) if own else (self.dose_top_Gy, False)

    def _sides(self, region: Region) -> list[tuple[float, slice]]:
        return list(zip(self._anatomy.spacing_mm, self._anatomy.box(region), strict=True))

    def _dose_plane(
        self, region: Region, view: View, centre: tuple[int, int, int], side_mm: float, top_Gy: float
    ) -> Markup:
        index = centre[{"sagittal": 0, "coronal": 1, "axial": 2}[view]]
        dose = self._anatomy.section(self._result.dose.values, view, index)
        covered = self._anatomy.coverage_section(region, view, index)
        middle = tuple(int(n.mean()) for n in np.nonzero(covered.values >= 0.5 * covered.values.max()))
        part = window(dose, (middle[0], middle[1]), side_mm)
        shown = dose.part(part)
        scale = 300.0 / shown.width_mm
        size = (shown.width_mm * scale, shown.height_mm * scale)
        level = _levels(_finer(shown), 0.0, top_Gy)
        body = self._anatomy.coverage_section(self._result.whole_body.region, view, index)
        return drawing(
            *size,
            f"Absorbed dose over anatomy, {view} plane through {region.name}",
            raster(self._background(view, index, part), 0, 0, *size),
            raster(palette_png(level, _dose_palette()), 0, 0, *size),
            _outline(body.part(part), scale, "body-outline"),
            _outline(covered.part(part), scale, "region-outline"),
            _furniture(shown, scale, "on-dark"),
            class_="picture dark",
        )

    def _background(self, view: View, index: int, part: tuple[slice, slice]) -> str:
        if self.has_ct:
            plane = self._anatomy.section(self._result.density.values, view, index)
            return grey_png(_levels(plane.values[part], *DENSITY_WINDOW))
        plane = self._anatomy.section(self._result.time_points[0].activity.values, view, index)
        return grey_png(_levels(np.sqrt(np.clip(plane.values[part], 0, None) / self.activity_top), 0.0, 1.0))

    def _projected_outline(self, number: int, view: View, scale: float) -> Markup:
        region = self._result.regions[number].region
        if region.role is Role.BACKGROUND:
            return Markup("")
        plane = self._anatomy.coverage_projection(region, view).part(self._body[view])
        rows, columns = np.nonzero(plane.values >= 0.5 * plane.values.max())
        x, y = (columns.max() + 1.5) * plane.pixel_mm[0] * scale, (rows.min() + 0.5) * plane.pixel_mm[1] * scale
        text = tag("text", str(number + 1), x=float(x) + 2, y=float(y) + 4, class_="region-number")
        return _outline(plane, scale, "region-outline") + text


def is_measured_density(density: Image) -> bool:
    """Say whether a density map comes from CT, as its provenance states."""
    return density.provenance.source == "CT"


def round_up(value: float) -> float:
    """Return the next round number above a positive value: 1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8 times a power of ten."""
    if not value > 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    return float(
        power * next(step for step in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if step * power >= value * 0.9999)
    )


def scale_bar(name: str, colours: list[tuple[int, int, int]], top: float, unit: str) -> Markup:
    """Draw a colour scale from 0 to `top`; `name` is unique in the page."""
    left, right, width = 8.0, 58.0, 346.0
    length = width - left - right
    stops = [
        tag("stop", offset=n / (len(colours) - 1), stop_color="rgb({},{},{})".format(*colour))
        for n, colour in enumerate(colours)
    ]
    parts = [
        tag("linearGradient", *stops, id=name),
        tag("rect", x=left, y=2.0, width=length, height=10.0, fill=f"url(#{name})", class_="swatch"),
        tag("text", unit, x=left + length + 10, y=11.5, class_="tick strong"),
    ]
    for tick in ticks(top, 5):
        x = left + length * tick / top
        parts += [tag("line", x1=x, x2=x, y1=12.0, y2=16.0, class_="axis")]
        parts += [tag("text", f"{tick:g}", x=x, y=31.0, class_="tick", text_anchor="middle")]
    return drawing(width, 36.0, f"Scale from 0 to {plain(top)} {unit}", *parts, class_="scale")


def _levels(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    return (np.clip((values - low) / (high - low), 0, 1) * 255).round().astype(np.uint8)


def _bright(values: NDArray[Any]) -> float:
    """Return the value that a small share of the pixels with activity exceeds."""
    active = values[values > 0]
    return float(np.quantile(active, 1 - BRIGHTEST_SHARE)) if active.size else 0.0


def _relative(values: NDArray[Any]) -> NDArray[np.float64]:
    top = np.quantile(values, 0.995) or 1.0
    return np.asarray(np.sqrt(np.clip(values / top, 0, 1)))


def _finer(plane: Plane) -> NDArray[np.float64]:
    """Return a plane's values between the pixels as well, so that colours follow the dose and not the pixels."""
    from scipy.ndimage import zoom  # 0.2 s to import, and only pictures need it

    factor = max(1, round(220 / max(plane.values.shape)))
    return np.asarray(zoom(plane.values.astype(np.float64), factor, order=1, mode="nearest", grid_mode=True))


def _dose_palette() -> NDArray[np.uint8]:
    level = np.linspace(0, 1, 256)
    steps = np.linspace(0, 1, len(_DOSE_COLOURS))
    colours = [np.interp(level, steps, channel) for channel in np.array(_DOSE_COLOURS, float).T]
    opacity = np.interp(level, (0.02, 0.3), (0, 0.78))
    return np.stack((*colours, 255 * opacity), axis=-1).round().astype(np.uint8)


def _outline(plane: Plane, scale: float, class_: str) -> Markup:
    """Return the line where a region covers half of a pixel."""
    from contourpy import contour_generator

    peak = float(plane.values.max())
    if not peak:
        return Markup("")
    edged = np.pad(plane.values, 1, mode="edge")  # a body that the window cuts gets no line along the cut
    lines = contour_generator(z=edged, name="serial").lines(0.5 * peak)
    across, down = (scale * size for size in plane.pixel_mm)
    shape = "".join(path((xy[:, 0] - 0.5) * across, (xy[:, 1] - 0.5) * down) for xy in np.asarray(lines, object))
    return tag("path", d=shape, class_=class_)


def _furniture(plane: Plane, scale: float, class_: str, with_ruler: bool = True) -> Markup:
    """Return the letters at the four edges and a bar of known length."""
    width, height = plane.width_mm * scale, plane.height_mm * scale
    left, right, top, bottom = LETTERS[plane.view]
    bar_mm = 100.0 if plane.width_mm > 300 else 50.0
    foot, start = height - 10, 10.0
    bar = tag("path", d=f"M{start:.1f} {foot - 3:.1f}v3h{bar_mm * scale:.1f}v-3", class_="ruler")
    length = tag("text", f"{bar_mm / 10:g} cm", x=start, y=foot - 7)
    return tag(
        "g",
        tag("text", left, x=6.0, y=height / 2 + 5),
        tag("text", right, x=width - 6, y=height / 2 + 5, text_anchor="end"),
        tag("text", top, x=width / 2, y=17.0, text_anchor="middle"),
        tag("text", bottom, x=width / 2, y=height - 6, text_anchor="middle"),
        *((bar, length) if with_ruler else ()),
        class_=f"letters {class_}",
    )
