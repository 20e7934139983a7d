"""Which daughters decay with which image."""

import pytest

from hevesy.data.nuclides import nuclide
from hevesy.errors import UnknownNuclide
from hevesy.workflows.chain import chain
from hevesy.workflows.daughters import parted


def named(shares):
    return {member.name: round(share, 3) for member, share in shares}


def test_without_images_all_daughters_decay_with_the_parent():
    parent = nuclide("Ac-225")
    assert [named(shares) for shares in parted(parent, [])] == [named(chain(parent))]


def test_a_daughter_takes_its_own_daughters_along():
    lead, bismuth = parted(nuclide("Pb-212"), ["Bi-212"])
    assert named(lead) == {"Pb-212": 1.0}
    assert named(bismuth) == {"Bi-212": 1.0, "Po-212": 0.641, "Tl-208": 0.359}


def test_a_daughter_that_outlives_another_stays_with_the_parent():
    actinium, francium = parted(nuclide("Ac-225"), ["Fr-221"])
    assert named(francium) == {"Fr-221": 1.0, "At-217": 1.0}
    assert named(actinium) == {"Ac-225": 1.0, "Bi-213": 1.0, "Po-213": 0.979, "Tl-209": 0.021, "Pb-209": 1.0}


@pytest.mark.parametrize("apart", [["Bi-212"], ["Tl-208"], ["Tl-208", "Bi-212"], ["Po-212", "Bi-212", "Tl-208"]])
def test_every_decay_is_counted_once(apart):
    groups = parted(nuclide("Pb-212"), apart)
    whole = named(chain(nuclide("Pb-212")))
    # each image that follows the parent's by its branching gives the chain of decay in place
    total = {}
    for head, shares in zip(["Pb-212", *apart], groups, strict=True):
        for name, share in named(shares).items():
            total[name] = total.get(name, 0.0) + whole[head] * share
    assert total == pytest.approx(whole, abs=2e-3)


@pytest.mark.parametrize("apart", [["Lu-177"], ["Pb-212"], ["Bi-212", "Bi-212"]])
def test_what_is_no_daughter_is_refused(apart):
    with pytest.raises(UnknownNuclide, match="no daughter of Pb-212"):
        parted(nuclide("Pb-212"), apart)
