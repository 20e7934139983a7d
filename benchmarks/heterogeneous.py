"""Every dose engine against EGSnrc in a phantom of soft tissue, lung, bone and air.

Region means of four sources and three nuclides (``../shared/reference/montecarlo``, whose caveats apply: EGSnrc ran
without spin effects). Efficiency is 1/(u² CPU time) on one thread, twice over: with the uncertainty of a region's mean
as EGSnrc's reference states it, from voxels as if they were independent (which long tracks make too small), on both
sides; and with ours from batches, which is the true one.
"""

import json
import time
from pathlib import Path

import numpy as np

from hevesy.core import Grid, Image, Quantity, Region
from hevesy.core.material import Material
from hevesy.data.nuclides import nuclide
from hevesy.stages.dosimetry import simulation
from hevesy.stages.dosimetry.engines import ENGINES, Source, engine
from hevesy.stages.dosimetry.monte_carlo import Decays, Phantom, Physics, plan
from hevesy.stages.dosimetry.simulation import Stop

REFERENCE = Path(__file__).parents[2] / "shared" / "reference" / "montecarlo"
SYMBOL = {1: "H", 6: "C", 7: "N", 8: "O", 11: "Na", 12: "Mg", 15: "P", 16: "S", 17: "Cl", 18: "Ar", 19: "K", 20: "Ca"}
SOURCES = ("lung_tumour", "bone_lesion", "interface_sphere", "background")
OWN_REGIONS = {
    "lung_tumour": ("lung_tumour",),
    "bone_lesion": ("bone_lesion",),
    "interface_sphere": ("interface_sphere_soft", "interface_sphere_lung"),
    "background": ("soft_all",),
}
HISTORIES, BATCHES = 8_000_000, 32
#: regions whose mean EGSnrc knows worse than this say nothing
KNOWN = 0.02


def phantom_and_regions():
    """Return the phantom, its regions, and the reference."""
    arrays = np.load(REFERENCE / "C_hetero.npz")
    document = json.loads((REFERENCE / "C_hetero.json").read_text())
    media = tuple(
        Material(
            m["name"],
            m["rho"] * 1e3,
            {SYMBOL[int(z)]: w for z, w in m["mass_fractions"].items()},
            m["I_eV"],
            m["name"] == "air",
        )
        for m in document["media"].values()
    )
    labels = arrays["medium"].astype(np.uint8)
    grid = Grid.regular(labels.shape, (4.0, 4.0, 4.0))
    density = np.array([m.density_kg_m3 for m in media], np.float32)[labels]
    masks = {k[7:]: np.unpackbits(arrays[k])[: labels.size].reshape(labels.shape) for k in arrays if k[:7] == "region_"}
    regions = [Region.from_mask(name, grid, mask) for name, mask in masks.items()]
    return Phantom(Image(density, grid, Quantity.DENSITY), labels, media), regions, arrays, document["results"]


def monte_carlo(phantom, regions, source, physics):
    """Return the region means (Gy) with their relative uncertainties, and the CPU time, s."""
    made = plan(phantom, [Decays(source.tia, source.nuclides)], HISTORIES // BATCHES, 1, physics, regions)
    simulation.run(made, Stop(histories=1), threads=1)
    began = time.process_time()
    tally = simulation.run(made, Stop(histories=HISTORIES), threads=1)
    seconds = time.process_time() - began
    mass = phantom.mass_kg().ravel()
    means = {
        name: tally.region_energy(i).value / mass[voxels].sum() for i, (name, voxels) in enumerate(made.regions.items())
    }
    u = tally.relative_uncertainty()
    apart = {name: independent(tally.total[v] / mass[v], u[v]) for name, v in made.regions.items()}
    return means, dict(zip(made.regions, tally.region_uncertainty(), strict=True)), seconds, apart


def independent(dose, u):
    """Return the relative uncertainty of a mean dose whose voxels are taken for independent."""
    return float(np.sqrt(((dose * u) ** 2).sum()) / dose.sum())


def by_engine(name, phantom, regions, source):
    """Return the region means (Gy) of another engine, mass-weighted."""
    began = time.process_time()
    dose = engine(name)(source).dose.values
    seconds = time.process_time() - began
    mass = phantom.mass_kg()
    means = {r.name: float((dose * mass * r.mask()).sum() / (mass * r.mask()).sum()) for r in regions}
    return means, dict.fromkeys(means, 0.0), seconds, {}


def main():
    """Print the table."""
    if not REFERENCE.exists():
        print("The reference doses are not here.")
        return
    phantom, regions, arrays, results = phantom_and_regions()
    names = ["mc", *(name for name in ENGINES if name != "mc")]
    print(
        f"{'source':17}{'nuclide':8}{'region':35}{'EGSnrc':>7}"
        + "".join(f"{n:>19}" for n in names)
        + " voxels  mean  mc over PENELOPE"
    )
    gains = []
    for place in SOURCES:
        weights = arrays[f"source_{place}"].astype(float)
        tia = Image(
            weights / weights.sum() / phantom.grid.voxel_volume_mL,
            phantom.grid,
            Quantity.TIME_INTEGRATED_ACTIVITY_CONCENTRATION,
        )
        for isotope in ("Lu-177", "Y-90", "I-131"):
            source = Source(tia, phantom.density, ((nuclide(isotope), 1.0),))
            truth = results[f"{place}_{isotope}"]
            found = {"mc": monte_carlo(phantom, regions, source, Physics())}
            found |= {name: by_engine(name, phantom, regions, source) for name in names[1:]}
            cpu = sum(r["cpu_s"] for r in truth["runs"].values())
            gains += show(place, isotope, truth, found, cpu)
    print("\nCPU time at equal uncertainty, EGSnrc over mc:")
    for name, place in (("everywhere", (False, True)), ("in the sources", (True,))):
        kinds = zip(*(gain for own, *gain in gains if own in place), strict=True)
        text = [f"median {np.median(kind):.0f}×, least {min(kind):.0f}×" for kind in kinds]
        print(f"{name:15} of voxels: {text[0]}; of means: {text[1]}")


def penelope(truth, region, found):
    """Say how far PENELOPE is where electrons make the dose."""
    other = truth.get("penred_e", {}).get("regions", {}).get(region)
    if not other or other["relsd"] > KNOWN:
        return ""
    return f"  {found[0][region] / other['mean'] - 1:+7.2%} ± {np.hypot(other['relsd'], found[1][region]):5.2%}"


def show(place, isotope, truth, found, cpu):
    """Print one source and nuclide; return, of each region, whether it holds the source and the two gains."""
    gains = []
    for region, row in truth["regions"].items():
        u = row["relsd_voxels_independent"]
        if u > KNOWN:
            continue
        cells = []
        for means, us, *_ in found.values():
            cells.append(f"{means[region] / row['mean_Gy_per_decay'] - 1:+8.2%} ± {np.hypot(u, us[region]):5.2%}")
        apart, mean = ((u / found["mc"][i][region]) ** 2 * cpu / found["mc"][2] for i in (3, 1))
        gains.append((region in OWN_REGIONS[place], apart, mean))
        line = (
            f"{place:17}{isotope:8}{region:35}{u:7.2%}"
            + "".join(f"{c:>19}" for c in cells)
            + f"{apart:7.0f}{mean:6.0f}"
        )
        print(line + penelope(truth, region, found["mc"]), flush=True)
    return gains
