"""Laws of list-mode time of flight: transpose, one sum over the line, counts kept, and the bound of any method."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hevesy.errors import BadInput
from hevesy.physics.time_of_flight import TimingKernel, variance_gain
from hevesy.stages.quantification.reconstruction.list_mode import Ring, coincidences, least_variance, list_mode_osem

SIDE, PIXEL = 24, 12.0
ALONG = (np.arange(SIDE) - (SIDE - 1) / 2) * PIXEL
RADIUS = np.hypot(ALONG[:, None], ALONG[None, :])
DISC = (RADIUS < 110).astype(float)


def lines_of(random, count):
    return np.column_stack([random.uniform(0, np.pi, count), *random.uniform(-100, 100, (2, count))])


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31), fwhm=st.none() | st.floats(100, 1000))
def test_backward_is_the_transpose_of_forward(seed, fwhm):
    random = np.random.default_rng(seed)
    ring = Ring(SIDE, PIXEL, None if fwhm is None else TimingKernel((fwhm,)))
    image, lines, values = random.random((SIDE, SIDE)), lines_of(random, 50), random.random(50)
    assert (ring.forward(image, lines) * values).sum() == pytest.approx(
        (ring.backward(values, lines) * image).sum(), rel=1e-12
    )


def test_times_of_flight_together_see_what_the_line_sees():
    place = np.arange(-200.0, 200.0, 2.0)
    lines = np.column_stack([np.full_like(place, 0.4), np.full_like(place, 20.0), place])
    timed = Ring(SIDE, PIXEL, TimingKernel((300.0,))).forward(DISC, lines).sum() * 2.0
    # the kernel is cut at 3.5 standard deviations: 0.05%
    assert timed == pytest.approx(Ring(SIDE, PIXEL).forward(DISC, lines[:1])[0], rel=2e-3)


def test_a_central_line_through_a_disc_is_as_long_as_its_diameter():
    line = np.array([[0.3, 0.0, 0.0]])
    # edges of a disc in pixels: half a pixel at each end
    assert Ring(SIDE, PIXEL).forward(DISC, line)[0] == pytest.approx(220.0, abs=PIXEL)


def test_survival_is_that_of_the_whole_line():
    ring = Ring(SIDE, PIXEL, mu_per_mm=DISC * 0.0096)
    assert ring.survival(np.array([[0.3, 0.0, 0.0]]))[0] == pytest.approx(np.exp(-2.112), rel=0.06)


def test_without_attenuation_every_decay_is_counted_from_everywhere_inside():
    assert Ring(SIDE, PIXEL).sensitivity()[RADIUS < 110] == pytest.approx(1.0, abs=0.02)


def test_reconstruction_keeps_the_decays_and_their_places():
    random = np.random.default_rng(1)
    hot = DISC + 3.0 * (np.hypot(ALONG[:, None] - 42, ALONG[None, :]) < 26)
    ring = Ring(SIDE, PIXEL, TimingKernel((300.0,)), DISC * 0.0096)
    image = list_mode_osem(ring, coincidences(ring, hot, 400_000, random), 6, 4)[-1]
    # 2%: counting, 100,000 coincidences weighted by their survival
    assert image.sum() == pytest.approx(400_000, rel=0.02)
    inside = np.hypot(ALONG[:, None] - 42, ALONG[None, :]) < 15
    opposite = np.hypot(ALONG[:, None] + 42, ALONG[None, :]) < 15
    # 15%: counting in four pixels
    assert image[inside].mean() / image[opposite].mean() == pytest.approx(4.0, rel=0.15)


def test_the_least_variance_falls_as_the_law_of_tomitani_says():
    random = np.random.default_rng(2)
    place = np.exp(-0.5 * (RADIUS / 8.0) ** 2)
    bounds = []
    for timing in (None, TimingKernel((300.0,))):
        ring = Ring(SIDE, PIXEL, timing, DISC * 0.0096)
        lines = coincidences(ring, DISC, 100_000, random)
        bounds.append(least_variance(ring, lines, DISC, place / place.sum()) * len(lines))
    # 15%: the law is for an infinitely fine image, pixels are 12 mm here; 4% of it is counting
    assert bounds[0] / bounds[1] == pytest.approx(variance_gain(TimingKernel((300.0,)), 220.0), rel=0.15)


def test_fewer_coincidences_than_subsets_are_refused():
    with pytest.raises(BadInput):
        list_mode_osem(Ring(SIDE, PIXEL), np.zeros((3, 3)), 1, 6)
