import math
import re

import pytest

from hevesy.core import EmissionKind
from hevesy.data.nuclides import canonical, nuclide, read_half_lives
from hevesy.errors import BadConfiguration, MissingInformation, UnknownNuclide, UnreadableFile

THERANOSTIC = re.findall(
    r"\S+",
    """
H-3 C-11 N-13 O-15 F-18 P-32 Sc-44 Sc-47 Cu-64 Cu-67 Ga-67 Ga-68 Ge-68 Rb-82 Sr-82 Y-86 Sr-89 Y-90 Sr-90 Zr-89 Mo-99
Tc-99m Tc-99 In-111 I-123 I-124 I-125 I-131 Xe-133 Sm-153 Tb-149 Tb-152 Tb-155 Tb-161 Ho-166 Er-169 Lu-177 Lu-177m
W-188 Re-186 Re-188 Tl-201 At-211 Bi-212 Bi-213 Pb-212 Ra-223 Ra-224 Ac-225 Th-227
""",
)


@pytest.mark.parametrize("name", THERANOSTIC)
def test_every_theranostic_nuclide_decays_and_emits(name):
    found = nuclide(name)
    assert found.name == name
    assert found.half_life.u == 0, "ICRP 107 states no uncertainty"
    assert sum(d.branching for d in found.daughters) == pytest.approx(1, abs=1e-4)
    assert found.energy_per_decay_J() > 0
    assert set(found.beta_spectra) == {e.kind for e in found.emissions if e.kind.value.startswith("beta")}


@pytest.mark.parametrize(
    "spelling",
    ["Lu-177", "Lu177", "lu-177", "LU 177", "177Lu", "177-Lu", "¹⁷⁷Lu", "[177Lu]", "^177^Lutetium", "Lutetium-177"],
)
def test_usual_spellings_of_one_nuclide_are_understood(spelling):
    assert canonical(spelling) == "Lu-177"


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("99mTc", "Tc-99m"),
        ("TC-99M", "Tc-99m"),
        ("⁹⁹ᵐTc", "Tc-99m"),
        ("^99m^Technetium", "Tc-99m"),
        ("99Mo", "Mo-99"),
        ("52Mn", "Mn-52"),
        ("52mMn", "Mn-52m"),
        ("^18^Fluorine", "F-18"),
        ("223Ra", "Ra-223"),
    ],
)
def test_metastable_states_and_elements_that_begin_with_m_are_told_apart(spelling, name):
    assert canonical(spelling) == name


@pytest.mark.parametrize(("wrong", "nearest"), [("Lx-177", "Lu-177"), ("Lu-777", "Lu-177"), ("F-81", "F-18")])
def test_an_unknown_nuclide_is_refused_with_the_nearest_names(wrong, nearest):
    with pytest.raises(UnknownNuclide, match=nearest):
        nuclide(wrong)


@pytest.mark.parametrize("wrong", ["", "Lu", "177", "banana", "Lu--", "FDG"])
def test_what_names_no_nuclide_is_refused(wrong):
    with pytest.raises(UnknownNuclide, match=r"no radionuclide .* (Write element and mass number|Nearest)"):
        nuclide(wrong)


def test_a_stable_nuclide_is_refused_as_stable():
    with pytest.raises(UnknownNuclide, match="Hf-177 is stable"):
        nuclide("Hf-177")


def test_each_daughter_of_each_theranostic_nuclide_is_known_or_stable():
    from hevesy.data import icrp107

    waiting, seen = list(THERANOSTIC), set()
    while waiting:
        name = waiting.pop()
        seen.add(name)
        for daughter in nuclide(name).daughters:
            assert (daughter.name in icrp107.names()) != (daughter.name in icrp107.stable_names())
            if daughter.name in icrp107.names() and daughter.name not in seen:
                waiting.append(daughter.name)
    assert len(seen) > len(THERANOSTIC)


def half_lives(tmp_path, text):
    path = tmp_path / "half-lives.yaml"
    path.write_text(text, encoding="utf-8")
    return read_half_lives(path)


def test_a_half_life_of_the_users_replaces_that_of_icrp_107_with_its_source(tmp_path):
    overrides = half_lives(tmp_path, "177Lu: {half_life: 6.6443 d, u: 0.0013 d, source: a named evaluation}")
    found = nuclide("Lu-177", overrides)
    assert found.half_life.value == pytest.approx(6.6443 * 86400)
    assert found.half_life.u == pytest.approx(0.0013 * 86400)
    assert found.decay_constant.u_relative == pytest.approx(0.0013 / 6.6443)
    assert "a named evaluation" in found.source
    assert found.emissions == nuclide("Lu-177").emissions
    assert nuclide("Y-90", overrides) is nuclide("Y-90")


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("Lu-177: {half_live: 6.6 d, u: 0.1 d, source: x}", BadConfiguration, "Did you mean 'half_life'"),
        ("Lu-177: {half_life: 6.6 d, source: x}", MissingInformation, "'u' is missing"),
        ("Lu-177: {half_life: 6.6 d, u: 0.1 d, source: ''}", MissingInformation, "'source' is missing"),
        ("Lu-177: {half_life: 6.6 h, u: 0.1 h, source: x}", BadConfiguration, "ICRP 107 has 574301 s"),
        ("Lu-177: {half_life: 6.6, u: 0.1 d, source: x}", BadConfiguration, "is no positive time"),
        ("Lu-177: {half_life: 6.6 weeks, u: 0.1 d, source: x}", BadConfiguration, "s, min, h, d, y"),
        ("Lu-177: {half_life: 6.6 d, u: 6 d, source: x}", BadConfiguration, "no standard uncertainty"),
        ("Lu-177: 6.6 d", BadConfiguration, "expected half_life, u and source"),
        ("Lx-177: {half_life: 6.6 d, u: 0.1 d, source: x}", UnknownNuclide, "Lu-177"),
        ("- Lu-177", BadConfiguration, "must map nuclides"),
        ("Lu-177: {half_life: 6.6 d", UnreadableFile, "cannot be read as YAML"),
        (
            "{Lu-177: {half_life: 6.6 d, u: 0.1 d, source: x}, lu177: {half_life: 6.7 d, u: 0.1 d, source: x}}",
            BadConfiguration,
            "gives Lu-177 twice",
        ),
    ],
)
def test_a_wrong_file_of_half_lives_is_refused_in_one_line(tmp_path, text, error, message):
    with pytest.raises(error, match=message) as refusal:
        half_lives(tmp_path, text)
    assert "\n" not in str(refusal.value)


def test_a_missing_file_of_half_lives_is_refused(tmp_path):
    with pytest.raises(UnreadableFile, match="absent"):
        read_half_lives(tmp_path / "absent.yaml")


def test_annihilation_photons_are_two_for_each_positron():
    for name in ("F-18", "Ga-68", "Cu-64", "Rb-82"):
        found = nuclide(name)
        positrons = math.fsum(e.per_decay for e in found.emissions if e.kind is EmissionKind.BETA_PLUS)
        photons = math.fsum(e.per_decay for e in found.emissions if e.kind is EmissionKind.ANNIHILATION)
        assert photons == pytest.approx(2 * positrons, rel=1e-5)
