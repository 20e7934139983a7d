"""Motions between the scans of a case, kept from one computation to the next so that nothing is registered twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hevesy.core import Grid
from hevesy.stages.registration.deformable import Deformation
from hevesy.stages.registration.rigid import Motion

Kept = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class KnownMotions:
    """Motions that were found before, for the same scans with the same settings.

    Parameters
    ----------
    scans : sequence of mapping or None
        From `keep_motions`: one for each scan, None for one that stays where it is.
    folder : Path or None
        Where the fields of displacements lie.
    """

    scans: Sequence[Kept | None]
    folder: Path | None = None

    def of(self, number: int, grid: Grid) -> Motion | Deformation | None:
        """Return how a scan was moved onto the grid of the reference."""
        kept = self.scans[number]
        if kept is None:
            return None
        motion = Motion(
            np.array(kept["matrix"]),
            _three(kept["rotation_deg"]),
            _three(kept["shift_mm"]),
            kept["agreement_before"],
            kept["agreement_after"],
        )
        further = kept.get("deformation")
        if further is None:
            return motion
        assert self.folder is not None, "the field of displacements was not kept"
        return Deformation(
            motion,
            grid,
            np.load(self.folder / further["file"]),
            further["largest_mm"],
            (further["volume_change"][0], further["volume_change"][1]),
            further["agreement_before"],
            further["agreement_after"],
        )


def keep_motions(
    motions: Sequence[Motion | Deformation | None], folder: Path | None = None
) -> list[dict[str, Any] | None]:
    """Return motions as plain JSON types, to the last digit; a field of displacements goes to a file.

    Parameters
    ----------
    motions : sequence of Motion, Deformation or None
        One for each scan.
    folder : Path, optional
        Where fields are written; without it the motions can be shown, but no scan be moved by a deformation again.

    Returns
    -------
    list of dict or None
        For each scan its ``matrix`` (fixed to moving patient coordinates, mm, LPS) and how well it fits; lengths in mm,
        angles in degrees.
    """
    return [None if one is None else _kept(one, number, folder) for number, one in enumerate(motions)]


def _kept(motion: Motion | Deformation, number: int, folder: Path | None) -> dict[str, Any]:
    rigid = motion.motion if isinstance(motion, Deformation) else motion
    kept: dict[str, Any] = {
        "matrix": rigid.matrix.tolist(),
        "rotation_deg": [float(angle) for angle in rigid.rotation_deg],
        "shift_mm": [float(shift) for shift in rigid.shift_mm],
        "agreement_before": float(rigid.agreement_before),
        "agreement_after": float(rigid.agreement_after),
    }
    if isinstance(motion, Deformation):
        name = f"displacement-{number + 1}.npy" if folder else None
        if folder and name:
            np.save(folder / name, motion.displacement_mm)
        kept["deformation"] = {
            "file": name,
            "largest_mm": float(motion.largest_mm),
            "volume_change": [float(change) for change in motion.volume_change],
            "agreement_before": float(motion.agreement_before),
            "agreement_after": float(motion.agreement_after),
        }
    return kept


def _three(values: Sequence[float]) -> tuple[float, float, float]:
    x, y, z = values
    return x, y, z
