"""Activities of chains by radioactivedecay 0.6.1 (Malins and Lemoine, J. Open Source Softw. 7:3318, 2022)."""

import re
from pathlib import Path

import pytest

from hevesy.data.nuclides import nuclide
from hevesy.physics.decay import Chain

TABLE = Path(__file__).parents[4] / "shared/reference/decay/radioactivedecay_0.6.1_values.txt"

#: parent → daughter, hours, activities per becquerel of parent at the start, ten digits
PRINTED = [
    ("Mo-99", "Tc-99m", 24, 0.7770249113, 0.6893547264),
    ("Ge-68", "Ga-68", 4, 0.9995737224, 0.9140303924),
    ("Sr-82", "Rb-82", 0.1, 0.9998861219, 0.9617987947),
    ("W-188", "Re-188", 48, 0.9803293982, 0.8476059036),
    ("Ac-225", "Bi-213", 5, 0.9856631986, 0.9772675824),
    ("Ra-223", "Pb-211", 24, 0.9411593638, 0.9432319322),
    ("Th-228", "Pb-212", 240, 0.9901214431, 0.8238062521),
    ("Pb-212", "Bi-212", 4, 0.7706032365, 0.7805407678),
]

#: Ac-225 after 10 d, in extended precision, twelve digits
ACTINIUM = {
    "Ac-225": 0.5,
    "At-217": 0.500170215502,
    "Bi-213": 0.501698558777,
    "Fr-221": 0.500170196803,
    "Pb-209": 0.508593696294,
    "Po-213": 0.491213058901,
    "Tl-209": 0.0104870736678,
}


@pytest.mark.parametrize(("parent", "daughter", "hours", "of_parent", "of_daughter"), PRINTED)
def test_generators_and_chains_grow_in_as_published(parent, daughter, hours, of_parent, of_daughter):
    chain = Chain.of(nuclide(parent))
    activities = dict(zip(chain.names, chain.activities([hours * 3600.0])[:, 0], strict=True))
    assert activities[parent] == pytest.approx(of_parent, abs=6e-11)  # half a unit of the last digit
    assert activities[daughter] == pytest.approx(of_daughter, abs=6e-11)


def test_the_whole_chain_of_ac_225_has_its_published_activities():
    chain = Chain.of(nuclide("Ac-225"))
    activities = dict(zip(chain.names, chain.activities([864000.0])[:, 0], strict=True))
    assert activities == pytest.approx(ACTINIUM, abs=6e-13)


@pytest.mark.skipif(not TABLE.is_file(), reason="the shared reference data are not there")
def test_every_tabulated_activity_is_reproduced():
    compared = 0
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"(\S+)->(\S+):", line):
            chain, daughter = Chain.of(nuclide(heading[1])), heading[2]
        elif row := re.match(r"\s+t=(\S+) h\s+A_par (\S+)\s+A_dau (\S+)", line):
            activities = dict(zip(chain.names, chain.activities([float(row[1]) * 3600])[:, 0], strict=True))
            assert activities[chain.names[0]] == pytest.approx(float(row[2]), abs=6e-11)
            assert activities[daughter] == pytest.approx(float(row[3]), abs=6e-11)
            compared += 1
    assert compared > 20


@pytest.mark.skipif(not TABLE.is_file(), reason="the shared reference data are not there")
def test_every_tabulated_half_life_is_reproduced():
    stated = re.findall(r"(\S+) T1/2 (\S+) s;", TABLE.read_text(encoding="utf-8"))
    assert len(stated) > 25
    for name, half_life_s in stated:
        assert nuclide(name).half_life.value == pytest.approx(float(half_life_s), rel=1e-9)
