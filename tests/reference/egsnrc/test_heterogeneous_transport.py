"""Region means of `mc` in soft tissue, lung, bone and air (``../shared/reference/montecarlo``; read its caveats).

EGSnrc ran without spin effects: for Y-90 the truth is PENELOPE's.
"""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from hevesy.core import Grid, Image, Quantity, Region
from hevesy.core.material import Material
from hevesy.data.nuclides import nuclide
from hevesy.stages.dosimetry import simulation
from hevesy.stages.dosimetry.monte_carlo import Decays, Phantom, plan
from hevesy.stages.dosimetry.simulation import Stop

FOLDER = Path(__file__).parents[4] / "shared" / "reference" / "montecarlo"
pytestmark = pytest.mark.skipif(not (FOLDER / "C_hetero.npz").exists(), reason="the reference doses are not here")
SYMBOL = {1: "H", 6: "C", 7: "N", 8: "O", 11: "Na", 12: "Mg", 15: "P", 16: "S", 17: "Cl", 18: "Ar", 19: "K", 20: "Ca"}
SIDE_MM, SHAPE = 4.0, (60, 60, 60)
BATCHES = 20


@cache
def arrays():
    with np.load(FOLDER / "C_hetero.npz") as file:
        return {name: file[name] for name in file.files}


@cache
def document():
    return json.loads((FOLDER / "C_hetero.json").read_text())


@cache
def phantom():
    media = tuple(
        Material(
            m["name"],
            m["rho"] * 1e3,
            {SYMBOL[int(z)]: w for z, w in m["mass_fractions"].items()},
            m["I_eV"],
            m["name"] == "air",
        )
        for m in document()["media"].values()
    )
    labels = arrays()["medium"].astype(np.uint8)
    density = np.array([m.density_kg_m3 for m in media], np.float32)[labels]
    return Phantom(Image(density, Grid.regular(SHAPE, (SIDE_MM,) * 3), Quantity.DENSITY), labels, media)


def mask(name):
    return np.unpackbits(arrays()[f"region_{name}"])[: np.prod(SHAPE)].reshape(SHAPE).astype(bool)


def simulate(place, name, histories, regions, only=None, within=1.0):
    """Simulate a source; `only` one of its emissions (0 electrons, 1 photons), `within` some voxels, where given."""
    grid = phantom().grid
    weights = arrays()[f"source_{place}"].astype(float)
    density = weights / weights.sum() / grid.voxel_volume_mL * within
    tia = Image(density, grid, Quantity.TIME_INTEGRATED_ACTIVITY_CONCENTRATION)
    wanted = [Region.from_mask(key, grid, where.astype(float)) for key, where in regions.items()]
    made = plan(phantom(), [Decays(tia, ((nuclide(name), 1.0),))], histories // BATCHES, regions=wanted)
    if only is not None:
        # what is booked is booked for electrons
        lent = made.lent if only == 0 else np.zeros(0)
        made = replace(made, emissions=(replace(made.emissions[only], histories=histories // BATCHES),), lent=lent)
    return simulation.run(made, Stop(histories=histories))


def compare(tally, regions, truth, tolerance):
    """Hold each region's mean against the truth, (mean, relative uncertainty), within a tolerance and 2σ of both."""
    mass = phantom().mass_kg()
    for index, (name, where) in enumerate(regions.items()):
        mean, u = truth(name)
        found = tally.region_energy(index).value / mass[where].sum()
        allowed = tolerance + 2 * np.hypot(u, tally.region_uncertainty()[index])
        # as a ratio: pytest.approx never asks for less than 1e-12, which is a dose here
        assert found / mean == pytest.approx(1.0, abs=allowed), name


OWN = {
    "interface_sphere": ("interface_sphere_soft", "interface_sphere_lung", "lung"),
    "lung_tumour": ("lung_tumour", "lung_shell_around_tumour_10to20mm"),
    "bone_lesion": ("bone_lesion", "bone_shell_around_lesion", "bone"),
    "background": ("soft_all", "lung", "bone"),
}


@pytest.mark.parametrize("place", OWN)
@pytest.mark.parametrize("name", ["Lu-177", "I-131"])
def test_region_means_are_within_1_5_per_cent_of_egsnrc(name, place):
    rows = document()["results"][f"{place}_{name}"]["regions"]
    regions = {key: mask(key) for key in OWN[place]}
    tally = simulate(place, name, 200_000, regions)
    compare(
        tally,
        regions,
        lambda key: (rows[key]["mean_Gy_per_decay"], rows[key]["relsd_voxels_independent"]),
        0.015,
    )


@pytest.mark.parametrize(("name", "voxels"), [("Lu-177", 1), ("I-131", 1), ("Y-90", 3)])
def test_air_between_tissues_is_within_1_5_per_cent_of_egsnrc(name, voxels):
    # all electrons that reach it are born within so many voxels of it; Y-90 has 3e-6 of its dose there from photons
    regions = {"air": mask("air")}
    row = document()["results"][f"background_{name}"]["regions"]["air"]
    near = ndimage.binary_dilation(regions["air"], np.ones((3, 3, 3)), voxels)
    parts = [simulate("background", name, 600_000 if name == "Y-90" else 1_000_000, regions, 0, near).region_energy(0)]
    if name != "Y-90":
        parts.append(simulate("background", name, 100_000, regions, 1).region_energy(0))
    found = sum(part.value for part in parts) / phantom().mass_kg()[regions["air"]].sum()
    u = np.hypot.reduce([part.u for part in parts]) / sum(part.value for part in parts)
    allowed = 0.015 + 2 * np.hypot(row["relsd_voxels_independent"], u)
    assert allowed < 0.05
    assert found / row["mean_Gy_per_decay"] == pytest.approx(1.0, abs=allowed)


@pytest.mark.parametrize("place", ["interface_sphere", "lung_tumour", "bone_lesion"])
def test_yttrium_is_within_2_per_cent_of_penelope(place):
    rows = document()["results"][f"{place}_Y-90"]["penred_e"]["regions"]
    regions = {key: mask(key) for key in OWN[place] if rows[key]["relsd"] < 0.02}
    assert len(regions) >= 2
    tally = simulate(place, "Y-90", 100_000, regions)
    compare(tally, regions, lambda key: (rows[key]["mean"], rows[key]["relsd"]), 0.02)


@pytest.mark.parametrize("name", ["Lu-177", "I-131"])
def test_photons_that_leave_a_lesion_of_bone_are_within_1_5_per_cent_at_any_distance(name):
    weights = arrays()["source_bone_lesion"]
    middle = np.argwhere(weights > 0).mean(axis=0)
    distance = SIDE_MM * np.linalg.norm(np.moveaxis(np.indices(SHAPE), 0, -1) - middle, axis=-1)
    kinds = {medium.name: phantom().labels == i for i, medium in enumerate(phantom().media) if medium.name != "air"}
    shells = ((0, 20), (20, 40), (40, 60), (60, 100), (100, 140), (140, 220))
    regions = {
        f"{kind} {low} to {high} mm": where & (distance >= low) & (distance < high)
        for kind, where in kinds.items()
        for low, high in shells
        if (where & (distance >= low) & (distance < high)).sum() > 200
    }
    dose, u = (arrays()[f"{key}_bone_lesion_{name}_g"].astype(float) for key in ("dose", "relsd"))

    def truth(key):
        here = dose[regions[key]]
        return here.mean(), float(np.linalg.norm(here * u[regions[key]]) / here.sum())

    compare(simulate("bone_lesion", name, 200_000, regions, only=1), regions, truth, 0.015)
