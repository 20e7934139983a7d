"""The PyTorch backend is the same operator, and its gradient is the transpose."""

import numpy as np
import pytest

from factories.spect import small_system
from hevesy.errors import BadInput, GridMismatch
from hevesy.stages.quantification.reconstruction import LinearResponse, Orbit, SystemModel, TailedResponse
from hevesy.stages.quantification.reconstruction.torch_system import TorchSystem

torch = pytest.importorskip("torch", reason="the extra hevesy[torch] is not installed")


def fan_system():
    parallel = small_system(views=8)
    orbit = Orbit(parallel.orbit.angles_deg, parallel.orbit.radii_mm, parallel.orbit.shifts_mm, focal_mm=320.0)
    return SystemModel(parallel.lattice, orbit, parallel.response, parallel.mu_per_mm)


@pytest.mark.parametrize("system", [small_system(), fan_system()], ids=["parallel", "fan"])
def test_both_backends_project_and_backproject_alike(system):
    random, views = np.random.default_rng(1), np.array([3, 0, 6])
    volume = random.random(system.lattice.shape, np.float32)
    counts = random.random((3, *system.projection_shape[1:]), np.float32)
    backend = TorchSystem(system)
    pairs = [
        (backend.forward(torch.tensor(volume), views).numpy(), system.forward(volume, views)),
        (backend.backward(torch.tensor(counts), views).numpy(), system.backward(counts, views)),
    ]
    for theirs, ours in pairs:
        # survival is kept to 1 part in 65535 by ours
        assert np.linalg.norm(theirs - ours) < 1e-5 * np.linalg.norm(ours)


def test_the_transpose_is_exact():
    system, random = small_system(views=5), np.random.default_rng(2)
    backend = TorchSystem(system, dtype=torch.float64)
    volume, counts = torch.tensor(random.random(system.lattice.shape)), torch.tensor(random.random((5, 24, 5)))
    forward, backward = (backend.forward(volume) * counts).sum(), (volume * backend.backward(counts)).sum()
    assert abs(float(forward - backward)) < 1e-12 * float(forward)


def test_gradients_are_those_of_finite_differences():
    system = small_system(side=6, slices=3, views=4)
    backend = TorchSystem(system, dtype=torch.float64)
    volume = torch.rand(system.lattice.shape, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: backend.forward(x, np.array([1, 3])), (volume,))


def test_a_poisson_likelihood_falls_along_its_gradient():
    system = small_system(views=8)
    backend = TorchSystem(system)
    counts = torch.tensor(system.forward(np.ones(system.lattice.shape)))
    volume = torch.full(system.lattice.shape, 2.0, requires_grad=True)
    mean = backend.forward(volume)
    (mean - counts * torch.log(mean + 1e-6)).sum().backward()
    # at twice the truth the slope of Σ ȳ − y ln ȳ is Aᵀ(1 − ½)
    half = 0.5 * system.sensitivity()
    assert np.linalg.norm(volume.grad.numpy() - half) < 1e-4 * np.linalg.norm(half)


def test_tails_and_other_shapes_are_refused():
    system = small_system(views=2)
    with pytest.raises(GridMismatch):
        TorchSystem(system).forward(torch.zeros(2, 2, 2))
    tailed = SystemModel(system.lattice, system.orbit, TailedResponse(LinearResponse(0.03, 1.0), 0.2, 0.1, 10.0))
    with pytest.raises(BadInput, match="tails"):
        TorchSystem(tailed)
