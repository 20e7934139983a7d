"""ICRP 107 nuclide by nuclide, as packaged by icrp107-database, against the project's own file."""

import json
import math
from pathlib import Path

import pytest

from hevesy.core import EmissionKind
from hevesy.data.icrp107 import JOULE_PER_MEV, SECONDS, load

FOLDER = Path(__file__).parents[4] / "shared/reference/decay"
KINDS = {
    "alpha": EmissionKind.ALPHA,
    "alpha recoil": EmissionKind.ALPHA_RECOIL,
    "beta-": EmissionKind.BETA_MINUS,
    "beta+": EmissionKind.BETA_PLUS,
    "IE": EmissionKind.CONVERSION_ELECTRON,
    "auger": EmissionKind.AUGER_ELECTRON,
    "gamma": EmissionKind.GAMMA,
    "X": EmissionKind.X_RAY,
    "annihilation": EmissionKind.ANNIHILATION,
}

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the shared reference data are not there")


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*-*[0-9m].json")), ids=lambda path: path.stem)
def test_half_life_and_energy_by_kind_are_those_of_the_publication(path):
    stated = json.loads(json.loads(path.read_text(encoding="utf-8")))
    found = load(stated["name"])
    assert found.half_life.value == pytest.approx(stated["half_life"] * SECONDS[stated["time_unit"]], rel=1e-12)
    for key, kind in KINDS.items():
        energy_MeV = math.fsum(energy * per_decay for energy, per_decay in stated["emissions"][key])
        assert found.energy_per_decay_J(kind) / JOULE_PER_MEV == pytest.approx(energy_MeV, rel=1e-12), key
