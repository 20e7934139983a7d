"""Photon tables for kernels: they say what the laws say, and what they sample from is a distribution."""

import numpy as np
import pytest

from hevesy.data.materials import material
from hevesy.errors import BadInput, UnknownName
from hevesy.physics.attenuation import mass_attenuation_cm2_g, shell_probabilities
from hevesy.physics.photon_tables import photon_tables

MEDIA = tuple(material(name) for name in ("water", "cortical bone", "air", "lead"))


@pytest.fixture(scope="module")
def tables():
    return photon_tables(MEDIA)


def test_tables_interpolate_to_the_law_away_from_edges(tables):
    energy = np.array([0.0123, 0.0417, 0.1402, 0.511, 1.25, 6.7])
    place = (np.log(energy) - tables.log_energy_first) / tables.log_energy_step
    for i, medium in enumerate(MEDIA):
        found = np.interp(place, np.arange(tables.total_cm2_g.shape[1]), tables.total_cm2_g[i])
        np.testing.assert_allclose(found, mass_attenuation_cm2_g(medium, energy), rtol=2e-4)


def test_processes_sum_to_the_total(tables):
    parts = ("photoelectric", "incoherent", "coherent", "pair", "triplet")
    total = sum(getattr(tables, f"{part}_cm2_g") for part in parts)
    np.testing.assert_allclose(total, tables.total_cm2_g, rtol=1e-12)


def test_pairs_need_two_rest_energies(tables):
    energy = tables.energy_MeV
    assert not tables.pair_cm2_g[:, energy < 1.022].any()
    assert (tables.pair_cm2_g[:, energy > 1.05] > 0).all()
    assert not tables.triplet_cm2_g[:, energy < 2.044].any()


def test_no_more_energy_is_transferred_than_interacts(tables):
    assert (tables.energy_transfer_cm2_g < tables.total_cm2_g).all()


def test_what_is_sampled_from_rises_to_one(tables):
    for cumulative in (tables.coherent_cumulative, tables.line_cumulative):
        assert (np.diff(cumulative, axis=-1) >= 0).all()
        assert cumulative[..., -1] == pytest.approx(1)
    assert (np.diff(tables.shell_cumulative, axis=1) >= 0).all()
    assert tables.shell_cumulative.max() <= 1
    assert (np.diff(tables.scattering_per_electron, axis=1) >= 0).all()
    assert tables.scattering_per_electron[:, -1] == pytest.approx(1, rel=1e-3)


def test_a_shell_is_emptied_only_above_its_edge():
    below, above = shell_probabilities("Pb", [0.087, 0.089]).T
    assert below[0] == 0
    # K share at the edge is 1 − 1/jump, with the jump of NIST's lead values 7.683/1.910 in attenuation
    assert above[0] == pytest.approx(1 - 1.91 / 7.683, abs=0.05)


def test_energies_outside_the_tables_and_unknown_processes_are_refused():
    with pytest.raises(BadInput, match="10 MeV"):
        mass_attenuation_cm2_g(MEDIA[0], 20.0)
    with pytest.raises(UnknownName, match="incoherent"):
        mass_attenuation_cm2_g(MEDIA[0], 1.0, "compton")
