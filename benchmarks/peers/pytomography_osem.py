"""OSEM by PyTomography, run by its own interpreter: `pytomography_osem.py PROBLEM.npz ITERATIONS SUBSETS IMAGE.npz`."""

import json
import re
import sys
import time
from pathlib import Path

import numpy as np
import torch
from pytomography.algorithms import OSEM
from pytomography.callbacks import Callback
from pytomography.likelihoods import PoissonLogLikelihood
from pytomography.metadata.SPECT import SPECTObjectMeta, SPECTProjMeta, SPECTPSFMeta
from pytomography.projectors.SPECT import SPECTSystemMatrix
from pytomography.transforms.SPECT import SPECTAttenuationTransform, SPECTPSFTransform


class Clock(Callback):
    """Note the time at the end of each iteration."""

    def __init__(self):
        self.cpu, self.wall = [time.process_time()], [time.perf_counter()]
        self.subsets = 0

    def run(self, object, n_iter, n_subset):
        """Keep the clocks after the last subset of an iteration."""
        if n_subset == self.subsets - 1:
            self.cpu.append(time.process_time())
            self.wall.append(time.perf_counter())
        return object


def peak_MiB():
    """Return this program's own peak; getrusage would give its parent's where that was larger."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024


def main():
    """Reconstruct and print the times as JSON."""
    torch.set_num_threads(2)
    problem, iterations, subsets, target = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    with np.load(problem) as file:
        data = dict(file)
    side, pixel = data["mu"].shape[0], float(data["voxel_cm"])
    objects = SPECTObjectMeta([pixel] * 3, [side] * 3)
    views = len(data["angles_deg"])
    projections = SPECTProjMeta((side, side), (pixel, pixel), data["angles_deg"], [float(data["radius_cm"])] * views)
    attenuation = SPECTAttenuationTransform(torch.tensor(data["mu"], dtype=torch.float32))
    blur = SPECTPSFTransform(SPECTPSFMeta((float(data["a"]), float(data["b_cm"]))))
    system = SPECTSystemMatrix([attenuation, blur], [], objects, projections)
    likelihood = PoissonLogLikelihood(system, torch.tensor(data["proj"], dtype=torch.float32))
    clock = Clock()
    clock.subsets = subsets
    image = OSEM(likelihood)(iterations, subsets, callback=clock)
    np.savez(target, image=image.cpu().numpy())
    spent = {
        "cpu_s": np.diff(clock.cpu).tolist(),
        "wall_s": np.diff(clock.wall).tolist(),
        "peak_MiB": peak_MiB(),
    }
    print(json.dumps(spent))


main()
