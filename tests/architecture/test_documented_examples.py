"""The examples of tutorials and how-to pages run, page by page, and print what the page shows."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def load(tool):
    spec = importlib.util.spec_from_file_location(tool, ROOT / f"tools/{tool}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


EXAMPLES = load("write_examples")


@pytest.mark.parametrize(
    "page", [p for p in EXAMPLES.PAGES if EXAMPLES.EXAMPLE.search(p.read_text(encoding="utf-8"))], ids=lambda p: p.stem
)
def test_the_examples_of_a_page_run_and_print_what_it_shows(page):
    assert EXAMPLES.written(page).splitlines() == page.read_text(encoding="utf-8").splitlines()


def test_a_page_that_shows_something_else_than_its_example_prints_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```python\nprint(6 * 7)\n```\n\n```text\n41\n```\n", encoding="utf-8")
    assert "\n42\n" in EXAMPLES.written(page)
