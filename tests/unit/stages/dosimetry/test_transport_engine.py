import numpy as np
import pytest

from factories.transport import decays, layers, line
from hevesy.core import EmissionKind
from hevesy.data.nuclides import nuclide
from hevesy.stages.dosimetry import transport_engine
from hevesy.stages.dosimetry.engines import Source, engine


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(transport_engine, "HISTORIES", 32_000)


def source(name_or_nuclide, phantom=None, places=((4, 4, 4),)):
    phantom = phantom or layers()
    given = nuclide(name_or_nuclide) if isinstance(name_or_nuclide, str) else name_or_nuclide
    made = decays(phantom, given, places)[0]
    return Source(made.tia, phantom.density, made.nuclides)


def test_the_registry_knows_it_and_its_dose_is_near_that_of_local_deposition_for_a_short_range():
    given = source(line(30.0, EmissionKind.CONVERSION_ELECTRON))
    answers = [engine(name)(given) for name in ("mc", "local")]
    here = [answer.dose.values[4, 4, 4] for answer in answers]
    # 30 keV electrons reach 0.02 mm; a voxel is 10 mm wide
    assert here[0] == pytest.approx(here[1], rel=5e-3)
    assert "32,000 histories" in answers[0].method
    assert answers[0].u_relative == 0.01


def test_activity_outside_the_body_is_left_out_and_said_so():
    given = source("Lu-177", places=((4, 4, 4), (0, 0, 0)))
    density = given.density.values.copy()
    density[0] = 0.0
    answer = engine("mc")(Source(given.tia, given.density.with_values(density), given.nuclides))
    assert any("outside the body (50.0%" in limit for limit in answer.limits)
    assert not answer.dose.values[0].any()


def test_alphas_are_in_the_dose_of_a_chain():
    with_alphas = engine("mc")(source("At-211")).dose.values[4, 4, 4]
    alpha = nuclide("At-211").energy_per_decay_J(EmissionKind.ALPHA)
    mass = 1e-3 * 1.06
    assert with_alphas > 0.95 * 1e6 * alpha / mass
    assert np.isfinite(with_alphas)
