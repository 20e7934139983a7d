"""case.yaml is checked against its schema, and every wrong key is refused with the nearest right one."""

import pytest

from hevesy.errors import BadConfiguration
from hevesy.workflows.case import ASSUMED, load_case, schema


def write(folder, text):
    (folder / "case.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nucilde: Lu-177", "Did you mean 'nuclide'"),
        ("administration: {activty_MBq: 7400}", "Did you mean 'activity_MBq'"),
        ("regions: {liver: {rol: organ}}", "'rol' is not a key of regions.liver. Did you mean 'role'"),
        ("scans: [{series: a, decay_corrected_to: injection}]", "scans.0.decay_corrected_to"),
        ("administration: {activity_MBq: -1}", "administration.activity_MBq"),
        ("nuclide: Lu-177\nnuclide: Y-90", "given twice"),
        ("nuclide: [Lu-177", "not YAML"),
        ("- a\n- b", "the file"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(tmp_path, text, message):
    with pytest.raises(BadConfiguration) as caught:
        load_case(write(tmp_path, text))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_file_is_an_empty_case_but_a_named_file_must_exist(tmp_path):
    assert load_case(tmp_path).settings == {}
    with pytest.raises(BadConfiguration, match="There is no file"):
        load_case(tmp_path, tmp_path / "other.yaml")


def test_instants_are_read_as_written_and_wrong_ones_refused(tmp_path):
    case = load_case(write(tmp_path, "administration: {time: 2018-11-15T09:22:00}"))
    assert case.instant("administration.time").isoformat() == "2018-11-15T09:22:00"
    case = load_case(write(tmp_path, "administration: {time: yesterday}"))
    with pytest.raises(BadConfiguration, match="not a date"):
        case.instant("administration.time")


def test_what_was_assumed_is_said_and_what_was_given_is_not(tmp_path):
    case = load_case(write(tmp_path, "uncertainty: {resolution_mm: 9}"))
    assert case.number("uncertainty.resolution_mm") == 9
    of_body = {"patient.mass_u_percent"}
    assert set(case.assumed()) == set(ASSUMED) - {"uncertainty.resolution_mm"} - of_body
    whole = load_case(write(tmp_path, "uncertainty: {resolution_mm: 9}\nwhole_body: {scans: true}"))
    assert set(whole.assumed()) - set(case.assumed()) == of_body


def test_every_assumption_is_a_key_of_the_schema():
    for path in ASSUMED:
        node = schema()
        for key in path.split("."):
            node = node["properties"][key]
        assert "unless given" in node["description"], path
