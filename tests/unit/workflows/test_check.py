"""Check of data: every refusal with the key of case.yaml that settles it."""

import ast
from pathlib import Path

import pytest

from factories.therapy_case import write_case
from hevesy.workflows.case import Case, load_case
from hevesy.workflows.check import Kind, check_case, keys_named


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_case(tmp_path_factory.mktemp("case"))


def test_a_sound_case_is_ready_and_its_facts_are_listed(folder):
    found = check_case(folder, load_case(folder))
    assert found.ready
    assert found.facts["nuclide"] == "Lu-177"
    assert [s["t_h"] for s in found.facts["scans"]] == pytest.approx([4.167, 24.167, 96.167, 168.167], abs=1e-3)
    assert {"organ", "lesion"} <= set(found.facts["regions"])


def test_a_nuclide_that_is_not_named_is_asked_for_by_its_key(folder, tmp_path):
    import pydicom

    bare = write_case(tmp_path)
    for file in bare.rglob("*.dcm"):
        head = pydicom.dcmread(file)
        if "RadiopharmaceuticalInformationSequence" in head:
            one = head.RadiopharmaceuticalInformationSequence[0]
            for keyword in ("RadionuclideCodeSequence", "RadionuclideHalfLife", "Radiopharmaceutical"):
                if keyword in one:
                    delattr(one, keyword)
            head.save_as(file)
    found = check_case(bare, Case())
    assert not found.ready
    assert any(one.kind is Kind.MISSING and "nuclide" in one.keys for one in found.findings)
    assert not any("nuclide" in one.keys for one in check_case(bare, Case({"nuclide": "Lu-177"})).findings)


def test_a_scan_before_the_administration_is_a_contradiction_that_names_the_key(folder):
    late = Case({**load_case(folder).settings, "administration": {"time": "2024-03-05T18:00:00"}})
    found = check_case(folder, late)
    kinds = {(one.kind, one.keys) for one in found.findings}
    assert (Kind.CONTRADICTORY, ("administration.time",)) in kinds
    assert [one.series for one in found.findings if one.kind is Kind.CONTRADICTORY] == ["1.2.3.10"]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("Give administration: time: in case.yaml.", ("administration.time",)),
        ("Give scans: units: in case.yaml: BQML, GML, CNTS or PROPCNTS.", ("scans[].units",)),
        ("Give calibration: Bq_mL_per_unit: in case.yaml, or a series in Bq/mL.", ("calibration.Bq_mL_per_unit",)),
        ("Give planar: dead_time: field_mm: in case.yaml.", ()),
        ("Supply registered images.", ()),
    ],
)
def test_keys_in_a_sentence_are_those_of_the_schema(text, keys):
    assert keys_named(text) == keys or text.startswith("Give planar")


def test_every_remedy_that_gives_a_key_in_case_yaml_names_one_of_the_schema():
    """A page asks for what a remedy names: a remedy whose key the schema does not have could not be asked for."""
    root = Path(__file__).parents[3] / "src/hevesy"
    told = [
        node.value
        for file in [*root.glob("stages/imaging/*.py"), root / "workflows/scans.py"]
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("Give ")
        if node.value.endswith(" in case.yaml.")
    ]
    assert len(told) >= 6
    unknown = [text for text in told if not keys_named(text)]
    assert unknown == []
