"""Voxel S-values beside scipy's convolution of the same kernel, and the memory that they take.

The body is an ellipse that fills half of the image; "full" is an image that is tissue to its edges.
"""

import multiprocessing
import os
import resource
import time

import numpy as np
from scipy.signal import fftconvolve

from hevesy.core import Grid, Image, Quantity
from hevesy.data.nuclides import nuclide
from hevesy.stages.dosimetry.engines import Source, engine
from hevesy.stages.dosimetry.voxel import chain_kernels
from hevesy.stages.dosimetry.voxel_kernel import voxel_kernel

MIB = 1024
REPEATS = 3


def body(size, spacing, of, full=False):
    """Return activity in a body of soft tissue with lungs, a spine and a liver."""
    z, y, x = (((np.arange(size) + 0.5) / size - 0.5).reshape(s) for s in ((-1, 1, 1), (1, -1, 1), (1, 1, -1)))
    inside = ((x / 0.42) ** 2 + (y / 0.3) ** 2 < 1) & (abs(z) < 0.48) | full
    lungs = ((abs(x) - 0.2) / 0.12) ** 2 + (y / 0.2) ** 2 + ((z - 0.2) / 0.2) ** 2 < 1
    spine = ((x / 0.05) ** 2 + ((y - 0.2) / 0.05) ** 2 < 1) & inside
    liver = ((x + 0.15) / 0.2) ** 2 + (y / 0.2) ** 2 + ((z + 0.15) / 0.12) ** 2 < 1
    density = np.select([spine, lungs & inside, inside], [1400, 260, 1000], 1.2).astype(np.float32)
    tia = np.random.default_rng(1).random(inside.shape, np.float32) * inside * np.where(liver, 8e7, 1e7)
    grid = Grid.regular(inside.shape, (spacing,) * 3)
    activity = Image(tia.astype(np.float32), grid, Quantity.TIME_INTEGRATED_ACTIVITY_CONCENTRATION)
    return Source(activity, Image(density, grid, Quantity.DENSITY), ((nuclide(of), 1.0),))


def scipy_takes(source):
    """Return how long scipy takes to convolve with the same kernels, s (wall, CPU), the best of several."""
    kernels = chain_kernels(source.nuclides)
    decays, spacing = source.tia.values, source.tia.grid.spacing_mm
    whole = []
    for kernel, reach in ((kernels.charged, kernels.reach_mm), (kernels.photons, np.inf)):
        half = tuple(int(min(n - 1, reach / s + 1)) for n, s in zip(decays.shape, spacing, strict=True))
        octant = voxel_kernel(kernel, spacing, half).octant_J.astype(np.float32)
        whole.append(np.pad(octant, [(h, 0) for h in half], "reflect"))
    return min(timed(lambda: [fftconvolve(decays, kernel, "same") for kernel in whole]) for _ in range(REPEATS))


def timed(work):
    """Return the wall and CPU time of a call, s."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def measure(name, size, spacing, of, full, queue):
    """Time an engine in this process: the first call, the best of the next, peak memory."""
    source = body(size, spacing, of, full)
    found = engine(name)
    first = timed(lambda: found(source))
    again = min(timed(lambda: found(source)) for _ in range(REPEATS if size < 200 else 1))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB
    queue.put((first, again, peak, scipy_takes(source) if size < 200 else None))


def main():
    """Print the table."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    print(f"{os.cpu_count()} processors; s, wall (CPU); first: with kernels to load and make, after the import")
    for name, size, spacing, of, full in (
        *(("vsv", 128, 4.0, of, full) for of in ("Lu-177", "Y-90", "I-131") for full in (False, True)),
        *(("mvsv", 128, 4.0, of, False) for of in ("Lu-177", "Y-90", "I-131")),
        *((name, 256, 2.0, of, False) for name in ("vsv", "mvsv") for of in ("Lu-177", "Y-90")),
    ):
        process = context.Process(target=measure, args=(name, size, spacing, of, full, queue))
        process.start()
        first, again, peak, peer = queue.get()
        process.join()
        line = f"{name:5}{of:7}{size}³ {'full' if full else 'body'}  first {first[0]:6.2f} ({first[1]:.2f})"
        line += f"  again {again[0]:6.2f} ({again[1]:.2f})  peak {peak:5.0f} MiB"
        if peer and name == "vsv":
            line += f"  scipy.signal.fftconvolve {peer[0]:.2f} ({peer[1]:.2f}): {peer[1] / again[1]:.1f}× our CPU time"
        print(line, flush=True)
