import json

import pytest

from hevesy.cli import main
from hevesy.cli.nuclide import half_life_text


def printed(capsys, *arguments):
    assert main(["nuclide", *arguments]) == 0
    return capsys.readouterr().out


def test_lu_177_is_printed_with_what_its_therapy_needs(capsys):
    text = printed(capsys, "177Lu")
    assert "Lu-177   half-life 6.647 d" in text
    assert "states no uncertainty" in text
    for fact in ("beta-                               133.27", "208.37           11", "Hf-177           100  β-"):
        assert fact in text
    assert "ICRP Publication 107" in text
    assert "educational, research and not-for-profit" in text


def test_piped_output_has_neither_colour_nor_rules(capsys):
    text = printed(capsys, "Tc-99m", "--chain")
    assert "\x1b" not in text
    assert "─" not in text


def test_a_chain_counts_each_member_by_its_branching(capsys):
    facts = json.loads(printed(capsys, "Pb-212", "--chain", "--json"))
    members = {m["name"]: m["decays_per_decay_of_parent"] for m in facts["chain"]["members"]}
    # mean lives differ, but each decay of Pb-212 ends as one of Bi-212, 35.94% of these as one of Tl-208
    assert members == pytest.approx({"Pb-212": 1, "Bi-212": 1, "Po-212": 0.6406, "Tl-208": 0.3594})
    totals = facts["chain"]["total_per_decay_of_parent"]
    assert totals["alphas_keV"] == pytest.approx(sum(m["alphas_keV"] for m in facts["chain"]["members"]))


def test_json_holds_every_photon_and_the_energies_agree_with_it(capsys):
    facts = json.loads(printed(capsys, "I-131", "--json"))
    assert facts["half_life_s"] == {"value": pytest.approx(8.0207 * 86400), "u": 0}
    total = sum(p["energy_keV"] * p["per_decay"] for p in facts["photons"])
    assert total == pytest.approx(facts["photons_keV"], rel=1e-9)
    assert "chain" not in facts


def test_a_half_life_from_a_file_is_shown_with_its_uncertainty_and_source(capsys, tmp_path):
    path = tmp_path / "half-lives.yaml"
    path.write_text("Lu-177: {half_life: 6.6443 d, u: 0.0013 d, source: a named evaluation}")
    text = printed(capsys, "Lu-177", "--half-lives", str(path))
    assert "half-life 6.6443 d ± 0.0013 d" in text or "half-life 6.6443 ± 0.0013 d" in text
    assert "a named evaluation" in text
    assert "states no uncertainty" not in text


def test_a_half_life_of_a_daughter_reaches_the_chain(capsys, tmp_path):
    path = tmp_path / "half-lives.yaml"
    path.write_text("Bi-212: {half_life: 60.6 min, u: 0.1 min, source: a named evaluation}")
    facts = json.loads(printed(capsys, "Pb-212", "--chain", "--json", "--half-lives", str(path)))
    assert facts["chain"]["members"][1]["half_life_s"] == {"value": pytest.approx(3636), "u": pytest.approx(6)}


def test_an_unknown_nuclide_ends_with_one_line_and_a_code(capsys):
    assert main(["nuclide", "Lx-177"]) == 6
    refusal = capsys.readouterr()
    assert refusal.out == ""
    assert refusal.err.count("\n") == 1
    assert "Lu-177" in refusal.err


def test_fission_is_named_as_what_it_is(capsys):
    assert "fission products" in printed(capsys, "Cf-252", "--chain")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(4.2e-6, "4.2 µs"), (0.0323, "32.3 ms"), (76.38, "1.273 min"), (21654, "6.015 h"), (574300.8, "6.647 d")],
)
def test_half_lives_are_shown_in_a_readable_unit(seconds, text):
    assert half_life_text(seconds, 0.0) == text
