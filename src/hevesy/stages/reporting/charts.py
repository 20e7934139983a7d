"""Curves and bars as SVG that takes its colours from the page."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import ArrayLike, NDArray

from hevesy.core import Curve, Measured
from hevesy.core.dose_volume import DoseVolumeHistogram
from hevesy.stages.reporting.results import PatientBody, RegionResult
from hevesy.stages.reporting.rounding import plain, with_uncertainty
from hevesy.stages.reporting.svg import drawing, path, tag

#: half-width of a 95% interval in standard uncertainties
COVERAGE = 1.96

_WIDTH, _HEIGHT = 460.0, 290.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 60.0, 14.0, 14.0, 46.0


@dataclass(frozen=True, slots=True)
class Axes:
    """A frame from 0 to `x_most` and from 0 to `y_most`, drawn at a fixed size."""

    x_most: float
    y_most: float

    def x(self, value: ArrayLike) -> NDArray[np.float64]:
        """Return where values lie across."""
        return _LEFT + np.asarray(value, float) / self.x_most * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: ArrayLike) -> NDArray[np.float64]:
        """Return where values lie down."""
        return _HEIGHT - _BOTTOM - np.asarray(value, float) / self.y_most * (_HEIGHT - _TOP - _BOTTOM)

    def line(self, x: ArrayLike, y: ArrayLike, class_: str) -> Markup:
        """Return a line through points."""
        return tag("path", d=path(self.x(x), self.y(y)), class_=class_)

    def band(self, x: NDArray[np.float64], lower: ArrayLike, upper: ArrayLike, class_: str) -> Markup:
        """Return the area between two curves."""
        there_and_back = np.concatenate((self.x(x), self.x(x)[::-1]))
        edges = np.concatenate((self.y(upper), self.y(lower)[::-1]))
        return tag("path", d=path(there_and_back, edges, closed=True), class_=class_)

    def frame(self, x_label: str, y_label: str) -> Markup:
        """Return grid lines, numbers and the names of both axes."""
        parts = []
        foot, left = float(self.y(0)), _LEFT
        for tick in ticks(self.x_most):
            x = float(self.x(tick))
            parts += [tag("line", x1=x, x2=x, y1=foot, y2=foot + 4, class_="axis")]
            parts += [tag("text", f"{tick:g}", x=x, y=foot + 17, class_="tick", text_anchor="middle")]
        for tick in ticks(self.y_most, 5):
            y = float(self.y(tick))
            parts += [tag("line", x1=left, x2=_WIDTH - _RIGHT, y1=y, y2=y, class_="rule")]
            parts += [tag("text", f"{tick:g}", x=left - 7, y=y + 4, class_="tick", text_anchor="end")]
        parts += [tag("line", x1=left, x2=_WIDTH - _RIGHT, y1=foot, y2=foot, class_="axis")]
        middle = (left + _WIDTH - _RIGHT) / 2
        parts += [tag("text", x_label, x=middle, y=_HEIGHT - 8, class_="label", text_anchor="middle")]
        turn = f"rotate(-90 13 {(_TOP + foot) / 2:.1f})"
        parts += [
            tag("text", y_label, x=13.0, y=(_TOP + foot) / 2, class_="label", text_anchor="middle", transform=turn)
        ]
        return Markup("").join(parts)


def ticks(most: float, about: int = 6) -> list[float]:
    """Return round numbers from 0 up to `most`, about so many."""
    rough = most / about
    power = 10.0 ** np.floor(np.log10(rough))
    step = power * next(s for s in (1, 2, 2.5, 5, 10) if s * power >= rough * 0.999)
    return [float(n * step) for n in range(int(most / step * 1.0001) + 1)]


def time_activity_chart(found: RegionResult | PatientBody) -> Markup:
    """Draw the measured activities, the fitted curve, and its 95% band; the tail is dashed.

    Bars are 95% of what each point has for itself; what the points share would move curve and points together.

    The scale follows points and curve, and the band as far as twice those: a band that runs off the
    frame says that almost nothing is known there.
    """
    model = found.model
    hours, mega = np.asarray(model.times_s) / 3600, 1e-6
    activity, lower, upper = (np.asarray(a) * mega for a in (model.activity_Bq, model.lower_Bq, model.upper_Bq))
    own, _ = own_and_shared(found.activity)
    high = max(
        float(activity.max()), *((p.value + COVERAGE * u) * mega for p, u in zip(found.activity, own, strict=True))
    )
    most = 1.06 * min(max(high, float(upper.max())), 2 * high) or 1.0
    axes = Axes(float(hours[-1]), most)
    last = (model.measured_until_s or found.times_s[-1]) / 3600
    before, after = hours < last, hours > last
    at_last = float(np.interp(last, hours, activity))
    label = f"Activity in {found.name} over time, with the fitted curve"
    return drawing(
        _WIDTH,
        _HEIGHT,
        label,
        axes.frame("time after administration / h", "activity / MBq"),
        axes.band(hours, np.clip(lower, 0, most), np.clip(upper, 0, most), "band"),
        tag("line", x1=float(axes.x(last)), x2=float(axes.x(last)), y1=_TOP, y2=float(axes.y(0)), class_="last"),
        tag("text", "last scan", x=float(axes.x(last)) + 5, y=_TOP + 9, class_="tick"),
        axes.line(np.append(hours[before], last), np.append(activity[before], at_last), "curve"),
        axes.line(np.append(last, hours[after]), np.append(at_last, activity[after]), "curve tail"),
        *(_planar(axes, model.shape_points) if model.shape_points is not None else ()),
        *_points(axes, found, own),
    )


def own_and_shared(activity: Sequence[Measured]) -> tuple[tuple[float, ...], float]:
    """Split the uncertainty of the points of a curve.

    Returns
    -------
    own_Bq : tuple of float
        Standard uncertainty of each point from causes that no other point has, such as counts, Bq.
    shared : float
        The largest relative standard uncertainty from causes that points have in common, such as calibration:
        it scales points and curve together.
    """
    points = Counter(cause for point in activity for cause in point.shares)
    own = tuple(math.hypot(*(s for cause, s in point.shares.items() if points[cause] == 1)) for point in activity)
    in_common = (math.sqrt(max(point.u**2 - u**2, 0.0)) for point, u in zip(activity, own, strict=True))
    shared = max((u / abs(p.value) for u, p in zip(in_common, activity, strict=True) if p.value), default=0.0)
    return own, shared


def dose_volume_chart(found: RegionResult, histogram: DoseVolumeHistogram) -> Markup:
    """Draw the cumulative dose-volume histogram with D98, D50 and D2 marked."""
    axes = Axes(1.1 * histogram.maximum_Gy or 1.0, 105.0)
    kept = np.unique(np.linspace(0, histogram.dose_Gy.size - 1, 240).round().astype(int))
    dose, volume = histogram.dose_Gy[kept], 100 * histogram.volume_fraction[kept]
    marks = []
    for percent in (98, 50, 2):
        x, y = float(axes.x(histogram.at_volume(percent))), float(axes.y(percent))
        marks += [tag("circle", cx=x, cy=y, r=3.4, class_="mark")]
        marks += [tag("text", f"D{percent}", x=x + 7, y=y - 5, class_="tick strong")]
    return drawing(
        _WIDTH,
        _HEIGHT,
        f"Dose-volume histogram of {found.region.name}",
        axes.frame("absorbed dose / Gy", "volume / %"),
        axes.band(dose, np.zeros_like(dose), volume, "band"),
        axes.line(dose, volume, "curve"),
        *marks,
    )


def interval_bar(dose: Measured, bounds: tuple[float, float], most: float) -> Markup:
    """Draw a dose and its 95% interval on a line from 0 to `most` Gy, for one row of a table."""
    width, middle = 120.0, 9.0
    scale = (width - 8) / most
    low, high, value = (4 + scale * min(max(0.0, x), most) for x in (*bounds, dose.value))
    label = f"{with_uncertainty(dose)} Gy on a scale from 0 to {plain(most)} Gy"
    return drawing(
        width,
        18.0,
        label,
        tag("line", x1=4.0, x2=width - 4, y1=middle, y2=middle, class_="rule"),
        tag("line", x1=low, x2=high, y1=middle, y2=middle, class_="span"),
        tag("circle", cx=value, cy=middle, r=4.0, class_="dot"),
        class_="bar",
    )


def share_bar(percent: float, most: float) -> Markup:
    """Draw one component of uncertainty as a bar that is full at `most`."""
    length = 120.0 * percent / most if most else 0.0
    bar = tag("rect", x=0.0, y=3.0, width=length, height=8.0, rx=1.5, class_="share")
    return drawing(120.0, 14.0, f"{plain(percent, 2)}%", bar, class_="bar")


def _planar(axes: Axes, curve: Curve) -> list[Markup]:
    """Draw the planar points that gave a curve its shape, hollow, each with 95% of what it has for itself."""
    each = zip(curve.mid_s / 3600, 1e-6 * curve.activity_Bq, 1e-6 * curve.u_Bq, strict=True)
    return [_planar_point(axes, *point) for point in each]


def _planar_point(axes: Axes, hours: float, mega: float, u: float) -> Markup:
    x, y = float(axes.x(hours)), float(axes.y(mega))
    top, foot = (float(axes.y(max(0.0, mega + side * COVERAGE * u))) for side in (1, -1))
    return tag(
        "g",
        tag("title", f"planar, {hours:.1f} h: scaled to {plain(mega)} MBq"),
        tag("path", d=f"M{x:.1f} {top:.1f}V{foot:.1f}", class_="error"),
        tag("rect", x=x - 3.5, y=y - 3.5, width=7.0, height=7.0, class_="point planar"),
    )


def _points(axes: Axes, found: RegionResult | PatientBody, own_Bq: Sequence[float]) -> list[Markup]:
    """Draw every point; those that were left out of the fit are hollow, with the reason."""
    left_out = found.left_out if isinstance(found, RegionResult) else {}
    points = enumerate(zip(found.times_s, found.activity, own_Bq, strict=True))
    return [_point(axes, t / 3600, a, u, left_out.get(n, "")) for n, (t, a, u) in points]


def _point(axes: Axes, hours: float, activity: Measured, own_Bq: float, left_out: str) -> Markup:
    x = float(axes.x(hours))
    low, high = (max(0.0, 1e-6 * (activity.value + side * COVERAGE * own_Bq)) for side in (-1, 1))
    top, foot, middle = float(axes.y(high)), float(axes.y(low)), float(axes.y(1e-6 * activity.value))
    return tag(
        "g",
        tag("title", f"{hours:.1f} h: {with_uncertainty(activity, 1e6)} MBq{left_out and f' (left out: {left_out})'}"),
        tag(
            "path", d=f"M{x:.1f} {top:.1f}V{foot:.1f}M{x - 4:.1f} {top:.1f}h8M{x - 4:.1f} {foot:.1f}h8", class_="error"
        ),
        tag("circle", cx=x, cy=middle, r=4.0, class_="point left-out" if left_out else "point"),
    )
