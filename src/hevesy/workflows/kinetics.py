"""The curves of a case and their fits: which points count, and what physics and case.yaml say of each."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hevesy.core import Administration, Curve, Measured
from hevesy.errors import BadConfiguration
from hevesy.stages.kinetics import Fit, PopulationHalfLife, bounded_tia, check_physical, fit_curve, still_rising
from hevesy.stages.kinetics.distribution import scan_weights_s
from hevesy.workflows.case import Case
from hevesy.workflows.hybrid import check_shapes, hybrid_fit
from hevesy.workflows.measurement import Measurement
from hevesy.workflows.planar_curves import PlanarCurves
from hevesy.workflows.region_kinetics import Tissue, fit_region
from hevesy.workflows.scans import Course, Scan


@dataclass(frozen=True, slots=True, eq=False)
class RegionKinetics:
    """One region's curve and its fit.

    Parameters
    ----------
    curve : Curve
        Every point that was measured.
    kept : Curve
        The points that were fitted.
    left_out : mapping of int to str
        Index of each point that was not, and why.
    fit : Fit
        What the kept points come to.
    """

    curve: Curve
    kept: Curve
    left_out: Mapping[int, str]
    fit: Fit = field(repr=False)

    @property
    def weights_s(self) -> NDArray[np.float64]:
        """The time that each scan stands for, s; none for a point that was left out."""
        found = np.zeros(len(self.curve))
        found[[i for i in range(len(self.curve)) if i not in self.left_out]] = scan_weights_s(self.fit, self.kept)
        return found

    def notes(self, labels: Sequence[str]) -> list[str]:
        """Return what a reader must know of the points that were left out."""
        return [
            f"The point of {labels[i]} ({self.curve.mid_s[i] / 3600:.4g} h, {self.curve.activity_Bq[i] / 1e6:.4g} MBq)"
            f" was left out of the curve: {reason.rstrip('.')}."
            for i, reason in sorted(self.left_out.items())
        ]


@dataclass(frozen=True, slots=True, eq=False)
class CaseKinetics:
    """Every region's kinetics, the whole body's last, and what about them is doubtful."""

    regions: tuple[RegionKinetics, ...]
    doubts: tuple[str, ...]


def case_kinetics(measured: Sequence[Measurement], course: Course, case: Case, shapes: PlanarCurves) -> CaseKinetics:
    """Fit every curve, the whole body's last, once physics has allowed them all.

    Raises
    ------
    UnphysicalCurve
        If a curve breaks a law of decay or conservation.
    BadConfiguration
        If case.yaml leaves out a scan that there is not, or all of them.
    """
    names = [m.region.name for m in measured]
    if shapes.curves:
        check_shapes(shapes.curves, names[:-1], names[-1], [scan.mid_s for scan in course.scans])
    curves = [curve_of(m, course.scans) for m in measured]
    given = Given(course.administration, course.nuclide.decay_constant)
    chosen = [choose_points(c, said_of(m.region, case)) for c, m in zip(curves, measured, strict=True)]
    doubts = [
        check_physical(kept, given.rate, given.administration.activity, closed_system=last and _closed(case))
        for (kept, _), last in zip(chosen, _is_last(chosen), strict=True)
    ]
    regions = []
    for curve, one, (kept, left_out), last in zip(curves, measured, chosen, _is_last(chosen), strict=True):
        planar = shapes.curves.get(curve.name)
        alone = last and planar is None
        fit = fit_body(kept, given.rate) if alone else fit_one(kept, one.region, given, case, planar)
        regions.append(RegionKinetics(curve, kept, left_out, fit))
    return CaseKinetics(tuple(regions), (*shapes.notes, *itertools.chain.from_iterable(doubts)))


def _closed(case: Case) -> bool:
    return bool(case.get("body_in_view") != "part")


def _is_last(items: Sequence[object]) -> list[bool]:
    return [n == len(items) - 1 for n in range(len(items))]


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """What was administered, and the physical decay constant (1/s)."""

    administration: Administration
    rate: Measured


def curve_of(measured: Measurement, scans: Sequence[Scan]) -> Curve:
    """Return a region's activity over time."""
    starts = [scan.mid_s - scan.duration_s / 2 for scan in scans]
    ends = [scan.mid_s + scan.duration_s / 2 for scan in scans]
    values = np.array([a.value for a in measured.activity])
    return Curve(np.array(starts), np.array(ends), values, np.array(measured.counts_u), measured.region.name)


def choose_points(curve: Curve, said: Mapping[str, Any]) -> tuple[Curve, dict[int, str]]:
    """Return the points that are fitted, and the index of each other one with the reason.

    Raises
    ------
    BadConfiguration
        If a scan does not exist, or none is left.
    """
    left_out = {int(one["scan"]) - 1: str(one["reason"]) for one in said.get("leave_out", ())}
    where = f"case.yaml: regions: {curve.name}: leave_out:"
    if beyond := [i + 1 for i in left_out if i >= len(curve)]:
        raise BadConfiguration(f"{where} there is no scan {beyond[0]}.", f"There are {len(curve)}.")
    if len(left_out) == len(curve):
        raise BadConfiguration(f"{where} no point is left to fit.", "Keep one, or say 'skip: true' of the region.")
    if not left_out:
        return curve, {}
    kept = [i for i in range(len(curve)) if i not in left_out]
    columns = (curve.starts_s[kept], curve.ends_s[kept], curve.activity_Bq[kept], curve.u_Bq[kept])
    return Curve(*columns, curve.name, curve.u_known), left_out


def fit_one(curve: Curve, tissue: Tissue, given: Given, case: Case, planar: Curve | None) -> Fit:
    """Return the fit of a region's curve, or of its planar curve scaled to the one SPECT."""
    said = said_of(tissue, case)
    if planar is not None:
        return hybrid_fit(planar, curve, tissue, (given.administration, given.rate), said)
    return fit_region(curve, tissue, given.rate, given.administration, said)


def fit_body(curve: Curve, rate: Measured) -> Fit:
    """Return the fit of the body's curve; without washout, activity decays physically alone."""
    if len(curve) == 1 or still_rising(curve, rate):
        seconds = float(np.log(2)) / rate.value
        return bounded_tia(curve, rate, PopulationHalfLife(seconds, 1.0, "physical decay alone"))
    return fit_curve(curve, rate, immediate=True)


def said_of(tissue: Tissue, case: Case) -> Mapping[str, Any]:
    """Return what case.yaml says of a region that may have been renamed."""
    named = [said for name, said in case.get("regions", {}).items() if said.get("name", name) == tissue.name]
    return named[0] if named else {}
