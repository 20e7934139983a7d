"""Where the scans of a case lie once they were moved onto each other, for a face that shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

#: what is said of a scan: it is the reference, was moved, or was left where its header places it
REFERENCE, RIGID, DEFORMABLE, UNMOVED = "reference", "rigid", "deformable", "none"


def described_motions(measured: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return how each scan was moved, for people.

    Parameters
    ----------
    measured : mapping
        From `hevesy.workflows.curves.measure_curves`.

    Returns
    -------
    list of dict
        For each scan `how`; for one that was moved also `matrix` (the rigid part: patient coordinates of the reference
        to those of the scan, mm), `shift_mm` and `rotation_deg` (sizes), `agreement_before` and `agreement_after`
        (normalised cross-correlation with the reference), and of a deformation `largest_mm`, the longest displacement
        that came on top of it.
    """
    kept = measured.get("motions", ())
    return [{"how": REFERENCE} if n == measured["reference"] else _described(one) for n, one in enumerate(kept, 1)]


def _described(kept: Mapping[str, Any] | None) -> dict[str, Any]:
    if kept is None:
        return {"how": UNMOVED}
    further = kept.get("deformation")
    cosine = (np.trace(np.array(kept["matrix"])[:3, :3]) - 1) / 2
    found = {
        "how": DEFORMABLE if further else RIGID,
        "matrix": kept["matrix"],
        "shift_mm": float(np.linalg.norm(kept["shift_mm"])),
        "rotation_deg": float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))),
        "agreement_before": kept["agreement_before"],
        "agreement_after": (further or kept)["agreement_after"],
    }
    return {**found, "largest_mm": further["largest_mm"]} if further else found


def grid_in_reference(grid: Mapping[str, Any], motion: Mapping[str, Any]) -> dict[str, Any]:
    """Return a scan's grid (`shape`, `affine`) as it lies in the reference, by the rigid part of the scan's motion."""
    if "matrix" not in motion:
        return dict(grid)
    return {**grid, "affine": (np.linalg.inv(motion["matrix"]) @ np.array(grid["affine"])).tolist()}


def point_in_scan(point_mm: Sequence[float], motion: Mapping[str, Any]) -> tuple[float, float, float]:
    """Return where a point of the reference (LPS, mm) lies in a scan, by the rigid part of the scan's motion."""
    matrix = np.array(motion.get("matrix", np.eye(4)))
    x, y, z = (matrix @ [*point_mm, 1.0])[:3]
    return float(x), float(y), float(z)
