"""The photon that was counted follows from the nuclide and the energy windows."""

import pytest

from hevesy.core import EnergyWindow
from hevesy.data.nuclides import nuclide
from hevesy.errors import ContradictoryInformation
from hevesy.stages.quantification.reconstruction.photons import (
    photon_counted,
    photon_lines_keV,
    photons_above,
    require_photon_of,
)


def window(*limits):
    return EnergyWindow((limits,))


@pytest.mark.parametrize(
    ("name", "windows", "photon"),
    [
        ("Tc-99m", [window(126, 154)], 140.5),
        ("Lu-177", [window(102, 124), window(187, 229)], 208.4),
        ("Lu-177", [window(102, 124)], 112.9),
        ("I-131", [window(328, 400), window(280, 328)], 364.5),
        ("In-111", [window(154, 188)], 171.3),
        ("I-123", [window(143, 175)], 159.0),
    ],
)
def test_the_strongest_photon_that_a_window_holds_is_the_one_counted(name, windows, photon):
    assert photon_counted(windows, nuclide(name)) == pytest.approx(photon, abs=0.2)


def test_a_window_that_holds_no_photon_of_the_nuclide_is_refused():
    with pytest.raises(ContradictoryInformation, match=r"Lu-177 \(208\.4, 113\.0"):
        photon_counted([window(126, 154)], nuclide("Lu-177"))


def test_a_photon_of_another_nuclide_is_refused_and_bremsstrahlung_is_not():
    with pytest.raises(ContradictoryInformation, match="no photon of 140"):
        require_photon_of(nuclide("I-131"), 140.5)
    require_photon_of(nuclide("Y-90"), 100.0)


def test_lines_are_listed_strongest_first():
    lines = photon_lines_keV(nuclide("In-111"))
    assert lines[:2] == pytest.approx((245.4, 171.3), abs=0.2)


def test_photons_that_can_be_counted_in_a_window_are_those_above_and_a_little_below_it():
    above = dict(photons_above(nuclide("Lu-177"), 187.0))
    assert sorted(above) == pytest.approx([208.4, 249.7, 321.3], abs=0.1)  # ICRP 107
