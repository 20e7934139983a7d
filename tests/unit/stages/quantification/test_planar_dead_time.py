"""What a camera misses is put back: in a static view, and along a sweep that is simulated moment by moment."""

import math

import numpy as np
import pytest

from hevesy.core import Measured
from hevesy.errors import BadInput, OutsideValidity
from hevesy.stages.quantification.dead_time import observed_rate
from hevesy.stages.quantification.planar_dead_time import DeadTime, Sweep, line_gains

TAU = 4e-6
KINDS = ("paralysable", "non-paralysable")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("true_per_s", [1e2, 2e4, 6e4])
def test_a_static_view_gets_back_its_true_rate(kind, true_per_s):
    share = np.array([0.1, 0.6, 0.3])
    shown = observed_rate(true_per_s, TAU, kind) * 300.0 * share
    gains, u = line_gains(shown, DeadTime(Measured(TAU, 0.05 * TAU, "s"), kind), 300.0, None, 4.0)
    np.testing.assert_allclose(shown * gains, true_per_s * 300.0 * share, rtol=1e-9)
    # d ln(gain)/d ln τ is nτ to first order
    assert u[0] / gains[0] == pytest.approx(0.05 * true_per_s * TAU, rel=0.5)


def swept(true_lines, kind, speed, field_mm, line_mm):
    """What every line counts when each moment's rate is that of the lines in the field."""
    lines = round(field_mm / line_mm)
    moments = np.convolve(true_lines, np.ones(lines)) / (lines * line_mm / speed)
    kept = np.array([observed_rate(rate, TAU, kind) / rate if rate else 1.0 for rate in moments])
    return true_lines * np.convolve(kept, np.ones(lines) / lines, mode="valid")


@pytest.mark.parametrize("kind", KINDS)
def test_a_sweep_over_a_hot_trunk_gets_back_its_lines(kind):
    z = np.arange(450) * 4.4
    body = 9e3 + 1.35e5 * np.exp(-(((z - 600) / 120) ** 2)) + 4.5e4 * np.exp(-(((z - 850) / 60) ** 2))
    shown = swept(body, kind, 2.0, 390.0, 4.4)
    lost = 1 - shown.sum() / body.sum()
    assert lost > 0.05
    gains, _ = line_gains(shown, DeadTime(Measured(TAU, 0.0, "s"), kind), 1000.0, Sweep(2.0, 390.0), 4.4)
    # the rate of a moment is told by counts of other moments too: a twentieth of what was lost is left
    assert (shown * gains).sum() == pytest.approx(body.sum(), rel=0.05 * lost)
    assert np.abs(shown * gains / body - 1).max() < 0.2 * lost
    whole, _ = line_gains(shown, DeadTime(Measured(TAU, 0.0, "s"), kind), 1000.0, None, 4.4)
    assert (shown * whole).sum() < (1 - 0.2 * lost) * body.sum()  # a mean rate tells too little


def test_no_counts_are_left_alone():
    gains, u = line_gains(np.zeros(5), DeadTime(Measured(TAU, 0.0, "s"), "paralysable"), 10.0, Sweep(1.0, 20.0), 4.0)
    assert gains.tolist() == [1.0] * 5
    assert u.tolist() == [0.0] * 5


def test_a_rate_that_the_camera_cannot_show_is_refused():
    with pytest.raises(OutsideValidity, match="cannot show"):
        line_gains(np.array([2e6]), DeadTime(Measured(TAU, 0.0, "s"), "paralysable"), 10.0, None, 4.0)
    assert 1 / (math.e * TAU) < 2e5


def test_a_sweep_without_speed_is_refused():
    with pytest.raises(BadInput, match="needs a speed"):
        Sweep(0.0, 400.0)
