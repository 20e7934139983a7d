"""Planar series of a folder to anterior and posterior views of the photopeak, without scatter."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hevesy.core import Nuclide, PlanarView
from hevesy.errors import ContradictoryInformation, HevesyError, IncompleteSeries, MissingInformation, UnknownName
from hevesy.stages.imaging.planar_views import read_planar
from hevesy.stages.imaging.series import Series
from hevesy.stages.quantification.conjugate_pair import ConjugatePair
from hevesy.stages.quantification.energy_windows import (
    WindowChoice,
    WindowRequest,
    choose_windows,
    limits_of,
    without_scatter,
)
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
    """

    name: str
    pair: ConjugatePair
    windows: WindowChoice
    scatter: float

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


def conjugate_scan(series: Series, asked: WindowRequest) -> ConjugateScan:
    """Return the anterior and the posterior view of the photopeak.

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
    views = views_of(series)
    choice = choose_windows([view.window for view in views], asked, series.name)
    peak = _paired(series, [view for view in views if view.window == choice.photopeak])
    sides = [_paired(series, [view for view in views if view.window == window]) for window in choice.scatter]
    net = ConjugatePair(
        without_scatter(peak.anterior, [side.anterior for side in sides]),
        without_scatter(peak.posterior, [side.posterior for side in sides]),
    )
    return ConjugateScan(series.name, net, choice, 1 - _total(net) / max(_total(peak), 1.0))


def conjugate_scans(series: Sequence[Series], asked: WindowRequest) -> list[ConjugateScan]:
    """Return scans in order of time, all counted and corrected alike.

    Raises
    ------
    ContradictoryInformation
        If scatter can be subtracted from some and not from others, or photopeaks differ.
    HevesyError
        What `conjugate_scan` refuses.
    """
    scans = sorted((conjugate_scan(one, asked) for one in series), key=lambda scan: scan.start)
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


def photopeak_views(series: Series, asked: WindowRequest) -> list[PlanarView]:
    """Return every view of a planar series in the photopeak's window, without scatter; sides need no names.

    Raises
    ------
    IncompleteSeries
        If a view lacks a window.
    HevesyError
        What `choose_windows` refuses.
    """
    views = views_of(series)
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
