"""Dose from an image of time-integrated activity: the recipe for research."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hevesy.core import Grid, Image, Nuclide, Provenance, Quantity, Region
from hevesy.core.material import Material
from hevesy.data.materials import material_from_entry
from hevesy.data.nuclides import nuclide
from hevesy.errors import BadConfiguration, BadInput, MissingInformation, UnknownName, UnreadableFile
from hevesy.physics.hounsfield import density_from_hounsfield, materials_from_hounsfield
from hevesy.stages.dosimetry import simulation
from hevesy.stages.dosimetry.engines import Source, engine
from hevesy.stages.dosimetry.monte_carlo import Decays, Phantom, Physics, plan
from hevesy.stages.dosimetry.simulation import Device, Plan, Stop, Tally
from hevesy.stages.dosimetry.transport_engine import dose_map
from hevesy.stages.imaging.nifti_in import read_nifti, read_plain, says_what_it_holds
from hevesy.workflows.daughters import parted

#: without any other word, so many histories
DEFAULT_HISTORIES = 2_000_000
BATCHES = 32
LEAST_BATCH = 20_000
#: a simulation is kept this often, s, but not for longer than one second in twenty
KEEP_EVERY_S = 1.0
KEPT_SHARE = 20.0
KG_M3_PER_G_CM3 = 1e3


@dataclass(frozen=True, slots=True)
class Files:
    """What is read.

    Parameters
    ----------
    tia : Path
        Time-integrated activity, Bq·s/mL: NIfTI, or ``.npz`` (see `read_volume`).
    daughters : tuple of (str, Path)
        Daughters with a time-integrated activity of their own decays, Bq·s/mL, in place of the parent's.
    density, ct, materials, regions : Path or None
        Mass density (g/cm³), CT numbers, labels of materials, labels of regions.
    material_table : Path or None
        JSON from label to ``name``, ``density_g_cm3`` and ``mass_fractions``.
    """

    tia: Path
    density: Path | None = None
    ct: Path | None = None
    materials: Path | None = None
    material_table: Path | None = None
    regions: Path | None = None
    daughters: tuple[tuple[str, Path], ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """How it is computed.

    Parameters
    ----------
    engine : str
        A key of `hevesy.stages.dosimetry.engines.ENGINES`.
    daughters : bool
        Whether daughters that live no longer than the nuclide decay with it, in place.
    stop : Stop
        When a simulation ends.
    physics : Physics
        How particles are followed.
    seed, threads : int
        Of a simulation; 0 threads are all processors.
    device : Device
        What computes a simulation.
    checkpoint : Path or None
        Where a simulation is kept, and gone on with if it is there.
    """

    engine: str = "mc"
    daughters: bool = True
    stop: Stop = field(default_factory=lambda: Stop(histories=DEFAULT_HISTORIES))
    physics: Physics = field(default_factory=Physics)
    seed: int = 1
    threads: int = 0
    device: Device = Device.CPU
    checkpoint: Path | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Mapped:
    """What came out: dose (Gy), its relative statistical uncertainty (None without statistics), and the summary."""

    dose: Image
    relative_uncertainty: Image | None
    summary: dict[str, Any]


def map_dose(
    name: str, files: Files, settings: Settings, progress: Callable[[str], None] = lambda step: None
) -> Mapped:
    """Return the dose of a nuclide's decays.

    Parameters
    ----------
    name : str
        The nuclide.
    files : Files
        What is read; all on one grid.
    settings : Settings
        How it is computed.
    progress : callable, optional
        Told each step as it starts.

    Raises
    ------
    HevesyError
        If anything that a number depends on is missing, contradictory or impossible.
    """
    progress("reading")
    parent = nuclide(name)
    tia = read_volume(files.tia, Quantity.TIME_INTEGRATED_ACTIVITY_CONCENTRATION, "tia_Bq_s_mL")
    phantom = read_phantom(files)
    phantom.grid.require_match(tia.grid, "The anatomy and the time-integrated activity")
    decays = _decays(parent, tia, files, settings)
    regions = read_regions(files.regions, tia)
    head = {
        "nuclide": parent.name,
        "daughters": list(dict.fromkeys(n.name for d in decays for n, _ in d.nuclides if n.name != parent.name)),
        "daughters_apart": {daughter: path.name for daughter, path in files.daughters},
        "engine": settings.engine,
    }
    if settings.engine != "mc":
        progress(f"computing ({settings.engine})")
        mapped = _compute(phantom, decays, regions, settings)
    else:
        mapped = _simulate(phantom, decays, regions, settings, progress)
    return Mapped(mapped.dose, mapped.relative_uncertainty, {**head, **mapped.summary})


def _decays(parent: Nuclide, tia: Image, files: Files, settings: Settings) -> list[Decays]:
    """Return what decays where: with the parent, and with each daughter that has an image of its own."""
    if not settings.daughters:
        if files.daughters:
            raise BadInput("Images of daughters were given, and daughters left out.", "Choose one of the two.")
        return [Decays(tia, ((parent, 1.0),))]
    groups = parted(parent, [name for name, _ in files.daughters])
    images = [tia]
    for _, path in files.daughters:
        images.append(read_volume(path, tia.quantity, "tia_Bq_s_mL"))
        images[-1].grid.require_match(tia.grid, f"{path.name} and the parent's time-integrated activity")
    return [Decays(image, shares) for image, shares in zip(images, groups, strict=True)]


def _compute(phantom: Phantom, decays: list[Decays], regions: list[Region], settings: Settings) -> Mapped:
    """Return the dose by an engine without statistics."""
    found = engine(settings.engine)
    began = time.perf_counter()
    answers = [found(Source(d.tia, phantom.density, tuple(d.nuclides))) for d in decays]
    dose = answers[0].dose.with_values(np.sum([answer.dose.values for answer in answers], axis=0))
    voxels = {region.name: np.flatnonzero(region.mask() >= 0.5) for region in regions}
    summary = {
        "seconds": time.perf_counter() - began,
        "method": " ".join(answer.method for answer in answers),
        "limits": list(answers[0].limits),
        "regions": _region_doses(phantom, voxels, [np.inf] * len(voxels), dose),
    }
    return Mapped(dose, None, summary)


def _simulate(
    phantom: Phantom,
    decays: list[Decays],
    regions: list[Region],
    settings: Settings,
    progress: Callable[[str], None],
) -> Mapped:
    device = settings.device.found()
    progress("tabulating physics")
    voxels = phantom.density.values.size
    batch = max(LEAST_BATCH, voxels // 20)
    if settings.stop.histories is not None:
        batch = -(-settings.stop.histories // BATCHES)
    made = plan(phantom, decays, batch, settings.seed, settings.physics, regions)
    kept = settings.checkpoint
    before = simulation.load(kept, made) if kept and kept.exists() else None
    progress("transporting")
    threads = settings.threads or os.cpu_count() or 1
    tally = simulation.run(made, settings.stop, before, threads, _keeper(kept, made), device)
    if kept:
        simulation.save(kept, made, tally)
    answer = dose_map(phantom, made, tally)
    uncertainty = tally.relative_uncertainty().reshape(phantom.grid.shape)
    image = phantom.density.with_values(uncertainty.astype(np.float32), Quantity.RELATIVE)
    statistics = {**summarise(made, tally, threads), "device": device.value}
    summary = {**statistics, "method": answer.method, "limits": list(answer.limits)}
    known = tally.region_uncertainty()
    summary["regions"] = _region_doses(phantom, made.regions, known.tolist(), answer.dose)
    return Mapped(answer.dose, image, summary)


def _keeper(path: Path | None, made: Plan) -> Callable[[Tally], None]:
    """Return what keeps a simulation now and then, so that one that is stopped or killed has lost little."""
    next_at = [KEEP_EVERY_S]

    def keep(tally: Tally) -> None:
        if path and tally.seconds >= next_at[0]:
            began = time.perf_counter()
            simulation.save(path, made, tally)
            next_at[0] = tally.seconds + max(KEEP_EVERY_S, KEPT_SHARE * (time.perf_counter() - began))

    return keep


def summarise(made: Plan, tally: Tally, threads: int) -> dict[str, Any]:
    """Return what a simulation did: histories, seconds, energy balance, threads."""
    histories = tally.batches * made.histories_per_batch
    return {
        "histories": histories,
        "batches": tally.batches,
        "seed": made.seed,
        "seconds": tally.seconds,
        "histories_per_second": histories / tally.seconds if tally.seconds else 0.0,
        "threads": threads,
        "energy_balance": {**simulation.balance_J(tally), "astray": tally.astray()},
    }


def _region_doses(
    phantom: Phantom, regions: Mapping[str, NDArray[np.int64]], uncertainty: list[float], dose: Image
) -> dict[str, Any]:
    """Return mean dose, its statistical uncertainty (None where infinite) and mass, by region."""
    mass = phantom.mass_kg().ravel()
    return {
        name: {
            "mean_dose_Gy": float((dose.values.ravel()[voxels] * mass[voxels]).sum() / mass[voxels].sum()),
            "relative_uncertainty": float(u) if np.isfinite(u) else None,
            "mass_kg": float(mass[voxels].sum()),
            "voxels": int(voxels.size),
        }
        for (name, voxels), u in zip(regions.items(), uncertainty, strict=True)
    }


def read_phantom(files: Files) -> Phantom:
    """Return the anatomy from what was given.

    Raises
    ------
    MissingInformation
        If neither density nor CT nor materials were given, or labels without a table.
    ContradictoryInformation, BadConfiguration, UnknownName
        If what was given does not fit together.
    """
    if files.density and files.ct:
        raise BadInput("Give a density or a CT, not both.")
    density = read_volume(files.density, Quantity.DENSITY, "density_g_cm3") if files.density else None
    labels, media = None, None
    if files.ct:
        ct = read_volume(files.ct, Quantity.HOUNSFIELD, "hounsfield")
        density = density_from_hounsfield(ct)
        tissues, media = materials_from_hounsfield(ct)
        labels = np.asarray(tissues.values, np.uint8)
    if files.materials or files.material_table:
        image, labels, media = _labelled(files)
        if density is None:
            values = np.array([m.density_kg_m3 for m in media], np.float32)[labels]
            density = image.with_values(values, Quantity.DENSITY)
        density.grid.require_match(image.grid, "Materials and density")
    if density is None:
        raise MissingInformation(
            "A dose needs the mass of every voxel.", "Give --density, --ct, or --materials with --material-table."
        )
    if labels is None or media is None:
        return Phantom.from_density(density)
    return Phantom(density, labels, media)


def _labelled(files: Files) -> tuple[Image, NDArray[np.uint8], tuple[Material, ...]]:
    if not (files.materials and files.material_table):
        raise MissingInformation("Labels of materials need their table, and the table its labels.", "Give both.")
    image = read_volume(files.materials, Quantity.LABEL, "materials")
    table = read_material_table(files.material_table)
    present = [int(label) for label in np.unique(image.values)]
    for label in present:
        if label not in table:
            raise UnknownName(f"{files.material_table.name} has no material for label {label}.")
    indices = np.searchsorted(present, np.asarray(image.values, np.int64)).astype(np.uint8)
    return image, indices, tuple(table[label] for label in present)


def read_material_table(path: Path) -> dict[int, Material]:
    """Return materials by label from a JSON file.

    Raises
    ------
    UnreadableFile
        If it is not JSON.
    BadConfiguration
        If an entry is wrong.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnreadableFile(f"{path.name} is not JSON ({error}).") from error
    try:
        return {
            int(label): material_from_entry({"name": f"label {label}", **entry}) for label, entry in entries.items()
        }
    except (AttributeError, ValueError, TypeError) as error:
        raise BadConfiguration(f"{path.name} must map labels to materials ({error}).") from error


def read_regions(path: Path | None, tia: Image) -> list[Region]:
    """Return the regions of a label image, named by their label; without one, all that holds activity."""
    if path is None:
        return [Region.from_mask("source", tia.grid, tia.values > 0)]
    labels = read_volume(path, Quantity.LABEL, "labels")
    labels.grid.require_match(tia.grid, "The regions and the time-integrated activity")
    values = np.asarray(labels.values)
    return [Region.from_mask(f"{label:g}", labels.grid, values == label) for label in np.unique(values) if label]


def read_volume(path: Path, quantity: Quantity, key: str) -> Image:
    """Read a volume from NIfTI, in the unit of its sidecar if it has one, or from ``.npz`` as the array `key`.

    An ``.npz`` holds arrays (z, y, x) and the bounds of the voxels, ``x_edges_cm``, ``y_edges_cm`` and ``z_edges_cm``.
    """
    factor = KG_M3_PER_G_CM3 if quantity is Quantity.DENSITY else 1.0
    if path.suffix != ".npz" and says_what_it_holds(path):
        image = read_nifti(path)
        image.require(quantity)
        return image
    if path.suffix != ".npz":
        return read_plain(path, quantity, factor)
    try:
        with np.load(path, allow_pickle=False) as file:
            values = np.asarray(file[key], np.float64)
            edges = [np.asarray(file[f"{axis}_edges_cm"], np.float64) * 10.0 for axis in "zyx"]
    except (OSError, ValueError, KeyError) as error:
        raise UnreadableFile(
            f"{path.name} cannot be used ({error}).", f"It needs {key}, x_edges_cm, y_edges_cm and z_edges_cm."
        ) from error
    return Image(values * factor, _grid_of(edges, path), quantity, provenance=Provenance(path.name))


def _grid_of(edges: list[NDArray[np.float64]], path: Path) -> Grid:
    """Return the grid of arrays (z, y, x) from the bounds of their voxels, mm."""
    affine = np.zeros((4, 4))
    affine[3, 3] = 1.0
    for array_axis, bounds in enumerate(edges):
        steps = np.diff(bounds)
        if bounds.size < 2 or not np.allclose(steps, steps[0], rtol=1e-6) or steps[0] <= 0:
            raise BadInput(f"The voxel bounds in {path.name} must rise in equal steps.")
        affine[2 - array_axis, array_axis] = steps[0]
        affine[2 - array_axis, 3] = 0.5 * (bounds[0] + bounds[1])
    return Grid((edges[0].size - 1, edges[1].size - 1, edges[2].size - 1), affine)


def write_npz(mapped: Mapped, path: Path) -> None:
    """Write dose (Gy) and relative uncertainty as ``.npz``, in the form that `read_volume` reads."""
    grid = mapped.dose.grid
    arrays: dict[str, Any] = {}
    for axis, letter in enumerate("xyz"):
        array_axis = int(np.argmax(np.abs(grid.affine[axis, :3])))
        step = grid.affine[axis, array_axis] * 0.1
        arrays[f"{letter}_edges_cm"] = grid.affine[axis, 3] * 0.1 + step * (np.arange(grid.shape[array_axis] + 1) - 0.5)
    arrays["dose_Gy"] = mapped.dose.values
    if mapped.relative_uncertainty is not None:
        arrays["relative_uncertainty"] = mapped.relative_uncertainty.values
    np.savez_compressed(path, **arrays)
