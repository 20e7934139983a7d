"""Half-lives and branching as ICRP Publication 107 (Ann. ICRP 38 (3), 2008) states them, Table A.1."""

import pytest

from hevesy.data.nuclides import nuclide

HALF_LIVES = [
    ("F-18", 109.77 * 60),
    ("Ga-68", 67.71 * 60),
    ("Y-90", 64.10 * 3600),
    ("Tc-99m", 6.015 * 3600),
    ("I-131", 8.02070 * 86400),
    ("Sm-153", 46.50 * 3600),
    ("Lu-177", 6.647 * 86400),
    ("Ra-223", 11.43 * 86400),
    ("Ac-225", 10.0 * 86400),
]
BRANCHING = [
    ("Mo-99", {"Tc-99m": 0.8773, "Tc-99": 0.1227}),
    ("Ge-68", {"Ga-68": 1.0}),
    ("W-188", {"Re-188": 1.0}),
    ("Lu-177m", {"Lu-177": 0.217, "Hf-177": 0.783}),
    ("Pb-212", {"Bi-212": 1.0}),
    ("Bi-212", {"Po-212": 0.6406, "Tl-208": 0.3594}),
    ("Bi-213", {"Po-213": 0.9791, "Tl-209": 0.0209}),
    ("Ra-223", {"Rn-219": 1.0}),
    ("Ac-225", {"Fr-221": 1.0}),
]


@pytest.mark.parametrize(("name", "half_life_s"), HALF_LIVES)
def test_half_life_is_that_of_the_publication(name, half_life_s):
    assert nuclide(name).half_life.value == pytest.approx(half_life_s, rel=1e-12)


@pytest.mark.parametrize(("name", "daughters"), BRANCHING)
def test_daughters_have_the_published_branching(name, daughters):
    assert {d.name: d.branching for d in nuclide(name).daughters} == pytest.approx(daughters, rel=1e-12)
