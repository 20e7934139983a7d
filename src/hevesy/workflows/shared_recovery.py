"""Where one recovery coefficient serves several scans, they must lose alike for its error to be common to all.

An error that all points of a curve share scales time-integrated activity and dose, and leaves the half-life alone.
That holds for scans of one resolution, on outlines of one size. Where scans differ in that, each point has an error of
its own, which no common uncertainty covers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hevesy.core import Region
from hevesy.stages.imaging.imaging_chain import imaging_chain
from hevesy.stages.quantification.delineation import activity_exponent, sphere_recovery
from hevesy.workflows.scans import Scan

#: points of a curve that may be off by this against each other deserve a warning
NOTABLE = 0.05
#: letters of what a header states that a warning repeats
_LONGEST = 40
#: voxels are of one size if no side differs by more than this
_SAME_SIDE = 0.01


def unshared(
    region: Region, outlined: Sequence[Region], said: Mapping[str, Any], scans: Sequence[Scan], resolution_mm: float
) -> tuple[str, ...]:
    """Return warnings where scans of a region that one recovery coefficient serves may lose unlike shares.

    Parameters
    ----------
    region : Region
        On the reference grid.
    outlined : sequence of Region
        What was drawn on each scan; empty where one outline serves all.
    said : mapping
        What case.yaml says of it; a list of recovery coefficients leaves nothing to warn of.
    scans : sequence of Scan
        In order of time.
    resolution_mm : float
        Reconstructed resolution (FWHM), mm.
    """
    if isinstance(said.get("recovery"), list) or len(scans) < 2:
        return ()
    found = _redrawn(region, outlined, scans, resolution_mm)
    matters = "recovery" in said or sphere_recovery(region.volume_mL, resolution_mm) < 1 - NOTABLE
    return (*found, *_unlike(scans)) if matters else found


def _redrawn(
    region: Region, outlined: Sequence[Region], scans: Sequence[Scan], resolution_mm: float
) -> tuple[str, ...]:
    volumes = [one.volume_mL for one in outlined]
    if not volumes:
        return ()
    exponent = activity_exponent(region.volume_mL, resolution_mm)
    apart = (max(volumes) / min(volumes)) ** exponent - 1
    if apart <= NOTABLE:
        return ()
    listed = ", ".join(f"{v:.3g} mL on {scan.label}" for v, scan in zip(volumes, scans, strict=True))
    return (
        f"Its outline was drawn anew on each scan ({listed}), and the loss to blur was taken to be the same on all:"
        f" points of its curve may be off by {apart:.0%} against each other, which no uncertainty here covers. Give a"
        " recovery coefficient for each scan, or 'propagate: true' to use one outline.",
    )


def _unlike(scans: Sequence[Scan]) -> tuple[str, ...]:
    """Say in what scans differ that all lose the same share to blur by the coefficient that serves them."""
    differing = [name for name, values in _stated(scans).items() if len(set(values)) > 1]
    if not differing:
        return ()
    listed = "; ".join(f"{name}: {' / '.join(dict.fromkeys(_shortened(scans, name)))}" for name in differing)
    return (
        f"One loss to blur was taken for scans that were not made alike ({listed}): each point of its curve may have an"
        " error of its own, which no uncertainty here covers. Give a recovery coefficient for each scan.",
    )


def _shortened(scans: Sequence[Scan], name: str) -> list[str]:
    return [value if len(value) <= _LONGEST else f"{value[: _LONGEST - 1]}…" for value in _stated(scans)[name]]


def _stated(scans: Sequence[Scan]) -> dict[str, list[str]]:
    """Return by name what every scan that states it says, in order of time."""
    found: dict[str, list[str]] = {"voxel": _voxels(scans)}
    for scan in scans:
        for name, value in imaging_chain(scan.series.headers[0]).items() if scan.series.headers else ():
            found.setdefault(name, []).append(value)
    return found


def _voxels(scans: Sequence[Scan]) -> list[str]:
    sides = [scan.activity.grid.spacing_mm for scan in scans]
    alike = all(abs(a - b) <= _SAME_SIDE * b for one in sides for a, b in zip(one, sides[0], strict=True))
    return ["alike"] if alike else ["×".join(f"{side:.3g}" for side in one) + " mm" for one in sides]
