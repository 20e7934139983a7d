"""Opposite views lie upon each other, and an organ's activity comes out of them over a uniform background."""

import math
from datetime import datetime

import numpy as np
import pytest

from hevesy.core import Measured, PlanarView, Timing
from hevesy.errors import BadInput, GridMismatch, MissingInformation
from hevesy.stages.quantification.conjugate_pair import ConjugatePair, background_share
from hevesy.stages.quantification.planar import Path, conjugate_view, without_background

MU, BODY_MM, ORGAN_MM, FRONT_MM = 0.0135, 220.0, 50.0, 60.0
CALIBRATION = Measured(1e-5, 0.0, "1/s/Bq")
SECONDS = 600.0
TIMING = Timing(datetime(2024, 3, 5, 10), SECONDS)
ORGAN_BQ, BACKGROUND_BQ_MM = 5e7, 60.0  # in the organ; per pixel and mm of body that is not organ


def through(first_mm, last_mm, to_surface):
    """∫ exp(-μ s) ds over a stretch of depth, seen from the front, or from behind."""
    near, far = (first_mm, last_mm) if to_surface == "anterior" else (BODY_MM - last_mm, BODY_MM - first_mm)
    return (math.exp(-MU * near) - math.exp(-MU * far)) / MU


def view(side):
    """An organ at the patient's right in a uniform body, as the camera shows it, by closed line integrals."""
    organ = np.zeros((40, 60), bool)
    organ[10:20, 5:15] = True
    back = FRONT_MM + ORGAN_MM
    beside = BACKGROUND_BQ_MM * through(0, BODY_MM, side)
    over = BACKGROUND_BQ_MM * (through(0, FRONT_MM, side) + through(back, BODY_MM, side))
    over += ORGAN_BQ / organ.sum() / ORGAN_MM * through(FRONT_MM, back, side)
    counts = np.where(organ, over, beside) * CALIBRATION.value * SECONDS
    return PlanarView(counts if side == "anterior" else counts[:, ::-1], (4.0, 4.0), view=side, timing=TIMING), organ


def test_an_organ_in_a_warm_body_is_recovered():
    (front, organ), (behind, _) = view("anterior"), view("posterior")
    pair = ConjugatePair.of([behind, front])
    beside = np.zeros_like(organ)
    beside[25:35, 5:25] = True
    path = Path(Measured(math.exp(-MU * BODY_MM)), ORGAN_MM, BODY_MM, MU)
    area = (int(organ.sum()), int(beside.sum()))
    net = [
        without_background(mine, other, area, path)
        for mine, other in zip(pair.rates(organ), pair.rates(beside), strict=True)
    ]
    found = conjugate_view(net[0], net[1], path, CALIBRATION)
    # the share 1 - d/L takes the organ's stretch as mean background; this organ lies off the middle
    assert found.value == pytest.approx(ORGAN_BQ, rel=0.02)
    bare = conjugate_view(*pair.rates(organ), path, CALIBRATION)
    assert bare.value > 1.02 * found.value


def test_a_uniform_background_is_taken_off_exactly_where_the_depth_is_known():
    (front, organ), (behind, _) = view("anterior"), view("posterior")
    pair = ConjugatePair.of([behind, front])
    beside = np.zeros_like(organ)
    beside[25:35, 5:25] = True
    back = FRONT_MM + ORGAN_MM
    depths = ((FRONT_MM, back), (BODY_MM - back, BODY_MM - FRONT_MM))
    area = organ.sum() / beside.sum()
    front_net, back_net = (
        mine - other * float(area * background_share(MU, BODY_MM, depth))
        for mine, other, depth in zip(pair.rates(organ), pair.rates(beside), depths, strict=True)
    )
    path = Path(Measured(math.exp(-MU * BODY_MM)), ORGAN_MM, BODY_MM, MU)
    assert conjugate_view(front_net, back_net, path, CALIBRATION).value == pytest.approx(ORGAN_BQ, rel=1e-9)


def test_the_share_of_the_background_is_that_of_the_thickness_in_a_transparent_body():
    assert background_share(0.0, 200.0, (30.0, 80.0)) == 0.75
    assert background_share(1e-9, 200.0, (30.0, 80.0)) == pytest.approx(0.75, abs=1e-6)
    assert background_share(MU, 200.0, (0.0, 200.0)) == pytest.approx(0.0, abs=1e-15)
    with pytest.raises(BadInput, match="within a body"):
        background_share(MU, 200.0, (150.0, 250.0))


def test_the_posterior_view_is_mirrored_onto_the_anterior():
    pair = ConjugatePair.of([view("anterior")[0], view("posterior")[0]])
    hot = pair.geometric_mean() > 1.1 * np.median(pair.geometric_mean())
    np.testing.assert_array_equal(hot, view("anterior")[1])


def test_the_uncertainty_of_a_rate_is_that_of_counting():
    flat = PlanarView(np.full((10, 10), 4.0), (4.0, 4.0), view="anterior", timing=TIMING)
    pair = ConjugatePair(flat, flat)
    assert pair.rates(np.ones((10, 10), bool))[0].u_relative == pytest.approx(1 / 20)


def test_pairs_that_are_none_are_refused():
    front, behind = view("anterior")[0], view("posterior")[0]
    with pytest.raises(MissingInformation, match="no posterior view"):
        ConjugatePair.of([front])
    with pytest.raises(MissingInformation, match="unnamed"):
        ConjugatePair.of([PlanarView(front.counts, (4.0, 4.0), timing=TIMING)] * 2)
    with pytest.raises(BadInput, match="2 anterior"):
        ConjugatePair.of([front, front, behind])
    with pytest.raises(GridMismatch, match="one matrix and zoom"):
        ConjugatePair(front, PlanarView(behind.counts, (2.0, 2.0), timing=TIMING))
    with pytest.raises(MissingInformation, match="how long"):
        ConjugatePair(front, PlanarView(behind.counts, (4.0, 4.0)))


def test_regions_that_do_not_fit_are_refused():
    pair = ConjugatePair.of([view("anterior")[0], view("posterior")[0]])
    with pytest.raises(GridMismatch, match="does not fit"):
        pair.rates(np.ones((5, 5), bool))
    with pytest.raises(BadInput, match="no pixel"):
        pair.rates(np.zeros((40, 60), bool))
