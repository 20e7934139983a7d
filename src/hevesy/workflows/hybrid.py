"""One SPECT and several planar views: which planar curve belongs to which region, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from hevesy.core import Administration, Curve, Measured
from hevesy.errors import ImpossibleTiming, MissingInformation, UnknownRegion
from hevesy.stages.kinetics import Fit
from hevesy.stages.kinetics.hybrid import scaled_to
from hevesy.workflows.region_kinetics import Tissue, fit_region

#: share of the planar views' span by which a SPECT may lie before or after them
_MARGIN = 0.1


def check_shapes(shapes: Mapping[str, Curve], regions: Sequence[str], body: str, spects_s: Sequence[float]) -> None:
    """Refuse planar curves that cannot give the regions of one SPECT their shape.

    Parameters
    ----------
    shapes : mapping of str to Curve
        Planar curve of each region, in any unit.
    regions : sequence of str
        Regions of the SPECT.
    body : str
        What the whole body is called; a planar curve of it may be given.
    spects_s : sequence of float
        Middle of every SPECT after administration, s.

    Raises
    ------
    MissingInformation
        If a region has no planar curve, or a curve fewer than two points.
    UnknownRegion
        If a curve is of nothing drawn.
    ImpossibleTiming
        If there is not one SPECT, or it lies outside a curve by more than a tenth of its span.
    """
    if len(spects_s) != 1:
        raise ImpossibleTiming(
            f"Planar curves scale to one SPECT; there are {len(spects_s)}.",
            "Name one under scans: in case.yaml, or leave the planar curves out.",
        )
    if missing := [name for name in regions if name not in shapes]:
        raise MissingInformation(
            f"Region '{missing[0]}' has no planar curve.", "Add its points, or say 'skip: true' of it in case.yaml."
        )
    if unknown := [name for name in shapes if name not in (*regions, body)]:
        raise UnknownRegion(
            f"There is a planar curve of '{unknown[0]}' and no such region on the SPECT.",
            f"There are: {', '.join((*regions, body))}.",
        )
    for curve in shapes.values():
        _check_times(curve, spects_s[0])


def _check_times(curve: Curve, spect_s: float) -> None:
    if len(curve) < 2:
        raise MissingInformation(f"The planar curve of '{curve.name}' has one point.", "A shape needs two or more.")
    first, last = curve.mid_s[0], curve.mid_s[-1]
    margin = _MARGIN * (last - first)
    if not first - margin <= spect_s <= last + margin:
        raise ImpossibleTiming(
            f"The SPECT at {spect_s / 3600:.4g} h lies outside the planar views of '{curve.name}'"
            f" ({first / 3600:.4g} to {last / 3600:.4g} h).",
            "Take planar views on both sides of it.",
        )


def hybrid_fit(
    planar: Curve, spect: Curve, region: Tissue, given: tuple[Administration, Measured], said: Mapping[str, object]
) -> Fit:
    """Fit a planar curve and scale it to the SPECT.

    Parameters
    ----------
    planar : Curve
        In any unit.
    spect : Curve
        The one point of the SPECT, Bq.
    region : Tissue
        The region.
    given : (Administration, Measured)
        The administration, and the physical decay constant (1/s).
    said : mapping
        What case.yaml says of the region.
    """
    administration, rate = given
    fit = fit_region(planar, region, rate, administration, said)
    level = Measured(float(spect.activity_Bq[0]), float(spect.u_Bq[0]), "Bq", "counts")
    at_s = float(spect.mid_s[0])
    scaled = scaled_to(fit, level, at_s)
    factor = float(scaled.activity(at_s) / fit.activity(at_s))
    values, u = planar.activity_Bq * factor, planar.u_Bq * factor
    points = Curve(planar.starts_s, planar.ends_s, values, u, planar.name, planar.u_known)
    return replace(scaled, shape_points=points)
