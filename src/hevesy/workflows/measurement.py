"""Scans brought onto one grid, and what each region holds in every scan."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hevesy.core import Grid, Image, Measured, Outline, Quantity, Region, Role
from hevesy.errors import BadConfiguration, ContradictoryInformation, MissingInformation, OutsideImage, OutsideValidity
from hevesy.stages.quantification.delineation import activity_exponent, sphere_recovery, volume
from hevesy.stages.quantification.recovery import RecoveryCurve, read_spheres
from hevesy.stages.registration.ct_deformable import deform_by_ct
from hevesy.stages.registration.deformable import Deformation, deform
from hevesy.stages.registration.rigid import Motion, register, resample
from hevesy.stages.segmentation.body import body
from hevesy.stages.segmentation.coverage import cover
from hevesy.stages.segmentation.placement import place
from hevesy.workflows.case import Case
from hevesy.workflows.motions import KnownMotions
from hevesy.workflows.scans import Scan, reference_scan
from hevesy.workflows.shared_recovery import unshared

#: a region whose sphere would lose more than this to blur deserves a recovery coefficient
_NOTABLE_LOSS = 0.05

WHOLE_BODY = "whole body"
#: what `registration:` says where scans are registered by the CT of each
BY_CT = "deformable-ct"
_OTHERWISE = "Add the CT of every scan, or use 'registration: rigid' in case.yaml."
#: what a CT shows where it does not reach: air, so that no tissue is invented there
AIR_HU = -1000.0
#: share of a region that may lie outside the field of view that the scans have in common
_UNSEEN = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Series4D:
    """All scans on the grid of the reference scan.

    Parameters
    ----------
    reference : int
        Index of the reference among the scans.
    activity : tuple of Image
        Activity concentration of each scan on the reference grid, Bq/mL.
    motions : tuple of Motion or Deformation or None
        How each scan was moved; None for the reference and where registration was off.
    body : Region
        The body within every scan's field of view.
    ct : Image or None
        The CT on its own grid, HU, where it lies in the reference.
    anatomy : Image or None
        It on the reference grid.
    outside : tuple of float
        Share of each scan's activity that lies outside `body`.
    seen : array of bool
        Voxels within the field of view of every scan.
    """

    reference: int
    activity: tuple[Image, ...] = field(repr=False)
    motions: tuple[Motion | Deformation | None, ...]
    body: Region
    ct: Image | None
    anatomy: Image | None
    outside: tuple[float, ...]
    seen: NDArray[np.bool_] = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """One region in every scan.

    Parameters
    ----------
    region : Region
        On the reference grid.
    volume : Measured
        mL; labelled "volume".
    activity : tuple of Measured
        Bq in each scan, with volume, recovery, calibration and counts as causes.
    counts_u : tuple of float
        The part of each standard uncertainty that is the scan's own, Bq.
    scale : Measured
        1, with the relative uncertainty that all scans share.
    notes : tuple of str
        What a reader must know.
    """

    region: Region
    volume: Measured
    activity: tuple[Measured, ...]
    counts_u: tuple[float, ...]
    scale: Measured
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Budget:
    """The inputs to uncertainty that all regions share: relative calibration and counts, and resolutions in mm."""

    calibration: Measured
    counts: float
    resolution_mm: float
    delineation_mm: float
    recovery: RecoveryCurve | None = None

    @classmethod
    def of(cls, case: Case) -> Budget:
        """Take the inputs from a case; what it does not give is assumed and listed by `Case.assumed`."""
        resolution = case.number("uncertainty.resolution_mm")
        spheres = case.get("recovery.spheres")
        return cls(
            Measured(1.0, case.number("calibration.u_percent") / 100, label="calibration"),
            case.number("uncertainty.counts_percent") / 100,
            resolution,
            float(case.get("uncertainty.delineation_mm", resolution)),
            read_spheres((case.source.parent if case.source else Path()) / spheres) if spheres else None,
        )


def align(
    scans: Sequence[Scan],
    anatomy: Image | None,
    case: Case,
    progress: Callable[[str], None],
    known: KnownMotions | None = None,
) -> Series4D:
    """Bring every scan onto the grid of the reference, by the motions that are known, or else by registration.

    Raises
    ------
    RegistrationWorsened
        If a registration fails.
    MissingInformation
        If scans shall be registered by CT and one has no CT of its own.
    BadConfiguration
        If the reference is not one of the scans.
    """
    index = reference_scan(scans, case)
    fixed = scans[index].activity
    how = case.get("registration", "rigid")
    if known is None and how == BY_CT:
        _require_cts(scans)
    moved, motions, seen = [], [], np.ones(fixed.grid.shape, bool)
    for number, scan in enumerate(scans):
        motion = known.of(number, fixed.grid) if known else None
        if known is None and number != index and how != "none":
            progress(f"registering {scan.label}")
            motion = _registered(scans[index], scan, how)
        here = number == index or (motion is None and fixed.grid.matches(scan.activity.grid))
        moved.append(scan.activity if here else resample(scan.activity, fixed.grid, motion))
        motions.append(motion)
        if not here:
            full = scan.activity.with_values(np.ones(scan.activity.grid.shape, np.float32), Quantity.RELATIVE)
            seen &= resample(full, fixed.grid, motion).values > 1 - 1e-3
    ct = in_reference(anatomy, scans, index, motions) if anatomy is not None else None
    beneath = resample(ct, fixed.grid, beyond=AIR_HU) if ct is not None else None
    outline = body(beneath if beneath is not None else fixed)
    region = Region.from_mask(WHOLE_BODY, fixed.grid, outline.mask() * seen, Role.BODY)
    outside = tuple(_share_outside(image, region, seen) for image in moved)
    return Series4D(index, tuple(moved), tuple(motions), region, ct, beneath, outside, seen)


def in_reference(
    anatomy: Image, scans: Sequence[Scan], reference: int, motions: Sequence[Motion | Deformation | None]
) -> Image:
    """Return a CT where it lies in the reference: moved with the scan in whose frame of reference it was taken."""
    frame = anatomy.grid.frame_of_reference
    own = (n for n in (reference, *range(len(scans))) if scans[n].activity.grid.frame_of_reference == frame)
    motion = motions[next(own, reference)]
    if motion is None:
        return anatomy
    rigid = motion.motion if isinstance(motion, Deformation) else motion
    moved = np.linalg.inv(rigid.matrix) @ anatomy.grid.affine
    grid = Grid(anatomy.grid.shape, moved, scans[reference].activity.grid.frame_of_reference)
    return replace(anatomy, grid=grid, provenance=anatomy.provenance.then("moved with its scan"))


def _registered(fixed: Scan, moving: Scan, how: str) -> Motion | Deformation:
    motion = register(fixed.activity, moving.activity)
    if how == BY_CT and fixed.ct is not None and moving.ct is not None:
        return deform_by_ct(fixed.activity.grid, fixed.ct.image(), moving.ct.image(), motion)
    return deform(fixed.activity, moving.activity, motion) if how == "deformable" else motion


def _require_cts(scans: Sequence[Scan]) -> None:
    """Refuse to register by CT where a scan has none, or shares one with another."""
    without = [scan.label for scan in scans if scan.ct is None]
    if without:
        raise MissingInformation(f"No CT lies in the frame of reference of {', '.join(without)}.", _OTHERWISE)
    for one, other in itertools.combinations(scans, 2):
        if one.ct is not None and other.ct is not None and one.ct.uid == other.ct.uid:
            raise MissingInformation(f"{one.label} and {other.label} have one CT between them.", _OTHERWISE)


def _share_outside(image: Image, region: Region, seen: NDArray[np.bool_]) -> float:
    total = float(np.sum(image.values[seen], dtype=np.float64)) * image.grid.voxel_volume_mL
    return 1 - region.integral(image) / total if total > 0 else 0.0


def measure(scans: Sequence[Scan], series: Series4D, case: Case) -> tuple[Measurement, ...]:
    """Measure every drawn region in every scan.

    Each scan's own outline is used where each has one, that of the reference on all otherwise.

    Raises
    ------
    MissingInformation
        If a region is drawn on some scans and not on others.
    OutsideImage
        If a region reaches outside a scan's field of view; one whose role is the body is cut, and that is noted.
    OutsideValidity
        If a region holds no activity.
    ContradictoryInformation
        If two regions would have one name, or one that of the whole body.
    """
    budget = Budget.of(case)
    found = tuple(_measure_region(name, scans, series, case, budget) for name in _region_names(scans, series, case))
    names = [WHOLE_BODY, *(one.region.name for one in found)]
    for name in names:
        if names.count(name) > 1:
            raise ContradictoryInformation(f"Two regions are called '{name}'.", "Give one another name: in case.yaml.")
    return found


def measure_body(scans: Sequence[Scan], series: Series4D, case: Case) -> Measurement:
    """Measure the body in every scan, as far as all fields of view reach."""
    budget = Budget.of(case)
    raw = [series.body.integral(image) for image in series.activity]
    size = volume(series.body, budget.delineation_mm)
    return Measurement(series.body, size, *_with_uncertainty(raw, scans, budget.counts, budget.calibration))


def _region_names(scans: Sequence[Scan], series: Series4D, case: Case) -> list[str]:
    names = list(dict.fromkeys(itertools.chain.from_iterable(scan.drawn for scan in scans)))
    with_drawings = [scan for scan in scans if scan.drawn]
    for name in names:
        missing = [scan.label for scan in with_drawings if name not in scan.drawn]
        once = case.region(name).get("propagate") or name in scans[series.reference].found
        if name not in scans[series.reference].drawn or (missing and not once):
            where = ", ".join(missing) or scans[series.reference].label
            raise MissingInformation(
                f"Region '{name}' is not drawn on {where}, while others are.",
                f"Draw it there, or say 'regions: {{{name}: {{propagate: true}}}}' or 'skip: true' in case.yaml.",
            )
    return names


def _measure_region(name: str, scans: Sequence[Scan], series: Series4D, case: Case, budget: Budget) -> Measurement:
    said = case.region(name)
    region, notes = placed(scans[series.reference].drawn[name], series.activity[series.reference].grid, said)
    own = all(name in scan.drawn for scan in scans) and not said.get("propagate")
    if own:
        outlined = [placed(s.drawn[name], s.activity.grid, said)[0] for s in scans]
        raw = [one.integral(s.activity) for one, s in zip(outlined, scans, strict=True)]
    else:
        outlined = []
        region, unseen = _within_view(region, series)
        notes += (*unseen, f"Drawn once, on {scans[series.reference].label}, and used on every scan.")
        raw = [region.integral(image) for image in series.activity]
    notes += _confirmation(region, said)
    _require_activity(raw, region, scans)
    size = volume(region, budget.delineation_mm)
    recovery, warned = _recovery(region, size, said, budget)
    warned += unshared(region, outlined, said, scans, budget.resolution_mm)
    raw = [value / share for value, share in zip(raw, _shares_of_recovery(region, said, len(scans)), strict=True)]
    region = replace(region, recovery=recovery)
    exponent = activity_exponent(region.volume_mL, budget.resolution_mm)
    shared = budget.calibration / recovery * (size / size.value).to(1.0, "") ** exponent
    return Measurement(region, size, *_with_uncertainty(raw, scans, budget.counts, shared), (*warned, *notes))


def _confirmation(region: Region, said: Mapping[str, Any]) -> tuple[str, ...]:
    """Say that a region was found automatically, and whether a person has confirmed it."""
    if not region.found_by:
        return ()
    state = "confirmed by a person" if said.get("confirmed") else "to be confirmed by a person"
    return (f"Found automatically ({region.found_by}); {state}.", *region.provenance.notes)


def placed(shape: Outline | Region, grid: Grid, said: Mapping[str, Any]) -> tuple[Region, tuple[str, ...]]:
    """Bring what was drawn onto a scan's grid; the body may reach beyond the field of view, nothing else may."""
    role = Role(said["role"]) if "role" in said else shape.role
    notes: tuple[str, ...] = ()
    try:
        region = _on_grid(shape, grid)
    except OutsideImage as refusal:
        if role is not Role.BODY:
            raise
        region = _on_grid(shape, grid, cut=True)
        notes = (f"{refusal.refused} Only the part in the field of view was measured.",)
    return replace(region, name=str(said.get("name", region.name)), role=role), notes


def _on_grid(shape: Outline | Region, grid: Grid, cut: bool = False) -> Region:
    return cover(shape, grid, cut=cut) if isinstance(shape, Outline) else place(shape, grid, cut=cut)


def _within_view(region: Region, series: Series4D) -> tuple[Region, tuple[str, ...]]:
    """Refuse a region that some scan does not show whole; cut the body to what all scans show."""
    kept = region.coverage * series.seen[region.box]
    share = 1 - float(kept.sum(dtype=np.float64) / region.coverage.sum(dtype=np.float64))
    if share <= _UNSEEN:
        return region, ()
    line = f"Region '{region.name}' reaches outside the field of view that all scans share: {share:.1%} of its volume."
    if region.role is not Role.BODY or share == 1:
        raise OutsideImage(line, "Name the scans that hold it under scans: in case.yaml, or skip the region.")
    return replace(region, coverage=kept), (f"{line} Only the part that all show was measured.",)


def _require_activity(raw: Sequence[float], region: Region, scans: Sequence[Scan]) -> None:
    for value, scan in zip(raw, scans, strict=True):
        if not value > 0:
            raise OutsideValidity(
                f"Region '{region.name}' holds no activity in {scan.label} ({value / 1e6:.3g} MBq), so that no curve"
                " can be fitted.",
                f"Check where it was drawn, or say 'regions: {{{region.name}: {{skip: true}}}}' in case.yaml.",
            )


def _recovery(
    region: Region, size: Measured, said: Mapping[str, Any], budget: Budget
) -> tuple[Measured, tuple[str, ...]]:
    """Return the recovery given, or that of the curve, or 1 with what a sphere would lose as its uncertainty."""
    if "recovery" in said:
        value = float(np.mean(said["recovery"]))
        return Measured(value, value * float(said.get("recovery_u_percent", 5.0)) / 100, label="recovery"), ()
    if budget.recovery is not None and region.role in (Role.ORGAN, Role.LESION):
        return _on_curve(region, size, budget.recovery), ()
    expected = sphere_recovery(region.volume_mL, budget.resolution_mm)
    if expected > 1 - _NOTABLE_LOSS:
        return Measured(1.0), ()
    note = (
        f"No correction for partial volume: a sphere of {region.volume_mL:.3g} mL seen with {budget.resolution_mm:g} mm"
        f" resolution in a cold surrounding keeps {expected:.0%} of its activity, so activity and dose may be too low;"
        " give regions: recovery: in case.yaml."
    )
    return Measured(1.0, (1 - expected) / np.sqrt(3), label="recovery"), (note,)


def _on_curve(region: Region, size: Measured, curve: RecoveryCurve) -> Measured:
    """Return the recovery of a region's volume on the curve of the spheres; it shares the volume's uncertainty."""
    try:
        return curve.at(size)
    except OutsideValidity as refusal:
        raise OutsideValidity(
            f"Region '{region.name}': {refusal.refused}",
            f"Give 'regions: {{{region.name}: {{recovery: …}}}}' in case.yaml, or measure smaller spheres.",
        ) from None


def _shares_of_recovery(region: Region, said: Mapping[str, Any], scans: int) -> list[float]:
    """Return each scan's recovery coefficient over their mean; 1 where one is given for all, or none."""
    given = said.get("recovery")
    if not isinstance(given, list):
        return [1.0] * scans
    if len(given) != scans:
        raise BadConfiguration(
            f"case.yaml: regions: {region.name}: recovery: {len(given)} coefficients for {scans} scans.",
            "Give one for all scans, or one for each in order of time.",
        )
    return [float(one) / float(np.mean(given)) for one in given]


def _with_uncertainty(
    raw: Sequence[float], scans: Sequence[Scan], counts: float, shared: Measured
) -> tuple[tuple[Measured, ...], tuple[float, ...], Measured]:
    """Return activity in each scan (Bq), the scan's own standard uncertainty (Bq), and the shared scale as 1 ± u."""
    each = [
        Measured(value, abs(value) * counts, "Bq", "counts")
        * (shared * Measured(1.0, scan.calibration_u, label="calibration of the scan"))
        for value, scan in zip(raw, scans, strict=True)
    ]
    own = [abs(v * shared.value) * math.hypot(counts, scan.calibration_u) for v, scan in zip(raw, scans, strict=True)]
    return tuple(each), tuple(own), shared / shared.value
