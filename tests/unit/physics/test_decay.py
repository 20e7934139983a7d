import math

import numpy as np
import pytest

from hevesy.core import Daughter, Measured, Nuclide
from hevesy.data.nuclides import nuclide
from hevesy.errors import BadInput, UnknownName
from hevesy.physics.decay import Chain, decay_factor, frame_mean_factor


def chain_of(*half_lives_s):
    """A straight chain of invented nuclides with given half-lives, whose last decays to a stable one."""
    members = tuple(
        Nuclide(f"X-{i}", Measured(t, unit="s"), daughters=(Daughter(f"X-{i + 1}", 1.0, "β-"),))
        for i, t in enumerate(half_lives_s)
    )
    return Chain(members, np.eye(len(members), k=-1))


def test_activity_halves_in_a_half_life():
    constant = math.log(2) / 3600
    assert decay_factor(constant, [0, 3600, -3600]) == pytest.approx([1, 0.5, 2], rel=1e-15)


def test_the_mean_of_a_frame_is_the_integral_over_its_length():
    constant = math.log(2) / 6586.2
    assert frame_mean_factor(constant, [0.0, 1e-9, 6586.2]) == pytest.approx([1, 1, 0.5 / math.log(2)], rel=1e-13)


def test_a_single_nuclide_decays_exponentially():
    chain = Chain.of(nuclide("F-18"))
    assert chain.activities([0, 6586.2, 65862])[0] == pytest.approx([1, 0.5, 2.0**-10], rel=1e-14)


def test_two_nuclides_follow_batemans_equation():
    first, second = math.log(2) / 7, math.log(2) / 3
    times = np.array([0.5, 4.0, 30.0])
    expected = second / (second - first) * (np.exp(-first * times) - np.exp(-second * times))
    assert chain_of(7, 3).activities(times)[1] == pytest.approx(expected, rel=1e-13)


def test_equal_half_lives_give_the_limit_of_batemans_equation():
    constant, times = math.log(2) / 5, np.array([1e-6, 1.0, 5.0, 100.0])
    activities = chain_of(5, 5, 5).activities(times)
    assert activities[1] == pytest.approx(constant * times * np.exp(-constant * times), rel=1e-13)
    assert activities[2] == pytest.approx((constant * times) ** 2 / 2 * np.exp(-constant * times), rel=1e-13)


def test_nearly_equal_half_lives_lose_no_digits():
    equal = chain_of(5, 5, 5).activities([3.0])
    nearly = chain_of(5, 5 * (1 + 1e-12), 5 * (1 - 1e-12)).activities([3.0])
    assert nearly == pytest.approx(equal, rel=1e-11)


def test_decays_to_infinity_are_mean_lives_of_the_fed_share():
    chain = Chain.of(nuclide("Bi-212"))
    decays = dict(zip(chain.names, chain.decays_to_infinity(), strict=True))
    parent = 3633 / math.log(2)
    assert decays["Bi-212"] == pytest.approx(parent)
    assert decays["Tl-208"] == pytest.approx(0.3594 * parent)  # the branching is ICRP 107's
    assert decays["Po-212"] == pytest.approx(0.6406 * parent)


def test_each_member_stands_after_all_that_feed_it():
    for name in ("U-238", "Th-232", "Ac-225", "Ra-223", "Tb-149", "Cf-252"):
        chain = Chain.of(nuclide(name))
        assert not np.triu(chain.feeding).any()


def test_a_chain_starts_from_any_mixture():
    chain = Chain.of(nuclide("Pb-212"))
    mixture = chain.activities([1800.0], chain.pure(3.0) + chain.pure(2.0, "Bi-212"))
    parts = 3 * chain.activities([1800.0]) + 2 * chain.activities([1800.0], chain.pure(1.0, "Bi-212"))
    assert mixture == pytest.approx(parts, rel=1e-14)


@pytest.mark.parametrize("times", [[-1.0], [math.nan], [math.inf], [[1.0]]])
def test_impossible_times_are_refused(times):
    with pytest.raises(BadInput):
        chain_of(5, 3).activities(times)


@pytest.mark.parametrize("initial", [[1.0], [1.0, -1.0], [1.0, math.nan]])
def test_impossible_activities_are_refused(initial):
    with pytest.raises(BadInput):
        chain_of(5, 3).activities([1.0], initial)


def test_a_nuclide_outside_the_chain_is_refused():
    with pytest.raises(UnknownName, match="It holds Pb-212"):
        Chain.of(nuclide("Pb-212")).pure(1.0, "Y-90")
