"""A beta spectrum and the transitions it sums must tell one story."""

import math

import numpy as np
import pytest

from hevesy.core import EmissionKind
from hevesy.data import icrp107
from hevesy.physics.spectra import betas_per_decay, energy_per_decay_J, mean_energy_J, sampling_table

PURE = (
    "H-3 C-11 F-18 P-32 Sc-47 Cu-67 Ga-68 Sr-89 Y-90 Zr-89 I-124 I-131 Sm-153 Tb-161 Ho-166 Er-169 Lu-177 Re-188 Pb-212"
)


def spectra(names):
    for name in names:
        found = icrp107.load(name)
        for kind, spectrum in found.beta_spectra.items():
            stated = math.fsum(e.per_decay for e in found.emissions if e.kind is kind)
            yield f"{name} {kind.value}", spectrum, stated, found.energy_per_decay_J(kind)


@pytest.mark.parametrize("name", PURE.split())
def test_the_spline_has_the_yield_and_energy_of_the_transitions(name):
    # 0.1%: the tables have four digits and some 100 points
    for _, spectrum, stated, energy_J in spectra([name]):
        assert betas_per_decay(spectrum) == pytest.approx(stated, rel=1e-3)
        assert energy_per_decay_J(spectrum) == pytest.approx(energy_J, rel=1e-3)
        assert mean_energy_J(spectrum) == pytest.approx(energy_J / stated, rel=1e-3)


def test_both_signs_of_cu_64_keep_their_yield_and_energy_though_the_source_gives_their_sum():
    # 0.3%: the sum is split by the shape of allowed transitions
    found = list(spectra(["Cu-64"]))
    assert len(found) == 2
    for _, spectrum, stated, energy_J in found:
        assert betas_per_decay(spectrum) == pytest.approx(stated, rel=3e-3)
        assert mean_energy_J(spectrum) == pytest.approx(energy_J / stated, rel=3e-3)


def test_no_nuclide_s_beta_energy_is_off_by_more_than_two_per_cent():
    # the worst whose spectrum has one sign is N-16, whose 10 MeV spectrum has few points at its end
    energies = {}
    for label, spectrum, _, energy_J in spectra(icrp107.names()):
        total = energies.setdefault(label.split()[0], [0.0, 0.0])
        total[0] += energy_per_decay_J(spectrum)
        total[1] += energy_J
    off = {name: abs(got / stated - 1) for name, (got, stated) in energies.items() if abs(got / stated - 1) > 0.02}
    assert set(off) <= {"N-16"}
    assert len(energies) > 900


@pytest.mark.parametrize("name", ["F-18", "Y-90", "Lu-177", "Tc-99"])
def test_a_sampling_table_has_the_mean_of_its_spectrum(name):
    # 0.02%: 1024 points, joined by straight lines
    for _, spectrum, _, _ in spectra([name]):
        table = sampling_table(spectrum)
        assert (np.diff(table) >= 0).all()
        assert table[0] == 0
        assert table[-1] == pytest.approx(spectrum.energy_J[-1], rel=1e-6)
        assert np.mean((table[1:] + table[:-1]) / 2) == pytest.approx(mean_energy_J(spectrum), rel=2e-4)


def test_linear_interpolation_would_overstate_the_energy_of_lu_177():
    spectrum = icrp107.load("Lu-177").beta_spectra[EmissionKind.BETA_MINUS]
    linear = np.trapezoid(spectrum.density * spectrum.energy_J, spectrum.energy_J)
    assert linear / energy_per_decay_J(spectrum) > 1.002
