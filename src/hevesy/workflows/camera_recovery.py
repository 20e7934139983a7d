"""What a reconstruction keeps of the activity of drawn regions, for case.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from hevesy.core import Grid, Measured, Outline, Region
from hevesy.errors import BadInput, MissingInformation
from hevesy.stages.imaging.folder import read_folder
from hevesy.stages.imaging.series import Kind
from hevesy.stages.imaging.structures import Structures
from hevesy.stages.quantification.partial_volume import recover, scatter_u
from hevesy.stages.quantification.reconstruction import Measurement, SystemModel
from hevesy.stages.quantification.reconstruction.response import ScaledResponse
from hevesy.stages.quantification.reconstruction.septal import with_core
from hevesy.stages.quantification.reconstruction.simulation import BODY_MU_PER_MM
from hevesy.stages.segmentation.coverage import cover
from hevesy.stages.segmentation.placement import place
from hevesy.workflows.camera_file import EFFECTIVE, SIMULATED, Acquired
from hevesy.workflows.reconstruction import Recipe, reconstruct

#: what the width of a collimator's response, computed from its geometry, is known to, relative
U_RESPONSE = 0.03
#: and the amount of scatter, simulated from the image or taken from windows beside the peak
U_SIMULATED, U_BESIDE = 0.03, 0.20
FILE = "recovery.yaml"


def region_recovery(acquired: Acquired, grid: Grid, recipe: Recipe, path: Path) -> dict[str, Measured]:
    """Return the recovery coefficient of every region that is drawn, by name, with what scatter leaves uncertain.

    What of the body (by the μ-map) no region covers is taken as one more region. Where regions overlap, the smaller is
    taken from the larger.

    Parameters
    ----------
    acquired : Acquired
        The acquisition.
    grid : Grid
        Where its image lies.
    recipe : Recipe
        How the image is made.
    path : Path
        Folder or file with one RTSTRUCT or SEG.

    Raises
    ------
    HevesyError
        If there is not one set of structures, a region does not fit, or too little of one is kept.
    """
    system = acquired.measurement.system
    if acquired.mu is None or system.mu_per_mm is None or system.response is None:
        raise MissingInformation("Recovery needs attenuation and the collimator's response.", "Give --ct.")
    structures = _structures(path)
    shapes: list[Outline | Region] = [*structures.outlines, *structures.regions]
    masks = {shape.name: _mask(shape, grid) for shape in shapes}
    regions = _disjoint(masks)
    body = np.asarray(system.mu_per_mm) > BODY_MU_PER_MM
    remainder = np.clip(body - sum(regions.values()), 0, 1).astype(np.float32)
    wider = with_core(system.response, lambda core: ScaledResponse(core, 1 + U_RESPONSE))
    blurrier = SystemModel(system.lattice, system.orbit, wider, system.mu_per_mm)
    everything = np.stack([*regions.values(), remainder])

    def image_of(one: Measurement) -> NDArray[np.float32]:
        return reconstruct(one, recipe)

    found = recover(acquired.measurement, everything, image_of, blurrier)
    u_amount = U_SIMULATED if acquired.scatter in (SIMULATED, EFFECTIVE) else U_BESIDE
    of_scatter = scatter_u(acquired.measurement, found.apparent, everything, image_of, u_amount)
    pairs = zip(found.coefficient, np.hypot(found.u_relative, of_scatter), strict=True)
    measured = [Measured(float(value), float(value * u), label="recovery") for value, u in pairs]
    return dict(zip(regions, measured, strict=False))


def write_recovery(coefficients: Mapping[str, Measured], folder: Path) -> None:
    """Write coefficients as the lines of case.yaml that use them."""
    regions = {
        name: {"recovery": round(one.value, 4), "recovery_u_percent": round(100 * one.u_relative, 2)}
        for name, one in coefficients.items()
    }
    text = yaml.safe_dump({"regions": regions}, allow_unicode=True, sort_keys=False)
    (folder / FILE).write_text(text, encoding="utf-8")


def _structures(path: Path) -> Structures:
    found = read_folder(path).of_kind(Kind.RTSTRUCT, Kind.SEG)
    if len(found) != 1:
        raise BadInput(f"{path} must hold one set of structures; it holds {len(found)}.", "Give its file.")
    loaded: Structures = found[0].load()
    return loaded


def _mask(shape: Outline | Region, grid: Grid) -> NDArray[np.float32]:
    region = cover(shape, grid) if isinstance(shape, Outline) else place(shape, grid)
    return region.mask()


def _disjoint(masks: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    """Take smaller regions from larger ones, in the order given."""
    left = np.ones(next(iter(masks.values())).shape, np.float32)
    kept = {}
    for name in sorted(masks, key=lambda name: float(masks[name].sum())):
        kept[name] = np.minimum(masks[name], left)
        left -= kept[name]
    return {name: kept[name] for name in masks}
