"""OSEM with attenuation and response: our time and memory against PyTomography's, and against what the machine allows.

The peer is installed into a virtual environment of its own beside the project (`.bench/pytomography`). It takes minutes
an iteration: HEVESY_PEER_ITERATIONS sets how many it runs (default 1), and times are compared iteration by iteration.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from hevesy.stages.quantification.reconstruction import (
    Lattice,
    LinearResponse,
    Measurement,
    Orbit,
    Schedule,
    SystemModel,
    osem,
)
from hevesy.stages.quantification.reconstruction.checks import near_tissue

SIDE, VIEWS, PIXEL_CM, RADIUS_CM = 128, 120, 0.48, 22.0
SLOPE, FACE_CM, MU_PER_CM = 0.03161982, 0.1248503, 0.1353
SUBSETS, ITERATIONS, THREADS = 8, 4, 2
#: of one iteration: operations on floats, and bytes to and from memory
GFLOP, GBYTE = 7.6, 4.0
#: that bound in time, as it was stated for two cores of this kind
QUOTED_S = 0.3, 0.5
#: where activity may be, from the body
WITHIN_MM = 20.0
PEER = ("torch==2.13.0", "pytomography==3.4.0")
PEER_HOME = Path(__file__).parents[1] / ".bench" / "pytomography"
PEER_SCRIPT = Path(__file__).parent / "peers" / "pytomography_osem.py"


def phantom() -> tuple[NDArray[Any], NDArray[Any]]:
    """Return activity and attenuation (1/cm): a water cylinder with six hot spheres on a ring."""
    place = (np.arange(SIDE) - (SIDE - 1) / 2) * PIXEL_CM
    x, y, z = np.meshgrid(place, place, place, indexing="ij", sparse=True)
    body = ((x / 15) ** 2 + (y / 11.5) ** 2 <= 1) & (np.abs(z) <= 9.7)
    activity = body.astype(np.float32)
    for number, diameter_cm in enumerate((1.0, 1.3, 1.7, 2.2, 2.8, 3.7)):
        angle = np.deg2rad(60 * number)
        away = (x - 5.72 * np.cos(angle)) ** 2 + (y - 5.72 * np.sin(angle)) ** 2 + z**2
        activity[away <= (diameter_cm / 2) ** 2] = 8
    return activity, (MU_PER_CM * body).astype(np.float32)


def system(mu_per_cm: NDArray[Any], angles_deg: NDArray[Any], within_mm: float | None = None) -> SystemModel:
    """Return the camera, with activity anywhere or within a distance of the body."""
    lattice = Lattice(SIDE, SIDE, 10 * PIXEL_CM, 10 * PIXEL_CM)
    orbit = Orbit(angles_deg + 180, np.full(VIEWS, 10 * RADIUS_CM))
    support = None if within_mm is None else near_tissue(mu_per_cm / 10, lattice, within_mm)
    return SystemModel(lattice, orbit, LinearResponse(SLOPE, 10 * FACE_CM), mu_per_cm / 10, support)


def ours(problem: dict[str, Any], within_mm: float | None = None) -> tuple[NDArray[Any], dict[str, Any]]:
    """Reconstruct, the survival and the sensitivity included, and return the image and what it took."""
    camera = problem["mu"], problem["angles_deg"], within_mm
    warm = Measurement(system(*camera), problem["proj"])
    osem(warm, Schedule(1, VIEWS // 2))  # compiled, so that compilation is not timed
    del warm
    marks = [(time.process_time(), time.perf_counter())]
    measurement = Measurement(system(*camera), problem["proj"])
    ends: list[tuple[float, float]] = []
    image = osem(
        measurement,
        Schedule(ITERATIONS, SUBSETS),
        progress=lambda *_: ends.append((time.process_time(), time.perf_counter())),
    )
    marks += ends
    cpu, wall = np.diff(np.array(marks), axis=0).T
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return image, {"cpu_s": cpu.tolist(), "wall_s": wall.tolist(), "peak_MiB": peak}


def bound_s() -> tuple[float, float]:
    """Return the least CPU time of an iteration by arithmetic and by memory, from this machine's own speed, s.

    Loops of the kind that the projector is made of: multiply and add in vectors within the nearest cache, and a copy of
    what fits in none. CPU time, on one thread, for the machine may have others to serve.
    """
    rows = np.full((4, 1024), 1e-3, np.float32)
    block = np.ones(64_000_000, np.float32)
    copy = np.empty_like(block)
    _multiply_and_add(rows, 1)
    arithmetic, moved = [], []
    for _ in range(5):
        start = time.process_time()
        operations = _multiply_and_add(rows, 20_000)
        middle = time.process_time()
        np.copyto(copy, block)
        arithmetic.append((middle - start) / operations)
        moved.append((time.process_time() - middle) / (2 * block.nbytes))
    return GFLOP * 1e9 * min(arithmetic), GBYTE * 1e9 * min(moved)


@numba.njit(fastmath=True)
def _multiply_and_add(rows: NDArray[Any], repeats: int) -> int:
    out, a, b, c = rows[0], rows[1], rows[2], rows[3]
    for _ in range(repeats):
        for k in range(out.size):
            out[k] = np.float32(0.5) * out[k] + np.float32(0.2) * a[k] + np.float32(0.2) * b[k] + c[k]
    return int(repeats * out.size * 6)


def peer(problem: Path, folder: Path) -> tuple[NDArray[Any], dict[str, Any]]:
    """Run the peer in its own environment, which is made if absent."""
    python = PEER_HOME / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(PEER_HOME)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PEER], check=True)
    iterations = os.environ.get("HEVESY_PEER_ITERATIONS", "1")
    image = folder / "peer.npz"
    command = [str(python), str(PEER_SCRIPT), str(problem), iterations, str(SUBSETS), str(image)]
    environment = os.environ | {"OMP_NUM_THREADS": str(THREADS), "PYTHONPATH": ""}
    answer = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    with np.load(image) as file:
        return file["image"], json.loads(answer.stdout.strip().splitlines()[-1])


def print_ours(name: str, spent: dict[str, Any]) -> None:
    """Print what a reconstruction took."""
    cpu, wall = sum(spent["cpu_s"]), sum(spent["wall_s"])
    print(f"{name}: {cpu:.1f} CPU-s {wall:.1f} s, peak {spent['peak_MiB']:.0f} MiB")


def main() -> None:
    """Print times, ratios, peak memory, and the agreement of the two images."""
    numba.set_num_threads(min(THREADS, numba.config.NUMBA_NUM_THREADS))
    activity, mu = phantom()
    angles = 3.0 * np.arange(VIEWS)
    mean = 3.1 * np.maximum(system(mu, angles).forward(activity), 0)
    problem = {"mu": mu, "angles_deg": angles, "proj": np.random.default_rng(1).poisson(mean).astype(np.float32)}
    image, mine = ours(problem)
    print(f"OSEM {ITERATIONS}×{SUBSETS}, {SIDE}³ voxels, {VIEWS} views, {THREADS} threads")
    print_ours("hevesy", mine)
    held, mine_held = ours(problem, WITHIN_MM)
    print_ours(f"hevesy, within {WITHIN_MM:g} mm of the body", mine_held)
    arithmetic, memory = bound_s()
    bound = max(arithmetic, memory)
    print(
        f"bound of an iteration, {GFLOP} GFLOP and {GBYTE} GB: {arithmetic:.2f} CPU-s by arithmetic, {memory:.2f} by "
        f"memory here; {QUOTED_S[0]}-{QUOTED_S[1]} s as stated for this kind of machine"
    )
    for name, spent in (("anywhere", mine), ("near the body", mine_held)):
        later = float(np.min(spent["cpu_s"][1:]))
        print(
            f"an iteration, activity {name}: {later:.2f} CPU-s, {later / bound:.1f} × the greater bound here, "
            f"{later / QUOTED_S[1]:.1f}-{later / QUOTED_S[0]:.1f} × as stated"
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "problem.npz"
        np.savez(path, **problem, voxel_cm=PIXEL_CM, radius_cm=RADIUS_CM, a=SLOPE, b_cm=FACE_CM)
        theirs, theirs_spent = peer(path, Path(folder))
    done = len(theirs_spent["cpu_s"])
    print(
        f"PyTomography  {sum(theirs_spent['cpu_s']):7.1f} CPU-s {sum(theirs_spent['wall_s']):7.1f} s for {done} of "
        f"{ITERATIONS} iterations, peak {theirs_spent['peak_MiB']:.0f} MiB"
    )
    inside = mu > 0
    for name, one, spent in (("anywhere", image, mine), ("near the body", held, mine_held)):
        # its first iteration includes its sensitivity images, as ours does
        cpu, wall = (sum(theirs_spent[key]) / sum(spent[key][:done]) for key in ("cpu_s", "wall_s"))
        print(f"activity {name}, over the first {done}: {cpu:.0f} × less CPU time, {wall:.0f} × less wall time")
        if done == ITERATIONS:
            error = np.sqrt(np.mean((one - theirs)[inside] ** 2)) / theirs[inside].mean()
            print(f"images differ by {error:.2%} of the mean in the body (RMS)")
