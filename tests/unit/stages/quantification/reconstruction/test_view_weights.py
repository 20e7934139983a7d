"""Views counted late and views counted fast are brought to what a steady source and a quick camera would have shown."""

import numpy as np
import pytest

from hevesy.core import Projections
from hevesy.errors import MissingInformation, OutsideValidity
from hevesy.stages.quantification.dead_time import observed_rate
from hevesy.stages.quantification.reconstruction.view_weights import dead_time_weights, decay_weights

RATE = np.log(2) / 6588.0  # F-18's half-life of 110 min makes decay plain


def projections(counts, **facts):
    shaped = np.broadcast_to(np.reshape(counts, (-1, 1, 1)), (len(counts), 2, 3))
    return Projections(shaped, np.arange(len(counts)) * 10.0, (4.0, 4.0), **facts)


def test_two_heads_that_count_a_decaying_source_at_the_same_time_show_its_mean():
    starts = np.tile(np.arange(6) * 60.0, 2)
    counts = (np.exp(-RATE * starts) - np.exp(-RATE * (starts + 60))) / RATE  # ∫ exp(−λt) dt of each view
    made = projections(counts, detectors=np.repeat([1, 2], 6), durations_s=np.full(12, 60.0))
    steady = counts * decay_weights(made, RATE)
    np.testing.assert_allclose(steady, -np.expm1(-RATE * 360) / RATE / 6, rtol=1e-12)


def test_what_does_not_decay_is_not_weighted():
    np.testing.assert_allclose(decay_weights(projections([1.0, 2.0], durations_s=np.ones(2)), 0.0), 1)


@pytest.mark.parametrize("behaviour", ["paralysable", "non-paralysable"])
def test_counts_lost_in_all_windows_together_are_brought_back(behaviour):
    true = np.array([2e4, 5e4, 9e4])
    shown = np.array([observed_rate(rate, 2e-6, behaviour) for rate in true])
    # 10 s views of 6 bins: 30% of the counts lie in the second window
    windows = [projections(shown * 10 / 6 * share, durations_s=np.full(3, 10.0)) for share in (0.7, 0.3)]
    np.testing.assert_allclose(dead_time_weights(windows, 2e-6, behaviour), true / shown, rtol=1e-9)


def test_a_rate_that_the_camera_cannot_show_is_refused():
    with pytest.raises(OutsideValidity, match="cannot show"):
        dead_time_weights([projections([1e6], durations_s=np.ones(1))], 1e-6, "paralysable")


def test_views_without_length_are_refused():
    with pytest.raises(MissingInformation, match="length of the views"):
        decay_weights(projections([1.0]), RATE)
