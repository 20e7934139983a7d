"""Dose-point kernels made by this package's own transport, ``tools/build_point_kernels.py``."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hevesy.core.point_kernel import PointKernel
from hevesy.errors import UnknownNuclide


@cache
def _table(medium: str) -> dict[str, NDArray[Any]]:
    path = Path(__file__).parent / f"{medium.replace(' ', '_')}.npz"
    if not path.is_file():
        return {"nuclide": np.empty(0, str)}
    with np.load(path) as file:
        return {name: file[name] for name in file.files}


def nuclides(medium: str = "water") -> tuple[str, ...]:
    """Return the names of the nuclides that have a kernel in a medium; empty where there is no table for it."""
    return tuple(_table(medium)["nuclide"].tolist())


def point_kernel(nuclide: str, medium: str = "water") -> PointKernel:
    """Return the tabulated kernel of a nuclide alone, without its daughters.

    Raises
    ------
    UnknownNuclide
        If the table of the medium has none; the refusal says how to make it.
    """
    table = _table(medium)
    if nuclide not in nuclides(medium):
        raise UnknownNuclide(
            f"There is no point kernel of {nuclide} in {medium}.",
            f"Make one: hevesy kernel {nuclide} --medium '{medium}'.",
        )
    row = nuclides(medium).index(nuclide)
    return PointKernel(
        nuclide,
        medium,
        float(table["density_kg_m3"]),
        table["radius_mm"],
        table["charged_J"][row].astype(np.float64),
        table["photons_J"][row].astype(np.float64),
        float(table["beyond_J"][row]),
        float(table["u_relative"][row]),
        str(table["source"]),
    )
