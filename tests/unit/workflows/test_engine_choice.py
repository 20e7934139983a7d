import pytest

from hevesy.stages.dosimetry.engines import ENGINES, HISTORIES
from hevesy.workflows.engine_choice import ENGINE_FACTS, EngineFacts

CUBE = (128, 128, 128)


def facts(start_s, per_voxel_s, per_history_s=0.0):
    return EngineFacts("x", "", "", "", "", start_s, per_voxel_s, per_history_s)


def test_every_engine_is_told_of():
    assert {one.name for one in ENGINE_FACTS} == set(ENGINES)


def test_an_estimate_is_its_start_its_voxels_and_its_histories():
    assert facts(2.0, 0.5, 0.25).seconds((2, 3, 4), 8) == 2.0 + 12.0 + 2.0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "under 1 s"), (1.0, "about 1 s"), (2.1, "about 3 s"), (119, "about 119 s"), (121, "about 3 min")],
)
def test_an_estimate_is_said_in_words_and_rounded_up(seconds, words):
    assert facts(seconds, 0.0).estimated(CUBE, 0) == words


def test_estimates_grow_with_the_grid_and_those_of_monte_carlo_with_its_histories():
    for one in ENGINE_FACTS:
        assert one.seconds((256, 256, 256), HISTORIES) > one.seconds(CUBE, HISTORIES)
        assert (one.seconds(CUBE, 2 * HISTORIES) > one.seconds(CUBE, HISTORIES)) == (one.name == "mc")
