"""The tables in the package: whole, as their READMEs say, and refusing what they do not hold."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

import hevesy.data
from hevesy.data.elements import element, elements
from hevesy.data.materials import material, material_from_entry, materials
from hevesy.data.photons import form_factor, scattering_function
from hevesy.errors import BadConfiguration, BadInput, UnknownName

DATA = Path(hevesy.data.__file__).parent


@pytest.mark.parametrize(
    "path",
    ["photons/photons.npz", "elements/elements.json", "bremsstrahlung/bremsstrahlung.npz", "point_kernels/water.npz"],
)
def test_every_built_table_has_the_checksum_that_its_readme_states(path):
    digest = hashlib.sha256((DATA / path).read_bytes()).hexdigest()
    assert digest in (DATA / path).with_name("README.md").read_text(encoding="utf-8")


def test_shells_hold_every_electron():
    for entry in elements().values():
        assert entry.shell_electrons.sum() == pytest.approx(entry.atomic_number, abs=1e-4)


def test_form_factor_starts_and_scattering_function_ends_at_the_atomic_number():
    for number in (1, 8, 20, 53, 82):
        assert form_factor(number)[0] == pytest.approx(number, rel=1e-3)
        assert scattering_function(number)[-1] == pytest.approx(number, rel=1e-3)
        assert (np.diff(scattering_function(number)) >= 0).all()


def test_unknown_names_are_refused_with_what_exists():
    with pytest.raises(UnknownName, match="water"):
        material("vibranium")
    with pytest.raises(UnknownName):
        element("Xx")


def test_compositions_sum_to_one_and_know_their_elements():
    for medium in materials().values():
        assert sum(medium.mass_fractions.values()) == pytest.approx(1.0, abs=1e-12)
        assert all(element(symbol) for symbol in medium.mass_fractions)


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ({"name": "x", "mass_fractions": {"H": 1.0}}, BadConfiguration),
        ({"name": "x", "density_g_cm3": 1, "mass_fractions": 3}, BadConfiguration),
        ({"name": "x", "density_g_cm3": -1, "mass_fractions": {"H": 1.0}}, BadInput),
        ({"name": "x", "density_g_cm3": 1, "mass_fractions": {"H": 0.5}}, BadInput),
    ],
)
def test_a_bad_material_entry_is_refused(entry, fault):
    with pytest.raises(fault):
        material_from_entry(entry)
