"""Laws that hold for any decay chain."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from hevesy.core import Daughter, Measured, Nuclide
from hevesy.physics.decay import Chain, decay_factor, frame_mean_factor

half_lives = st.lists(st.floats(1e-6, 1e12), min_size=1, max_size=6)
times = st.floats(0, 1e10)


def straight(half_lives_s):
    members = tuple(
        Nuclide(f"X-{i}", Measured(t, unit="s"), daughters=(Daughter(f"X-{i + 1}", 1.0, "α"),))
        for i, t in enumerate(half_lives_s)
    )
    return Chain(members, np.eye(len(members), k=-1))


@given(half_lives, times)
def test_atoms_are_conserved(half_lives_s, time_s):
    """Atoms that are left and decays of the last member sum to the atoms at the start."""
    chain = straight(half_lives_s)
    left = chain.activities([time_s])[:, 0] / chain.decay_constants
    gone = chain.decays(0.0, [time_s])[-1, 0]
    assert left.sum() + gone == approx(1 / chain.decay_constants[0], rel=1e-11)


@given(half_lives, times, times)
def test_waiting_twice_is_waiting_once_for_the_sum(half_lives_s, first_s, second_s):
    chain = straight(half_lives_s)
    twice = chain.activities([second_s], chain.activities([first_s])[:, 0])
    assert twice[:, 0] == approx(chain.activities([first_s + second_s])[:, 0], rel=1e-6, abs=1e-30)


@given(half_lives, times)
def test_no_activity_is_negative_and_none_exceeds_all_atoms_decaying_at_its_rate(half_lives_s, time_s):
    chain = straight(half_lives_s)
    activities = chain.activities([time_s])[:, 0]
    assert (activities >= 0).all()
    assert (activities <= chain.decay_constants / chain.decay_constants[0] * (1 + 1e-11)).all()


@given(half_lives, times, times)
def test_decays_of_adjacent_intervals_add(half_lives_s, first_s, more_s):
    chain = straight(half_lives_s)
    parts = chain.decays(0.0, [first_s]) + chain.decays(first_s, [first_s + more_s])
    assert parts == approx(chain.decays(0.0, [first_s + more_s]), rel=1e-6, abs=1e-30)


@given(st.floats(1e-12, 1e3), st.floats(0, 1e4))
def test_a_frames_mean_lies_between_its_activities_at_start_and_end(constant, duration_s):
    mean = float(frame_mean_factor(constant, duration_s))
    assert float(decay_factor(constant, duration_s)) * (1 - 1e-12) <= mean <= 1 + 1e-12
