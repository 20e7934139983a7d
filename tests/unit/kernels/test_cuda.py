"""The CUDA path, where there is no device: run in numba's simulator, and compiled for a device."""

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

SAME = """
import numpy as np
from factories.transport import decays, layers
from hevesy.data.nuclides import nuclide
from hevesy.kernels import cuda
from hevesy.stages.dosimetry import simulation
from hevesy.stages.dosimetry.monte_carlo import plan
from hevesy.stages.dosimetry.simulation import Device, Stop

# fewer threads than histories: each runs several
cuda.THREADS_PER_BLOCK, cuda.MOST_THREADS = 8, 24
phantom = layers()
source = [*decays(phantom, nuclide("I-131"), [(4, 4, 4)]), *decays(phantom, nuclide("At-211"), [(1, 1, 7)])]
made = plan(phantom, source, 200)
there = simulation.run(made, Stop(histories=600), device=Device.AUTO)
here = simulation.run(made, Stop(histories=600), threads=1)
assert np.count_nonzero(here.total) > 300
np.testing.assert_allclose(there.total, here.total, rtol=1e-11, atol=0)
np.testing.assert_allclose(there.balance, here.balance, rtol=1e-11)
np.testing.assert_allclose(there.squares, here.squares, rtol=1e-11, atol=0)
print("same")
"""

COMPILED = """
from types import SimpleNamespace

import numba.cuda.dispatcher
import numpy as np
from numba import cuda, types, typeof
from factories.transport import decays, layers
from hevesy.data.nuclides import nuclide
from hevesy.kernels.cuda import run_histories
from hevesy.stages.dosimetry.monte_carlo import plan

# numba asks the device at hand for its capability, also where another was named
numba.cuda.dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=(8, 0))
phantom = layers()
made = plan(phantom, decays(phantom, nuclide("Y-90"), [(4, 4, 4)]), 100)
parts = (made.world, made.emissions[0].source, (1, 0), (100, 1.0, True), (np.zeros(729), np.zeros((128, 5))))
signature = types.void(*(typeof(part) for part in parts))
text, _ = cuda.compile(run_histories, signature, device=False, cc=(8, 0), abi="numba")
assert "atom.global.add.f64" in text
assert ".entry" in text
print("compiled")
"""


def run(script, **environment):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.split()[-1]


def test_the_simulated_device_gives_the_dose_of_processors():
    # the device functions are those compiled for processors: what is tested is which thread runs which history
    assert run(SAME, NUMBA_ENABLE_CUDASIM="1") == "same"


@pytest.mark.skipif(not find_spec("numba_cuda"), reason="needs the optional numba-cuda (170 MB with its compiler)")
def test_the_kernel_compiles_for_a_device_and_adds_atomically():
    assert run(COMPILED) == "compiled"
