"""The tables of the reference pages that follow from the code are those of the code."""

import re
import subprocess
import sys
from pathlib import Path

from hevesy.data.nuclides import read_half_lives
from hevesy.workflows.case import load_case

ROOT = Path(__file__).parents[2]


def test_no_reference_page_is_behind_the_code():
    command = [sys.executable, ROOT / "tools/write_reference.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def examples(page):
    return re.findall(r"^```yaml\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_case_file_that_its_page_shows_is_accepted(tmp_path):
    (example,) = examples("docs/reference/case.md")
    (tmp_path / "case.yaml").write_text(example, encoding="utf-8")
    assert load_case(tmp_path).get("regions")


def test_the_half_lives_that_their_page_shows_are_accepted(tmp_path):
    (example,) = examples("docs/how-to/override-a-half-life.md")
    (tmp_path / "half-lives.yaml").write_text(example, encoding="utf-8")
    assert set(read_half_lives(tmp_path / "half-lives.yaml")) == {"Lu-177", "Tc-99m"}
