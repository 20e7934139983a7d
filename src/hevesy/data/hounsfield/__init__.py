"""CT number to mass density and tissue: a published calibration, or a scanner's own in the same form."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hevesy.core.material import Material
from hevesy.errors import BadInput, UnreadableFile

#: g/cm³ → kg/m³
KG_M3_PER_G_CM3 = 1e3


@dataclass(frozen=True, slots=True, eq=False)
class HounsfieldTable:
    """A CT calibration.

    Parameters
    ----------
    hounsfield, density_kg_m3 : (n,) array
        Corner points of density, kg/m³, against CT number, HU: linear between them, constant outside;
        a repeated CT number is a step that lies just above it.
    tissue_from : (m,) array
        CT number, HU, from which each tissue applies, to that of the next.
    tissues : tuple of Material
        The m tissues; empty if the table gives density alone.
    source : str
        Where the calibration comes from.

    Raises
    ------
    BadInput
        If CT numbers fall, a density is not positive, or lengths differ.
    """

    hounsfield: NDArray[np.float64] = field(repr=False)
    density_kg_m3: NDArray[np.float64] = field(repr=False)
    tissue_from: NDArray[np.float64] = field(repr=False)
    tissues: tuple[Material, ...] = field(repr=False)
    source: str

    def __post_init__(self) -> None:
        if len(self.hounsfield) < 2 or len(self.hounsfield) != len(self.density_kg_m3):
            raise BadInput(f"The CT calibration of {self.source} needs two corner points or more.")
        if (np.diff(self.hounsfield) < 0).any() or (np.diff(self.tissue_from) <= 0).any():
            raise BadInput(f"CT numbers must rise in the calibration of {self.source}.")
        if not (np.asarray(self.density_kg_m3) > 0).all():
            raise BadInput(f"Every density must be positive in the calibration of {self.source}.")


@cache
def schneider_2000() -> HounsfieldTable:
    """Return the calibration of Schneider, Bortfeld and Schlegel, Phys. Med. Biol. 45 (2000) 459, 120 kVp."""
    folder = Path(__file__).parent
    return read_hounsfield_table(folder / "density.csv", folder / "tissues.csv", "Schneider et al. 2000")


def read_hounsfield_table(density: Path, tissues: Path | None = None, source: str = "") -> HounsfieldTable:
    """Read a calibration from CSV files like those beside this module.

    Parameters
    ----------
    density : Path
        Rows of CT number, density in g/cm³; lines that start with ``#`` are skipped.
    tissues : Path, optional
        A header ``hounsfield,name,`` and chemical symbols, then rows of mass fractions in percent.
    source : str, optional
        What to call the calibration; the file's name if absent.

    Raises
    ------
    UnreadableFile
        If a file is absent or is not of this form.
    """
    try:
        corners = np.loadtxt(density, delimiter=",", ndmin=2)
        hounsfield, density_g_cm3 = corners.T
        starts, named = _tissues(tissues, corners * (1, KG_M3_PER_G_CM3)) if tissues else ([], ())
    except (OSError, ValueError, KeyError) as error:
        raise UnreadableFile(
            f"{density} or its tissues is not a CT calibration: {error}.",
            "Give rows of CT number and density in g/cm³, separated by commas.",
        ) from error
    return HounsfieldTable(
        hounsfield, density_g_cm3 * KG_M3_PER_G_CM3, np.array(starts, np.float64), named, source or density.name
    )


def _tissues(path: Path, corners: NDArray[np.float64]) -> tuple[list[float], tuple[Material, ...]]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    starts = [float(row.pop("hounsfield")) for row in rows]
    nominal = np.interp(np.add(starts, [*np.diff(starts) / 2, 0.0]), *corners.T)
    return starts, tuple(
        Material(row.pop("name"), float(density), {symbol: float(percent) / 100 for symbol, percent in row.items()})
        for row, density in zip(rows, nominal, strict=True)
    )
