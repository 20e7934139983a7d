"""The Python examples of tutorials and how-to pages run, page by page, in the order in which a reader meets them."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted([*(DOCS / "tutorials").glob("*.md"), *(DOCS / "how-to").glob("*.md")])
EXAMPLE = re.compile(r"^```python\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    "page", [p for p in PAGES if EXAMPLE.search(p.read_text(encoding="utf-8"))], ids=lambda p: p.stem
)
def test_the_examples_of_a_page_run(page):
    names = {}
    for example in EXAMPLE.findall(page.read_text(encoding="utf-8")):
        exec(compile(example, str(page), "exec"), names)
