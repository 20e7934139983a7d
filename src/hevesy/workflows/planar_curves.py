"""Planar curves of a case's regions, from its gamma camera views and the regions of its one SPECT.

The curves are count rates: the SPECT scales their shape (`hevesy.stages.kinetics.hybrid`), so that attenuation,
sensitivity and whatever else stays the same from view to view cancels. Sources: Siegel JA et al., MIRD Pamphlet 16,
J Nucl Med 1999;40:37S-61S; Koral KF et al. 2000, Cancer Biother Radiopharm 15:347.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hevesy.core import Curve, Nuclide, PlanarView, Role, seconds_between
from hevesy.errors import ImpossibleTiming, MissingInformation, OutsideImage, OutsideValidity
from hevesy.physics.attenuation_map import attenuation_from_hounsfield
from hevesy.stages.imaging.folder import Folder
from hevesy.stages.imaging.series import Kind
from hevesy.stages.quantification.conjugate_pair import ConjugatePair, background_share
from hevesy.stages.quantification.energy_windows import called
from hevesy.stages.quantification.planar import overlap
from hevesy.stages.quantification.projected_regions import (
    Depth,
    as_seen,
    beside,
    depth_of,
    geometric_projection,
    on_pixels,
)
from hevesy.stages.registration.planar import move_view, register_views
from hevesy.stages.registration.spect_view import laid_on_view, place_on_view
from hevesy.workflows.case import Case
from hevesy.workflows.conjugate_scans import ConjugateScan, conjugate_scans, named_series, planar_losses, window_request
from hevesy.workflows.measurement import Measurement, Series4D
from hevesy.workflows.scans import Course

#: background is taken from a ring this far from a region and this wide, mm: beyond the blur of a collimator
_GAP_MM, _RING_MM = 10.0, 10.0
#: share of a region's pixels under other regions from which it is told
_NOTABLE_OVERLAP = 0.01

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class PlanarCurves:
    """Curves by region (1/s, as present), what a reader must know of them, and how they were made (plain values)."""

    curves: Mapping[str, Curve]
    notes: tuple[str, ...] = ()
    made: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """One region on the views: its pixels, those beside it, how deep it lies, and its share under other regions."""

    name: str
    mask: Mask = field(repr=False)
    ring: Mask = field(repr=False)
    depth: Depth
    mu_per_mm: float
    covered: float


def planar_curves(
    folder: Folder, case: Case, course: Course, series: Series4D, measured: Sequence[Measurement]
) -> PlanarCurves:
    """Measure every region of one SPECT on every conjugate pair of planar views in a folder.

    Parameters
    ----------
    folder : Folder
        What the case's folder holds.
    case : Case
        What the images do not say; `planar` names the series, or is true for every whole-body or static one.
    course : Course
        The one SPECT and the administration.
    series : Series4D
        The SPECT on its grid, with the body and the CT if there is one.
    measured : sequence of Measurement
        The regions, the whole body's last.

    Raises
    ------
    ImpossibleTiming
        If there is not one SPECT, or a view was taken before the administration.
    MissingInformation
        If there are fewer than two pairs, a pair lacks a view, or which of several energy windows to take is not said.
    RegistrationWorsened
        If a later pair, or the SPECT, is not found on the first.
    OutsideImage
        If a region is not seen on the views.
    OutsideValidity
        If a region counts no more than what is beside it.
    """
    if len(course.scans) != 1:
        raise ImpossibleTiming(
            f"Planar curves scale to one SPECT; there are {len(course.scans)}.",
            "Name one under scans: in case.yaml, or leave 'planar' out.",
        )
    scans = _scans(folder, case, course.nuclide)
    pairs, notes = _together(scans)
    starts = [seconds_between(course.administration.time, scan.start) for scan in scans]
    ends = [start + scan.duration_s for start, scan in zip(starts, scans, strict=True)]
    nearest = int(np.argmin(np.abs(np.array(starts) - course.scans[0].mid_s)))
    seen, said = _regions_on(pairs[nearest], series, measured[:-1])
    own = np.hypot(case.number("uncertainty.counts_percent") / 100, [scan.gain.u_relative for scan in scans])
    curves = {}
    for one in seen:
        rates = np.array([_net_rate(pair, one) for pair in pairs])
        curves[one.name] = _curve(one.name, (starts, ends), rates, own)
    everything = np.ones(pairs[0].anterior.counts.shape, bool)
    name = measured[-1].region.name
    whole = np.array([_mean_rate(*_sides(pair, everything)) for pair in pairs])
    curves[name] = _curve(name, (starts, ends), whole, own)
    return PlanarCurves(curves, (*notes, *said), _made(scans, seen))


def _made(scans: Sequence[ConjugateScan], seen: Sequence[_Seen]) -> dict[str, Any]:
    windows = scans[0].windows
    return {
        "scans": [scan.name for scan in scans],
        "photopeak": called(windows.photopeak),
        "scatter_windows": [called(window) for window in windows.scatter],
        "scatter_share": [scan.scatter for scan in scans],
        "dead_time_gain": [scan.gain.value for scan in scans],
        "overlap": {one.name: one.covered for one in seen},
    }


def _scans(folder: Folder, case: Case, nuclide: Nuclide) -> list[ConjugateScan]:
    """Return the planar scans of a case in order of time, all in the same energy windows."""
    there = folder.of_kind(Kind.WHOLE_BODY, Kind.STATIC)
    wanted: Sequence[str] | None = case.get("planar.series")
    found = list(there) if wanted is None else [named_series(there, name, "planar") for name in wanted]
    if len(found) < 2:
        raise MissingInformation(
            f"Planar curves need two or more scans with an anterior and a posterior view; there are {len(found)}.",
            "Put whole-body or static DICOM NM views in the case's folder, or leave 'planar' out of case.yaml.",
        )
    return conjugate_scans(found, window_request(case, nuclide), planar_losses(case))


def _together(scans: Sequence[ConjugateScan]) -> tuple[list[ConjugatePair], list[str]]:
    """Bring every pair onto the first, both heads by one motion, and say how far each was moved."""
    notes = [
        f"Planar curves: {len(scans)} geometric means of anterior and posterior views, {scans[0].windows}, scaled to"
        " the one SPECT; the whole body's is of all counts."
    ]
    if scans[0].windows.scatter:
        shares = ", ".join(f"{scan.scatter:.0%}" for scan in scans)
        notes.append(f"Scatter was {shares} of the photopeak's counts in the planar scans.")
    if any(scan.gain.value > 1 for scan in scans):
        gains = ", ".join(f"{scan.gain.value - 1:.1%}" for scan in scans)
        notes.append(f"Dead time: the counts of the planar scans were raised by {gains}.")
    still = _mean_view(scans[0].pair)
    brought = [scans[0].pair]
    for number, scan in enumerate(scans[1:], start=2):
        motion = register_views(still, _mean_view(scan.pair))
        brought.append(ConjugatePair(move_view(scan.pair.anterior, motion), move_view(scan.pair.posterior, motion)))
        shift = math.hypot(*motion.shift_mm)
        notes.append(
            f"Planar scan {number} was moved by {shift:.0f} mm and {abs(motion.rotation_deg):.1f}° onto the first"
            f" (correlation {motion.agreement_before:.3f} to {motion.agreement_after:.3f})."
        )
    return brought, notes


def _mean_view(pair: ConjugatePair) -> PlanarView:
    view = pair.anterior
    seconds = view.timing.duration_s if view.timing is not None else 0.0
    return replace(view, counts=pair.geometric_mean() * seconds, variance=None)


def _regions_on(
    pair: ConjugatePair, series: Series4D, measured: Sequence[Measurement]
) -> tuple[list[_Seen], list[str]]:
    """Lay the SPECT on a pair of views, and its regions with it."""
    view, grid = _mean_view(pair), series.activity[0].grid
    activity, (step, *spacing) = as_seen(series.activity[0].values, grid)
    mu = _attenuation(series, pair)
    pixels, across = (spacing[0], spacing[1]), view.pixel_mm
    picture = on_pixels(geometric_projection(activity, mu, step), pixels, across)
    place = place_on_view(view, picture)
    body, _ = as_seen(series.body.mask(), grid)
    masks, depths, mus = {}, {}, {}
    for one in measured:
        inside, _ = as_seen(one.region.mask(), grid)
        name = one.region.name
        depths[name] = depth_of(inside, body, step)
        mus[name] = float(mu[inside > 0].mean()) if mu is not None else 0.0
        masks[name] = laid_on_view(view, on_pixels(inside.max(axis=0), pixels, across), place) >= 0.5
        if not masks[name].any():
            raise OutsideImage(f"Region '{name}' is not on the planar views.", "Skip it, or give it a curve.")
    separate = {m.region.name for m in measured if m.region.role in (Role.ORGAN, Role.LESION)}
    found, notes = [], []
    for name, mask in masks.items():
        others = [masks[other] for other in masks if other != name and other in separate]
        union = np.logical_or.reduce([np.zeros_like(mask), *others])
        gap, width = (max(round(mm / min(across)), 1) for mm in (_GAP_MM, _RING_MM))
        covered = overlap(mask, others) if others else 0.0
        found.append(_Seen(name, mask, beside(mask, union, gap, width), depths[name], mus[name], covered))
        notes += _doubts(found[-1])
    return found, notes


def _attenuation(series: Series4D, pair: ConjugatePair) -> NDArray[np.float64] | None:
    """Return attenuation coefficients (1/mm) at the middle of the energy window; None without a CT or a window."""
    ranges = pair.anterior.window.ranges_keV
    if series.anatomy is None or not ranges:
        return None
    mu = attenuation_from_hounsfield(series.anatomy, sum(ranges[0]) / 2)
    return as_seen(mu.values * (series.body.mask() > 0), mu.grid)[0]


def _doubts(one: _Seen) -> list[str]:
    notes = []
    if one.covered > _NOTABLE_OVERLAP:
        notes.append(
            f"{one.name}: on the planar views {one.covered:.0%} of it lies over or under other regions; the shape of"
            " its curve is in part theirs."
        )
    if not one.ring.any():
        notes.append(f"{one.name}: no background is free beside it on the planar views; none was subtracted.")
    return notes


def _sides(pair: ConjugatePair, mask: Mask) -> list[tuple[float, float]]:
    """Return count rate and standard uncertainty (1/s) of a mask in the anterior and the posterior view."""
    return [(rate.value, rate.u) for rate in pair.rates(mask)]


def _mean_rate(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    """Return the geometric mean of two independent rates with its standard uncertainty."""
    if min(one[0], other[0]) <= 0:
        return 0.0, 0.0
    mean = math.sqrt(one[0] * other[0])
    return mean, 0.5 * mean * math.hypot(one[1] / one[0], other[1] / other[0])


def _net_rate(pair: ConjugatePair, one: _Seen) -> tuple[float, float]:
    """Return a region's geometric mean rate without what is before and behind it, and its standard uncertainty."""
    sides = _sides(pair, one.mask)
    if one.ring.any():
        ratio = float(one.mask.sum() / one.ring.sum())
        shares = [
            background_share(one.mu_per_mm, one.depth.body_mm, faces) * ratio
            for faces in (one.depth.from_front, one.depth.from_back)
        ]
        sides = [
            (gross[0] - share * near[0], math.hypot(gross[1], share * near[1]))
            for gross, near, share in zip(sides, _sides(pair, one.ring), shares, strict=True)
        ]
    found = _mean_rate(*sides)
    if not found[0] > 0:
        taken = f"{pair.anterior.timing.start:%Y-%m-%d}" if pair.anterior.timing else "unknown date"
        raise OutsideValidity(
            f"'{one.name}' counts no more than what is beside it on the planar views of {taken}.",
            f"Leave that scan out (planar: series: in case.yaml), or say 'regions: {{{one.name}: {{skip: true}}}}'.",
        )
    return found


def _curve(
    name: str,
    times_s: tuple[Sequence[float], Sequence[float]],
    rates: NDArray[np.float64],
    own: NDArray[np.float64],
) -> Curve:
    """Return a curve whose points have the uncertainty of counting and of all else that is a scan's own."""
    values = rates[:, 0]
    return Curve(np.array(times_s[0]), np.array(times_s[1]), values, np.hypot(rates[:, 1], own * values), name)
