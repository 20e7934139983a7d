"""``hevesy kernel``: voxel S-values of a nuclide for any voxel and medium."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from hevesy.cli.seed import seed
from hevesy.errors import BadInput

if TYPE_CHECKING:
    from hevesy.stages.dosimetry.voxel_kernel import VoxelKernel


def configure(command: argparse.ArgumentParser) -> None:
    """Add the options of ``hevesy kernel``."""
    add = command.add_argument
    add("nuclide", metavar="NUCLIDE", help="such as Lu-177")
    add("--voxel", metavar="MM", type=float, nargs="+", required=True, help="voxel side, or the three sides, mm")
    add("--out", metavar="FILE", type=Path, required=True, help="the kernel, .npz")
    add("--medium", metavar="NAME", default="water", help="such as water, lung or 'cortical bone' (default: water)")
    add("--reach", metavar="MM", type=float, default=100.0, help="largest offset along an axis, mm (default: 100)")
    add("--without-daughters", action="store_true", help="the nuclide alone")
    add("--remake", action="store_true", help="simulate, also where there is a table")
    add("--histories", metavar="N", type=float, default=1e6, help="histories if it is simulated (default: 1,000,000)")
    add("--seed", metavar="S", type=seed, default=1, help="seed of the random numbers (default: 1)")


def run(options: argparse.Namespace) -> None:
    """Make the kernel, write it, and print its first voxels."""
    from hevesy.cli.progress import steps
    from hevesy.stages.dosimetry.point_source import Effort
    from hevesy.workflows.kernel import Wanted, make_kernel, write_kernel

    sides = options.voxel * 3 if len(options.voxel) == 1 else options.voxel
    if len(sides) != 3:
        raise BadInput(f"--voxel needs one side or three, not {len(sides)}.")
    wanted = Wanted(
        options.nuclide,
        (sides[0], sides[1], sides[2]),
        options.medium,
        options.reach,
        not options.without_daughters,
        options.remake,
        Effort(int(options.histories), options.seed),
    )
    with steps() as progress:
        kernel = make_kernel(wanted, progress)
    write_kernel(kernel, options.out)
    _show(kernel, options.out)


def _show(kernel: VoxelKernel, path: Path) -> None:
    values = kernel.s_values_Gy() * 1e9  # mGy/(MBq s)
    print(f"{kernel.nuclide} in {kernel.medium} ({kernel.density_kg_m3:g} kg/m³)")
    for offset in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 1, 1)):
        if all(o < n for o, n in zip(offset, values.shape, strict=True)):
            print(f"  {offset}: {values[offset]:.4e} mGy/(MBq·s)")
    print(f"{kernel.contained:.2%} of {kernel.energy_J / 1.602176634e-13:.4f} MeV per decay lies within the kernel.")
    print(f"Kernel: {path}")
