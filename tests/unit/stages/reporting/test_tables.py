import csv
import io
from dataclasses import replace

import pytest

from factories.case_result import BALLS, case_result, rising_case
from hevesy.stages.reporting.tables import regions_csv, write_csv


def read(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_row_for_each_region_and_the_whole_body_last():
    rows = read(regions_csv(case_result()))
    assert [row["name"] for row in rows] == ["Liver lesion", "Left kidney", "Whole body"]
    assert float(rows[0]["effective_half_life_h"]) == pytest.approx(96)
    assert float(rows[0]["absorbed_dose_Gy"]) > 0
    assert rows[2]["absorbed_dose_Gy"] == ""


def test_an_effective_half_life_that_could_not_be_fitted_leaves_its_cell_empty():
    assert read(regions_csv(rising_case()))[0]["effective_half_life_h"] == ""


def test_lines_end_and_quotes_are_doubled_as_rfc_4180_says(tmp_path):
    name = 'Lesion "A", left\nlobe'
    write_csv(case_result(balls=(replace(BALLS[0], name=name),)), tmp_path / "regions.csv")
    text = (tmp_path / "regions.csv").read_bytes().decode()
    assert text.split("\r\n")[1].startswith('"Lesion ""A"", left\nlobe",lesion,')
    assert read(text)[0]["name"] == name


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_a_name_never_becomes_a_formula_of_a_spreadsheet(name):
    case = case_result(balls=(replace(BALLS[0], name=name),))
    assert read(regions_csv(case))[0]["name"] == f"'{name}"
