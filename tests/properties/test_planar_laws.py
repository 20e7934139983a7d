"""What holds of planar views for any patient: closed forms of slabs, and laws of subtraction."""

import math
from datetime import datetime

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hevesy.core import EnergyWindow, Measured, PlanarView, Timing
from hevesy.data.nuclides import nuclide
from hevesy.stages.quantification.conjugate_pair import ConjugatePair, background_share
from hevesy.stages.quantification.energy_windows import WindowRequest, choose_windows, without_scatter
from hevesy.stages.quantification.planar import Path, conjugate_view

TIMING = Timing(datetime(2024, 3, 5, 9), 600.0)
depths = st.floats(0.0, 150.0)
thicknesses = st.floats(1.0, 120.0)
mus = st.floats(1e-3, 0.03)


def seen(mu, near, far):
    """Counts of a uniform stretch from one depth to another: (e^(-μa) - e^(-μb)) / (μ(b - a)) of its activity."""
    return (math.exp(-mu * near) - math.exp(-mu * far)) / (mu * (far - near))


@given(mus, depths, thicknesses, st.floats(0.0, 150.0), st.floats(1e5, 1e10))
def test_a_uniform_slab_at_any_depth_in_a_uniform_body_has_its_activity(mu, near, thick, behind, activity):
    body = near + thick + behind
    calibration = Measured(7e-6, 0.0, "1/s/Bq")
    front, back = (Measured(activity * 7e-6 * seen(mu, depth, depth + thick), 0.0, "1/s") for depth in (near, behind))
    found = conjugate_view(front, back, Path(Measured(math.exp(-mu * body)), thick, body, mu), calibration)
    # the closed form, to rounding
    assert math.isclose(found.value, activity, rel_tol=1e-9)


@given(mus, depths, thicknesses, st.floats(0.0, 150.0))
def test_a_uniform_background_is_taken_off_exactly_from_either_side(mu, near, thick, behind):
    body = near + thick + behind
    everywhere = body * seen(mu, 0.0, body)
    hidden = thick * seen(mu, near, near + thick)
    assert math.isclose(
        background_share(mu, body, (near, near + thick)) * everywhere, everywhere - hidden, abs_tol=1e-9 * everywhere
    )


@given(st.integers(0, 2**32 - 1), st.floats(0.05, 20.0))
def test_the_geometric_mean_knows_no_common_depth(seed, ratio):
    """What one side gains the other loses: counts times r and over r have one geometric mean."""
    counts = np.random.default_rng(seed).uniform(1.0, 500.0, (4, 5))
    one, other = (PlanarView(c, (4.0, 4.0), timing=TIMING) for c in (counts, counts))
    deep = [PlanarView(c, (4.0, 4.0), timing=TIMING) for c in (counts * ratio, counts / ratio)]
    np.testing.assert_allclose(
        ConjugatePair(*deep).geometric_mean(), ConjugatePair(one, other).geometric_mean(), rtol=1e-12
    )


widths = st.floats(4.0, 60.0)


@given(widths, widths, widths, st.floats(0.0, 50.0), st.floats(0.0, 50.0), st.floats(0.0, 1e4))
def test_scatter_that_is_straight_in_energy_vanishes_whatever_the_windows(below, peak, above, low, high, primary):
    low_edge, top = 208.0 - peak / 2 - below, 208.0 + peak / 2 + above

    def density(energy):
        return low + (high - low) * (energy - low_edge) / (top - low_edge)

    limits = [(low_edge, low_edge + below), (208.0 - peak / 2, 208.0 + peak / 2), (208.0 + peak / 2, top)]
    windows = [EnergyWindow((pair,)) for pair in limits]
    counts = [np.full((1, 1), (b - a) * density((a + b) / 2)) for a, b in limits]
    counts[1] = counts[1] + primary
    views = [PlanarView(c, (4.0, 4.0), window=w) for c, w in zip(counts, windows, strict=True)]
    net = without_scatter(views[1], [views[0], views[2]])
    # the trapezium between the middles of two windows of unlike widths is not quite the line at the peak
    lever = abs(above - below) / 4 * abs(high - low) / (top - low_edge) * peak
    assert abs(net.counts[0, 0] - primary) <= lever + 1e-9 * (primary + peak * (low + high))
    assert net.counts_variance[0, 0] >= views[1].counts[0, 0]


@given(st.permutations(range(4)))
def test_windows_are_recognised_in_any_order(order):
    there = [EnergyWindow((pair,)) for pair in ((187.0, 229.0), (166.0, 187.0), (229.0, 250.0), (40.0, 60.0))]
    found = choose_windows([there[k] for k in order], WindowRequest(nuclide("Lu-177"), "187-229 keV"), "scan")
    assert found.photopeak == there[0]
    assert found.scatter == (there[1], there[2])
