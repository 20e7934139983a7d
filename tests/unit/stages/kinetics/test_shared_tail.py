from __future__ import annotations

import math

import numpy as np
import pytest

from hevesy.core import Curve
from hevesy.errors import BadInput
from hevesy.stages.kinetics import fit_curve, fit_shared_tail

HOUR = 3600.0
PHYSICAL = math.log(2) / (6.647 * 24 * HOUR)
SLOW = PHYSICAL + math.log(2) / (120 * HOUR)
TIMES = np.array([2, 8, 24, 48, 80]) * HOUR


def lesion(share, fast_h, size, noise=None, name="lesion"):
    fast = PHYSICAL + math.log(2) / (fast_h * HOUR)
    values = size * (share * np.exp(-fast * TIMES) + (1 - share) * np.exp(-SLOW * TIMES))
    seen = values if noise is None else values * (1 + 0.05 * noise.standard_normal(TIMES.size))
    return Curve.at_instants(TIMES, seen, 0.05 * values, name), size * (share / fast + (1 - share) / SLOW)


def test_noise_free_curves_return_their_common_rate_and_their_own_integrals():
    made = [lesion(0.4, 8, 1e8), lesion(0.6, 12, 3e7), lesion(0.2, 5, 5e6)]
    fits = fit_shared_tail([curve for curve, _ in made], PHYSICAL, "bi")
    for fit, (_, truth) in zip(fits, made, strict=True):
        assert fit.tia.value == pytest.approx(truth, rel=1e-4)
        assert fit.effective_half_life.value == pytest.approx(math.log(2) / SLOW, rel=1e-4)


def test_sharing_the_tail_lessens_the_scatter_of_the_integrals_and_the_interval_still_covers():
    random = np.random.default_rng(3)
    alone, shared, inside, count = [], [], 0, 60
    for _ in range(count):
        made = [lesion(0.5, 10, 1e8, random) for _ in range(4)]
        fits = fit_shared_tail([curve for curve, _ in made], PHYSICAL, "bi")
        alone.append(fit_curve(made[0][0], PHYSICAL, "bi").tia.value / made[0][1] - 1)
        shared.append(fits[0].tia.value / made[0][1] - 1)
        inside += fits[0].interval95[0] <= made[0][1] <= fits[0].interval95[1]
    assert np.std(shared) < 0.8 * np.std(alone)
    # three standard deviations of a binomial of 60
    assert inside / count > 0.95 - 0.085


def test_the_tail_is_one_cause_in_all_fits():
    fits = fit_shared_tail([lesion(0.4, 8, 1e8)[0], lesion(0.6, 12, 3e7)[0]], PHYSICAL, "bi")
    assert fits[0].tia.components["shared tail"] > 0
    assert fits[0].tia.covariance(fits[1].tia) > 0


@pytest.mark.parametrize(("count", "model"), [(1, "bi"), (2, "bi-physical")])
def test_one_curve_or_a_tail_that_is_given_cannot_be_shared(count, model):
    with pytest.raises(BadInput, match="two or more curves"):
        fit_shared_tail([lesion(0.4, 8, 1e8)[0]] * count, PHYSICAL, model)
