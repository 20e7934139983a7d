"""A fan that does not converge has parallel holes; one that does counts more and resolves a little better."""

import numpy as np
import pytest

from hevesy.data.collimators import collimator
from hevesy.errors import OutsideValidity
from hevesy.physics.collimation import geometric_efficiency, geometric_fwhm_mm
from hevesy.physics.fan_beam import fan_beam_efficiency, fan_beam_fwhm_mm

LEHR = collimator("Siemens Symbia LEHR")
PLACES = np.array([0.0, 50.0, 100.0, 200.0])


def test_a_focus_far_away_gives_parallel_holes():
    far = 1e9
    assert fan_beam_fwhm_mm(LEHR, 140.5, PLACES, far) == pytest.approx(geometric_fwhm_mm(LEHR, 140.5, PLACES), rel=1e-6)
    assert fan_beam_efficiency(LEHR, 140.5, PLACES, far) == pytest.approx(geometric_efficiency(LEHR, 140.5), rel=1e-6)


def test_half_way_to_the_focus_twice_as_much_is_counted():
    found = fan_beam_efficiency(LEHR, 140.5, 200.0, 400.0)
    assert found == pytest.approx(2 * geometric_efficiency(LEHR, 140.5))


def test_resolution_is_a_little_better_than_that_of_parallel_holes():
    ratio = fan_beam_fwhm_mm(LEHR, 140.5, 100.0, 400.0) / geometric_fwhm_mm(LEHR, 140.5, 100.0)
    # holes of some 23 mm effective length: 1 - 11.5/423
    assert ratio == pytest.approx(0.973, abs=0.002)


def test_what_lies_behind_the_focus_is_refused():
    with pytest.raises(OutsideValidity, match="focal line"):
        fan_beam_efficiency(LEHR, 140.5, 400.0, 400.0)
