"""Fields made from the schema of case.yaml."""

import pytest

from hevesy.errors import BadConfiguration, UnknownName
from hevesy.web.workbench.forms import GROUPS, field_of, read_fields, with_value
from hevesy.workflows.case import check


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ("administration.activity_MBq", "7400", 7400),
        ("administration.activity_MBq", "7,4", 7.4),
        ("administration.time", "2024-03-05T09:00:00", "2024-03-05T09:00:00"),
        ("registration", "none", "none"),
        ("regions.NAME.recovery", "0.8", 0.8),
        ("regions.NAME.recovery", "0.8 0.9", [0.8, 0.9]),
        ("regions.NAME.skip", "yes", True),
        ("patient.mass_kg", " ", None),
    ],
)
def test_what_is_typed_becomes_what_the_schema_wants(path, text, value):
    field = field_of(path, {})
    assert field.read(text) == value
    check(with_value({}, path, value))


def test_the_unit_stands_beside_the_name():
    field = field_of("administration.activity_MBq", {"administration": {"activity_MBq": 7400}})
    assert (field.label, field.unit, field.value) == ("Activity", "MBq", 7400)


def test_every_field_of_the_groups_is_in_the_schema():
    for path in (path for group in GROUPS.values() for path in group):
        assert field_of(path, {}).help or path.startswith("administration")


@pytest.mark.parametrize("text", ["heavy", "1 2", "1e", "inf", "nan"])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(BadConfiguration, match="is not a number"):
        field_of("patient.mass_kg", {}).read(text)


def test_a_key_that_does_not_exist_is_refused():
    with pytest.raises(UnknownName):
        field_of("patient.shoe_size", {})


def test_an_empty_field_takes_its_key_out_and_leaves_no_empty_branch():
    settings = {"patient": {"mass_kg": 80}, "nuclide": "Lu-177"}
    assert read_fields(settings, {"patient.mass_kg": ""}, ()) == {"nuclide": "Lu-177"}


def test_what_is_said_of_one_scan_names_all_of_them():
    found = read_fields({}, {"scans[].units@1.2": "BQML"}, ["1.1", "1.2"])
    assert found == {"scans": [{"series": "1.1"}, {"series": "1.2", "units": "BQML"}]}
    check(found)
