"""Recovery coefficients: what blur leaves of the activity in a small region, measured on spheres.

Source: Gear JI et al. 2018, Eur J Nucl Med Mol Imaging 45:2456-2474, section on recovery: the curve
R(V) = 1 - 1/(1 + (V/β)^γ), its two parameters fitted with their covariance.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hevesy.core import Measured
from hevesy.errors import BadInput, MissingInformation, OutsideValidity
from hevesy.stages.quantification.table_file import lines_of

_COLUMNS = ("volume_mL", "recovery", "u")
#: below this recovery the correction is a guess
LEAST_RECOVERY = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class RecoveryCurve:
    """Recovery by volume, R(V) = 1 - 1/(1 + (V/β)^γ).

    Parameters
    ----------
    beta : Measured
        Volume at which half is recovered, mL.
    gamma : Measured
        Steepness; shares causes with `beta`, so that their covariance is kept.
    smallest_mL : float
        Least volume that was measured.
    """

    beta: Measured
    gamma: Measured
    smallest_mL: float

    def at(self, volume: Measured) -> Measured:
        """Return the recovery coefficient of a volume (mL), with the volume's own causes in it.

        Raises
        ------
        OutsideValidity
            If the volume is below half the smallest sphere, or less than a fifth is recovered.
        """
        if volume.unit != "mL" or not volume.value > 0:
            raise BadInput(f"A recovery coefficient needs a positive volume in mL, not {volume}.")
        x = (volume.value / self.beta.value) ** self.gamma.value
        recovery = x / (1 + x)
        if volume.value < 0.5 * self.smallest_mL or recovery < LEAST_RECOVERY:
            raise OutsideValidity(
                f"A region of {volume.value:.3g} mL is too small for a recovery curve measured down to"
                f" {self.smallest_mL:.3g} mL (recovery {recovery:.2f}).",
                "Report its apparent activity without correction, or measure smaller spheres.",
            )
        slope = x / (1 + x) ** 2
        log = math.log(volume.value / self.beta.value)
        partials = [
            (volume, slope * self.gamma.value / volume.value),
            (self.beta, -slope * self.gamma.value / self.beta.value),
            (self.gamma, slope * log),
        ]
        return Measured.propagate(recovery, partials)


def fit_recovery(volumes_mL: Sequence[float], recoveries: Sequence[Measured]) -> RecoveryCurve:
    """Fit the curve to scans of spheres.

    Parameters
    ----------
    volumes_mL : sequence of float
        Inner volumes of the spheres.
    recoveries : sequence of Measured
        Apparent over true activity concentration of each.

    Raises
    ------
    BadInput
        If there are fewer than three spheres, or values that are no recoveries.
    """
    from scipy.optimize import least_squares

    v = np.array(volumes_mL, np.float64)
    r = np.array([m.value for m in recoveries])
    u = np.array([m.u for m in recoveries])
    if v.size < 3 or v.size != r.size or (v <= 0).any():
        raise BadInput(f"A recovery curve needs three or more spheres with volumes, not {v.size} and {r.size}.")
    if (r <= 0).any() or (r >= 1.3).any() or (u <= 0).any():
        raise BadInput("Recoveries must lie between 0 and 1.3, with positive uncertainties.", "Check their unit.")

    def misfit(p: NDArray[np.float64]) -> NDArray[np.float64]:
        x = np.exp(p[1] * (np.log(v) - p[0]))
        return np.asarray((x / (1 + x) - r) / u)

    starts = [least_squares(misfit, (math.log(b), g)) for b in np.quantile(v, (0.1, 0.5)) for g in (0.7, 1.3)]
    best = min(starts, key=lambda s: s.cost)
    jacobian = np.asarray(best.jac)
    covariance = np.linalg.inv(jacobian.T @ jacobian)
    root = np.linalg.cholesky(covariance)
    causes = [Measured(0.0, 1.0, "", "recovery") for _ in range(2)]
    beta, gamma = math.exp(best.x[0]), float(best.x[1])
    return RecoveryCurve(
        Measured.propagate(beta, zip(causes, beta * root[0], strict=True), "mL"),
        Measured.propagate(gamma, zip(causes, root[1], strict=True)),
        float(v.min()),
    )


def read_spheres(path: Path) -> RecoveryCurve:
    """Fit the curve to a table of spheres: comma-separated columns ``volume_mL, recovery, u``.

    Raises
    ------
    EmptyInput, UnreadableFile, MissingInformation
        If there is no such file, it is no text, or it lacks a column.
    BadInput
        If a value is no number, or as `fit_recovery`.
    """
    rows = list(csv.DictReader(lines_of(path)))
    columns = {(name or "").strip() for name in (rows[0] if rows else {})}
    if missing := [name for name in _COLUMNS if name not in columns]:
        raise MissingInformation(
            f"{path} has no column '{missing[0]}'.", f"Its first line names: {','.join(_COLUMNS)}."
        )
    found = [[_number(row, name, line) for name in _COLUMNS] for line, row in enumerate(rows, start=1)]
    return fit_recovery([v for v, _, _ in found], [Measured(r, max(u, 0.0)) for _, r, u in found])


def _number(row: dict[str, str], name: str, line: int) -> float:
    written = {key.strip(): (value or "").strip() for key, value in row.items() if isinstance(key, str)}[name]
    try:
        value = float(written)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise BadInput(f"Sphere {line} has '{written}' for {name}.", "Give a number.")
    return value


def equivalent_volume_mL(volume_mL: float, surface_mm2: float) -> float:
    """Return the volume of the sphere that has a region's ratio of volume to surface, mL.

    Blur takes activity out through the surface: a region that is not round loses what a smaller sphere loses.

    Raises
    ------
    BadInput
        If the surface is smaller than that of the sphere of the volume.
    """
    least = (36 * math.pi * (1e3 * volume_mL) ** 2) ** (1 / 3)
    if surface_mm2 < least * (1 - 1e-6):
        raise BadInput(f"No body of {volume_mL:.3g} mL has a surface of only {surface_mm2:.4g} mm².")
    return 36e-3 * math.pi * (1e3 * volume_mL / surface_mm2) ** 3
