"""Monte Carlo in a body of 128×128×64 voxels of 4 mm: time to 1% in tumours, and to 2% in the median kidney voxel.

Lungs, spine, liver, kidneys and three tumours, as in the phantom on which EGSnrc needed 7 to 23 s for the tumours
and 960, 1,120 and 1,370 s (Lu-177, Y-90, I-131) for the kidneys, on one core; activity by organ is ours. Also: what a
second thread gains, beside what it gains a loop of bare arithmetic on this machine, the peak of memory there and at
256³, and the means of `mvsv` over those of `mc` in every organ.
"""

import resource
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import njit

from hevesy.core import Grid, Image, Quantity, Region
from hevesy.data.materials import material
from hevesy.data.nuclides import nuclide
from hevesy.stages.dosimetry import simulation
from hevesy.stages.dosimetry.engines import Source, engine
from hevesy.stages.dosimetry.monte_carlo import Decays, Phantom, plan
from hevesy.stages.dosimetry.simulation import Stop
from hevesy.stages.dosimetry.transport_engine import dose_map

SHAPE, SIDE_MM = (128, 128, 64), 4.0
EGSNRC_KIDNEY_S = {"Lu-177": 960, "Y-90": 1120, "I-131": 1370}
EGSNRC_TUMOUR_S = "7 to 23"
#: ellipsoids: centre and half axes, mm; medium; relative activity concentration
ORGANS = {
    "lung left": ((75, 0, 60), (55, 75, 70), "lung", 0.3),
    "lung right": ((-75, 0, 60), (55, 75, 70), "lung", 0.3),
    "spine": ((0, 80, 0), (22, 22, 400), "cortical bone", 0.5),
    "liver": ((-70, -10, -55), (80, 65, 45), "liver", 6.0),
    "kidney left": ((65, 55, -85), (28, 22, 40), "kidney", 30.0),
    "kidney right": ((-65, 55, -90), (28, 22, 36), "kidney", 30.0),
    "tumour liver": ((-90, -20, -50), (14, 14, 14), "liver", 60.0),
    "tumour lung": ((70, 10, 55), (10, 10, 10), "soft tissue", 40.0),
    "tumour spine": ((0, 80, -40), (10, 10, 10), "cortical bone", 40.0),
}


def body():
    """Return the phantom, relative activity, and regions."""
    grid = Grid.regular(SHAPE, (SIDE_MM,) * 3)
    x, y, z = (SIDE_MM * (np.arange(n) - (n - 1) / 2) for n in SHAPE)
    x, y, z = np.meshgrid(x, y, z, indexing="ij", sparse=True)
    names = ["air", "soft tissue", *sorted({o[2] for o in ORGANS.values()} - {"soft tissue"})]
    labels = np.where((x / 180) ** 2 + (y / 120) ** 2 < 1, 1, 0) * np.ones(SHAPE, int)
    activity = (labels == 1).astype(float)
    regions = []
    for name, (centre, axes, medium, concentration) in ORGANS.items():
        inside = sum(((a - c) / h) ** 2 for a, c, h in zip((x, y, z), centre, axes, strict=True)) < 1
        labels[inside] = names.index(medium)
        activity[inside] = concentration
        regions.append(Region.from_mask(name, grid, inside))
    media = tuple(material(name) for name in names)
    density = np.array([m.density_kg_m3 for m in media], np.float32)[labels]
    return Phantom(Image(density, grid, Quantity.DENSITY), labels.astype(np.uint8), media), activity, regions


@njit(nogil=True)
def arithmetic(n):
    """Burn time without touching memory."""
    total = 0.0
    for i in range(n):
        total = total * 0.999 + np.sqrt(i + total)
    return total


def wall(work, jobs, threads):
    """Return the seconds that `jobs` calls of `work` take on threads."""
    with ThreadPoolExecutor(threads) as pool:
        began = time.perf_counter()
        list(pool.map(lambda _: work(), range(jobs)))
        return time.perf_counter() - began


def compare(phantom, tia, regions, name):
    """Print the mean doses of `mvsv` over those of `mc`, less 1."""
    made = plan(phantom, [Decays(tia, ((nuclide(name), 1.0),))], 250_000, 1, None, regions)
    tally = simulation.run(made, Stop(histories=4_000_000), threads=1)
    dose = engine("mvsv")(Source(tia, phantom.density, ((nuclide(name), 1.0),))).dose.values.ravel()
    mass = phantom.mass_kg().ravel()
    for i, (organ, voxels) in enumerate(made.regions.items()):
        ratio = float((dose * mass)[voxels].sum()) / tally.region_energy(i).value
        print(f"    {organ:14} mvsv {ratio - 1:+7.2%} ± {tally.region_uncertainty()[i]:.2%}", flush=True)


def peak_GiB():
    """Return the most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def large():
    """Simulate 256³ voxels of water, every one with activity, on one thread."""
    phantom = Phantom.uniform(Grid.regular((256,) * 3, (2.0,) * 3), material("water"))
    tia = phantom.density.with_values(
        np.ones(phantom.grid.shape, np.float32), Quantity.TIME_INTEGRATED_ACTIVITY_CONCENTRATION
    )
    made = plan(phantom, [Decays(tia, ((nuclide("Lu-177"), 1.0),))], 500_000)
    tally = simulation.run(made, Stop(histories=1_000_000), threads=1)
    dose_map(phantom, made, tally)
    tally.relative_uncertainty()


def main():
    """Print the table."""
    phantom, activity, regions = body()
    tia = Image(activity, phantom.grid, Quantity.TIME_INTEGRATED_ACTIVITY_CONCENTRATION)
    kidneys = np.concatenate([np.flatnonzero(r.mask().ravel()) for r in regions if r.name.startswith("kidney")])
    tumours = [r for r in regions if r.name.startswith("tumour")]
    print(f"{'':8}{'histories/s':>12}{'tumours 1%':>12}{'EGSnrc':>9}{'kidney voxel 2%':>17}{'EGSnrc':>8}{'ratio':>7}")
    for name, peer in EGSNRC_KIDNEY_S.items():
        made = plan(phantom, [Decays(tia, ((nuclide(name), 1.0),))], 400_000, 1, None, tumours)
        simulation.run(made, Stop(histories=1), threads=1)
        began = time.process_time()
        tally = simulation.run(made, Stop(histories=16 * 400_000), threads=1)
        cpu = time.process_time() - began
        median = float(np.median(tally.relative_uncertainty()[kidneys]))
        to_two = cpu * (median / 0.02) ** 2
        to_one = cpu * float((tally.region_uncertainty().max() / 0.01) ** 2)
        rate = tally.batches * made.histories_per_batch / cpu
        line = (
            f"{name:8}{rate:12,.0f}{to_one:10.2f} s{EGSNRC_TUMOUR_S:>9}{to_two:15.1f} s{peer:8d}{peer / to_two:6.0f}×"
        )
        print(line, flush=True)
        compare(phantom, tia, regions, name)
    arithmetic(10)
    bare = wall(lambda: arithmetic(30_000_000), 4, 1) / wall(lambda: arithmetic(30_000_000), 4, 2)
    seconds = [simulation.run(made, Stop(histories=8 * 400_000), threads=t).seconds for t in (1, 2)]
    gain = seconds[0] / seconds[1]
    print(f"A second thread: {gain:.2f}×; bare arithmetic {bare:.2f}×; {gain / bare:.0%} of it.")
    print(f"Peak memory {peak_GiB():.2f} GiB.")
    large()
    print(f"Peak memory with 256³ voxels, all with activity: {peak_GiB():.2f} GiB.")
