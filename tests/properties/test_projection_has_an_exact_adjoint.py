import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from factories.spect import small_system
from hevesy.stages.quantification.reconstruction import Lattice, LinearResponse, Orbit, SystemModel

#: rounding of single precision, averaged over thousands of terms that are summed in double
ADJOINT_TOLERANCE = 1e-6


def dot(a, b):
    return float(np.vdot(a.astype(np.float64), b.astype(np.float64)))


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    angles=st.lists(st.floats(-400, 400), min_size=1, max_size=5),
    radius=st.floats(20, 500),
    slope=st.floats(0, 0.2),
    attenuated=st.booleans(),
    focal=st.one_of(st.none(), st.floats(1.3, 5.0)),
    held=st.floats(0.0, 1.0),
)
def test_backprojection_is_the_transpose_of_projection_for_any_orbit(
    seed, angles, radius, slope, attenuated, focal, held
):
    random = np.random.default_rng(seed)
    lattice = Lattice(15, 4, 5.0, 7.0)
    radii = radius * random.uniform(0.8, 1.2, len(angles))
    mu = random.uniform(0, 0.03, lattice.shape) if attenuated else None
    focal_mm = None if focal is None else focal * radii.max()
    if focal_mm is not None:  # the body must lie before the focal line
        mu = None if mu is None or (radii.max() + 50) / focal_mm > 0.89 else mu
    orbit = Orbit(np.array(angles), radii, random.uniform(-6, 6, len(angles)), focal_mm)
    support = random.random(lattice.shape) < held if held > 0 else None  # scattered voxels, few or nearly all
    system = SystemModel(lattice, orbit, LinearResponse(slope, 1.0), mu, support)
    volume, projections = random.random(lattice.shape), random.random(system.projection_shape)
    forward = dot(system.forward(volume), projections)
    backward = dot(volume, system.backward(projections))
    assert abs(forward - backward) <= ADJOINT_TOLERANCE * abs(forward)


def test_projection_of_a_sum_is_the_sum_of_projections():
    system, random = small_system(), np.random.default_rng(3)
    a, b = random.random((2, *system.lattice.shape))
    together = system.forward(a + 2 * b)
    # single precision over a few hundred additions a bin
    assert_allclose(together, system.forward(a) + 2 * system.forward(b), rtol=2e-5, atol=1e-5)


def test_a_subset_of_views_is_projected_as_it_is_among_all():
    system = small_system()
    volume = np.random.default_rng(4).random(system.lattice.shape)
    chosen = np.array([5, 0, 17])
    np.testing.assert_array_equal(system.forward(volume, chosen), system.forward(volume)[chosen])


def test_survival_that_is_not_kept_gives_the_same_projections(monkeypatch):
    volume = np.random.default_rng(5).random((24, 24, 5))
    kept = small_system().forward(volume, np.array([3, 9]))
    monkeypatch.setattr("hevesy.stages.quantification.reconstruction.system.CACHE_BYTES", 0)
    np.testing.assert_array_equal(small_system().forward(volume, np.array([3, 9])), kept)


def held_and_free():
    free = small_system(side=30, slices=6, views=10)
    support = np.zeros(free.lattice.shape, bool)
    support[8:15, 11:21, 1:5] = True
    return SystemModel(free.lattice, free.orbit, free.response, free.mu_per_mm, support), free, support


def test_what_lies_within_the_support_is_projected_as_without_one():
    held, free, support = held_and_free()
    volume = np.random.default_rng(6).random(free.lattice.shape)
    seen = held.forward(volume)
    # additions in another order
    np.testing.assert_allclose(seen, free.forward(volume * support), rtol=1e-5, atol=1e-6 * seen.max())


def test_backprojection_fills_the_support_as_without_one_and_nothing_else():
    held, free, support = held_and_free()
    values = np.random.default_rng(7).random(free.projection_shape)
    filled, anywhere = held.backward(values), free.backward(values)
    np.testing.assert_allclose(filled[support], anywhere[support], rtol=1e-5)
    assert not filled[~support].any()
