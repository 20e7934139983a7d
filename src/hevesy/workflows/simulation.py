"""A known activity to projections: the recipe behind ``hevesy simulate``."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hevesy.errors import MissingInformation, OutputFailed, UnreadableFile
from hevesy.stages.quantification.reconstruction.simulation import Acquisition, counts_per_concentration, simulate
from hevesy.workflows.projection_file import Allowances, read_system

#: what a phantom's file must hold
NEEDED = ("activity", "angles_deg")


def simulate_file(
    phantom: Path, geometry: Path, scan: Acquisition, allow: Allowances, seed: int
) -> dict[str, NDArray[Any]]:
    """Return the projections of a phantom as `hevesy reconstruct` reads them.

    Parameters
    ----------
    phantom : Path
        ``.npz`` with ``activity`` (side, side, slices; Bq/mL at the start of the scan), ``angles_deg`` (views,), ``mu``
        (as activity; 1/cm) and perhaps ``scatter`` (views, side, slices), mean counts besides primary photons.
    geometry : Path
        See `hevesy.workflows.projection_file.read_measurement`.
    scan : Acquisition
        How it is counted.
    allow : Allowances
        What is gone without.
    seed : int
        Of the random numbers.

    Returns
    -------
    dict of arrays
        ``proj``, ``angles_deg``, ``mu``, ``additive`` where there is scatter, and ``counts_per_unit``: what a
        reconstruction holds for each Bq/mL at the start of the scan.

    Raises
    ------
    HevesyError
        If a file cannot be read, or something that the counts depend on is missing or impossible.
    """
    arrays = read_phantom(phantom)
    activity = arrays["activity"]
    if activity.ndim != 3 or activity.shape[0] != activity.shape[1]:
        raise UnreadableFile(f"'activity' in {phantom.name} must be (side, side, slices), not {activity.shape}.")
    system = read_system(arrays, geometry, activity.shape[1:], allow)
    scatter = arrays.get("scatter")
    counts = simulate(system, activity, scan, np.random.default_rng(seed), scatter)
    made: dict[str, NDArray[Any]] = {
        "proj": counts.astype(np.uint32),
        "angles_deg": arrays["angles_deg"],
        "counts_per_unit": np.asarray(counts_per_concentration(system, scan)),
    }
    kept = {"mu": arrays.get("mu"), "additive": scatter}
    return made | {name: value for name, value in kept.items() if value is not None}


def write_projections(arrays: dict[str, NDArray[Any]], folder: Path) -> Path:
    """Write ``projections.npz`` into a folder, which is made if absent; return its path.

    Raises
    ------
    OutputFailed
        If it cannot be written; an earlier file stays as it was.
    """
    target, part = folder / "projections.npz", folder / ".projections.part.npz"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(part, allow_pickle=False, **arrays)
        part.replace(target)
    except OSError as fault:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise OutputFailed(f"{target} could not be written ({fault.strerror}).", "Choose another --out.") from fault
    return target


def read_phantom(
    path: Path, needed: Sequence[str] = NEEDED, optional: Sequence[str] = ("mu", "scatter")
) -> dict[str, NDArray[Any]]:
    """Read the arrays of a phantom's ``.npz`` file.

    Raises
    ------
    UnreadableFile
        If it cannot be read.
    MissingInformation
        If a needed array is not there.
    """
    try:
        with np.load(path) as file:
            arrays = {name: file[name] for name in (*needed, *optional) if name in file.files}
    except (OSError, ValueError, EOFError, AttributeError) as fault:
        raise UnreadableFile(f"{path} cannot be read as .npz ({fault}).") from fault
    missing = [name for name in needed if name not in arrays]
    if missing:
        raise MissingInformation(f"{path.name} does not hold {' or '.join(missing)}.")
    return arrays
