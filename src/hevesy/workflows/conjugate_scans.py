"""Planar series of a folder to anterior and posterior views of the photopeak, without scatter."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from hevesy.core import Measured, Nuclide, PlanarView
from hevesy.errors import ContradictoryInformation, HevesyError, IncompleteSeries, MissingInformation, UnknownName
from hevesy.stages.imaging import header
from hevesy.stages.imaging.planar_views import read_planar
from hevesy.stages.imaging.series import Kind, Series
from hevesy.stages.quantification.conjugate_pair import ConjugatePair
from hevesy.stages.quantification.energy_windows import (
    WindowChoice,
    WindowRequest,
    choose_windows,
    limits_of,
    without_scatter,
)
from hevesy.stages.quantification.planar_dead_time import DeadTime, Sweep, line_gains
from hevesy.workflows.case import Case


@dataclass(frozen=True, slots=True, eq=False)
class ConjugateScan:
    """One scan from both sides.

    Parameters
    ----------
    name : str
        Of its series.
    pair : ConjugatePair
        The photopeak's views, without the scatter that the windows beside it tell.
    windows : WindowChoice
        Which windows these were.
    scatter : float
        Share of the photopeak's counts that was subtracted.
    gain : Measured
        By what dead time was made up for, with its uncertainty; 1 without.
    """

    name: str
    pair: ConjugatePair
    windows: WindowChoice
    scatter: float
    gain: Measured = field(default_factory=lambda: Measured(1.0))

    @property
    def start(self) -> datetime:
        """When it was started.

        Raises
        ------
        MissingInformation
            If it says nothing of its time.
        """
        timing = self.pair.anterior.timing
        if timing is None:
            raise MissingInformation(f"{self.name} says nothing of its time.", "Supply it.")
        return timing.start

    @property
    def duration_s(self) -> float:
        """How long it was counted, s."""
        timing = self.pair.anterior.timing
        return timing.duration_s if timing is not None else 0.0


@dataclass(frozen=True, slots=True)
class Losses:
    """The camera's dead time, and the length of its field along the body (mm) where it sweeps; None not stated."""

    dead_time: DeadTime
    field_mm: float | None = None


def conjugate_scan(series: Series, asked: WindowRequest, losses: Losses | None = None) -> ConjugateScan:
    """Return the anterior and the posterior view of the photopeak.

    Parameters
    ----------
    series : Series
        Planar.
    asked : WindowRequest
        Which energy windows.
    losses : Losses or None
        To put back what dead time took; None does not.

    Raises
    ------
    MissingInformation
        If either view is missing, or the views do not say where the detector stood or how long they were counted.
    BadInput
        If there are several views from one side.
    GridMismatch
        If the two heads differ in matrix or pixel.
    HevesyError
        What `choose_windows` refuses.
    """
    views, gain = views_of(series), Measured(1.0)
    choice = choose_windows([view.window for view in views], asked, series.name)
    if losses is not None:
        views, gain = made_up(series, views, losses)
    peak = _paired(series, [view for view in views if view.window == choice.photopeak])
    sides = [_paired(series, [view for view in views if view.window == window]) for window in choice.scatter]
    net = ConjugatePair(
        without_scatter(peak.anterior, [side.anterior for side in sides]),
        without_scatter(peak.posterior, [side.posterior for side in sides]),
    )
    return ConjugateScan(series.name, net, choice, 1 - _total(net) / max(_total(peak), 1.0), gain)


def made_up(series: Series, views: Sequence[PlanarView], losses: Losses) -> tuple[list[PlanarView], Measured]:
    """Put back what dead time took from every detector, and return the mean gain; all windows lose alike.

    Raises
    ------
    MissingInformation
        If it is not stated how long the views were counted, or how a detector that moved did.
    OutsideValidity
        If the camera cannot show such a rate.
    """
    sweep = _sweep(series, losses)
    made, mean = [], []
    for number in dict.fromkeys(view.detector for view in views):
        mine = [view for view in views if view.detector == number]
        seconds = mine[0].timing.duration_s if mine[0].timing else 0.0
        if not seconds > 0:
            raise MissingInformation(
                f"{series.name} does not say how long it was counted, and dead time depends on the rate.",
                "Leave the dead time out.",
            )
        lines = np.sum([view.counts.sum(axis=1, dtype=np.float64) for view in mine], axis=0)
        gains, u = line_gains(lines, losses.dead_time, seconds, sweep, mine[0].pixel_mm[0])
        made += [_times(view, gains[:, None]) for view in mine]
        total = max(float(lines.sum()), 1.0)
        mean.append((float(gains @ lines) / total, float(u @ lines) / total))
    # one dead time for all heads: their uncertainties add as they are
    gain, u_gain = np.mean(mean, axis=0)
    return made, Measured(float(gain), float(u_gain), "", "dead time")


def _times(view: PlanarView, gain: NDArray[np.float64]) -> PlanarView:
    return replace(view, counts=view.counts * gain, variance=view.counts_variance * gain**2)


def _sweep(series: Series, losses: Losses) -> Sweep | None:
    if series.kind is not Kind.WHOLE_BODY:
        return None
    speed = header.positive(series.headers[0], "ScanVelocity")
    if speed is None or losses.field_mm is None:
        lacking = "its Scan Velocity (0018,1300)" if speed is None else "the length of the detector's field"
        raise MissingInformation(
            f"{series.name} swept the body, and {lacking} is not stated: its count rate at one moment is not known.",
            "Leave planar: dead_time: out." if speed is None else "Give planar: dead_time: field_mm: in case.yaml.",
        )
    return Sweep(speed, losses.field_mm)


def conjugate_scans(
    series: Sequence[Series], asked: WindowRequest, losses: Losses | None = None
) -> list[ConjugateScan]:
    """Return scans in order of time, all counted and corrected alike; `losses` as of `conjugate_scan`.

    Raises
    ------
    ContradictoryInformation
        If scatter can be subtracted from some and not from others, or photopeaks differ.
    HevesyError
        What `conjugate_scan` refuses.
    """
    scans = sorted((conjugate_scan(one, asked, losses) for one in series), key=lambda scan: scan.start)
    first = scans[0]
    for other in scans[1:]:
        if _limits(other.windows) != _limits(first.windows):
            raise ContradictoryInformation(
                f"{first.name} gives {first.windows}; {other.name} gives {other.windows}: a curve needs one for all.",
                f"Name windows that all scans have, or go without: {asked.options[1]}.",
            )
    return scans


def _limits(choice: WindowChoice) -> list[str]:
    return [limits_of(window) for window in (choice.photopeak, *choice.scatter)]


def window_request(case: Case, nuclide: Nuclide) -> WindowRequest:
    """Return what case.yaml says of the energy windows of planar views."""
    scatter = case.get("planar.scatter")
    named = None if scatter is None else () if scatter == "none" else tuple(scatter)
    return WindowRequest(nuclide, case.get("planar.window"), named)


def planar_losses(case: Case) -> Losses | None:
    """Return what case.yaml says of the dead time of planar views."""
    said = case.get("planar.dead_time")
    if said is None:
        return None
    tau = said["tau_us"] * 1e-6
    return Losses(DeadTime(Measured(tau, tau * said["u_percent"] / 100, "s"), said["behaviour"]), said.get("field_mm"))


def named_series(there: Sequence[Series], wanted: str, key: str) -> Series:
    """Return the one planar series of a UID or description that a key of case.yaml names.

    Raises
    ------
    UnknownName
        If there is none, or more than one.
    """
    found = [s for s in there if wanted == s.uid or fnmatch.fnmatchcase(s.description, wanted)]
    if len(found) == 1:
        return found[0]
    listed = "; ".join(f"'{s.description}'" for s in there) or "none"
    fault = "No planar series is" if not found else f"{len(found)} planar series are"
    raise UnknownName(f"{fault} called '{wanted}' (case.yaml, {key}).", f"There are: {listed}.")


def photopeak_views(series: Series, views: Sequence[PlanarView], asked: WindowRequest) -> list[PlanarView]:
    """Return those of a planar series' views that are in the photopeak, without scatter; sides need no names.

    Raises
    ------
    IncompleteSeries
        If a view lacks a window.
    HevesyError
        What `choose_windows` refuses.
    """
    choice = choose_windows([view.window for view in views], asked, series.name)
    peaks, *sides = ([v for v in views if v.window == window] for window in (choice.photopeak, *choice.scatter))
    if any([v.detector for v in side] != [v.detector for v in peaks] for side in sides):
        raise IncompleteSeries(f"{series.name} does not hold every view in every energy window.", "Export it whole.")
    return [without_scatter(peak, beside) for peak, *beside in zip(peaks, *sides, strict=True)]


def views_of(series: Series) -> list[PlanarView]:
    """Return every view of a planar series, in the order of its files and frames."""
    files = zip(series.headers, series.files, strict=True)
    return [view for head, file in files for view in read_planar(head, file, series.name)]


def _paired(series: Series, views: Sequence[PlanarView]) -> ConjugatePair:
    """Pair views of a series, whose name a refusal carries."""
    try:
        return ConjugatePair.of(views)
    except HevesyError as refusal:
        raise type(refusal)(f"{series.name}: {refusal.refused}", refusal.remedy) from None


def _total(pair: ConjugatePair) -> float:
    return float(pair.anterior.counts.sum(dtype="f8") + pair.posterior.counts.sum(dtype="f8"))
