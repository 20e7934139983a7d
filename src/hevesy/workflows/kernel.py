"""Recipe: the voxel kernel of a nuclide for any voxel and medium."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from hevesy.core.point_kernel import PointKernel
from hevesy.data.materials import material
from hevesy.data.nuclides import nuclide
from hevesy.errors import BadInput, OutputFailed
from hevesy.stages.dosimetry.point_source import Effort, make_point_kernel, tabulated
from hevesy.stages.dosimetry.voxel_kernel import VoxelKernel, voxel_kernel
from hevesy.workflows.chain import chain


@dataclass(frozen=True, slots=True)
class Wanted:
    """What kernel is asked for.

    Parameters
    ----------
    nuclide : str
        The parent.
    spacing_mm : tuple of float
        Voxel sides.
    medium : str
        A tabulated medium, such as ``"water"`` or ``"lung"``.
    reach_mm : float
        Largest offset along an axis.
    daughters : bool
        Whether daughters that live no longer than the parent decay with it.
    remake : bool
        Simulate, also where there is a table.
    effort : Effort
        How much to simulate.
    """

    nuclide: str
    spacing_mm: tuple[float, float, float]
    medium: str = "water"
    reach_mm: float = 100.0
    daughters: bool = True
    remake: bool = False
    effort: Effort = field(default_factory=Effort)


def make_kernel(wanted: Wanted, progress: Callable[[str], None] = lambda step: None) -> VoxelKernel:
    """Return the voxel kernel, from the tabulated point kernels where there are any for the medium.

    A table for water serves every soft tissue and lung at its own density; other media and nuclides are simulated.

    Raises
    ------
    UnknownNuclide, UnknownName
        If there is no such nuclide or medium.
    BadInput
        If a length is not positive, or the kernel would have more than 50 million voxels.
    """
    half = _half_width(wanted)
    medium, parent = material(wanted.medium), nuclide(wanted.nuclide)
    shares = chain(parent) if wanted.daughters else ((parent, 1.0),)
    kernels = []
    for member, share in shares:
        found = None if wanted.remake else tabulated(member.name, medium)
        if found is None:
            progress(f"simulating a point of {member.name} in {medium.name}")
            found = make_point_kernel(member, medium, wanted.effort)
        kernels.append((found, share))
    progress("integrating over voxels")
    return voxel_kernel(PointKernel.together(kernels), wanted.spacing_mm, half)


def write_kernel(kernel: VoxelKernel, path: Path) -> None:
    """Write a voxel kernel as .npz: the octant of offsets that are not negative, in J and in Gy per decay.

    Raises
    ------
    OutputFailed
        If the file cannot be written.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as file:
            np.savez_compressed(
                file,
                energy_J_per_decay=kernel.octant_J,
                s_value_Gy_per_decay=kernel.s_values_Gy(),
                spacing_mm=kernel.spacing_mm,
                nuclide=kernel.nuclide,
                medium=kernel.medium,
                density_g_cm3=kernel.density_kg_m3 * 1e-3,
                emitted_J_per_decay=kernel.energy_J,
                source=kernel.source,
            )
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise OutputFailed(f"{path} cannot be written: {error.strerror}.") from error


def _half_width(wanted: Wanted) -> tuple[int, int, int]:
    if not (min(wanted.spacing_mm) > 0 and wanted.reach_mm >= 0):
        raise BadInput(f"Voxels of {wanted.spacing_mm} mm and a reach of {wanted.reach_mm} mm are no kernel.")
    a, b, c = (int(wanted.reach_mm / side) for side in wanted.spacing_mm)
    if (a + 1) * (b + 1) * (c + 1) > 50_000_000:
        raise BadInput("This kernel would have more than 50 million voxels.", "Ask for a shorter reach.")
    return a, b, c
