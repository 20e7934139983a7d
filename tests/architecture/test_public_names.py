"""What is promised exists: exported names, commands, and every name that the documentation points to."""

import argparse
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import hevesy
from hevesy import errors
from hevesy.cli import COMMANDS

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    m.name
    for m in pkgutil.walk_packages(hevesy.__path__, "hevesy.")
    if not m.name.endswith("__main__") and ".migrations" not in m.name  # Django writes those
)
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("name", MODULES)
def test_every_module_imports_and_says_what_it_is_for(name):
    module = importlib.import_module(name)
    assert (module.__doc__ or "").strip()
    for exported in getattr(module, "__all__", ()):
        assert hasattr(module, exported), exported


def test_every_noun_is_exported_by_core():
    from hevesy import core

    nouns = "Curve Grid Image Measured Nuclide Outline Patient Provenance Quantity Region Timing Emission Daughter"
    assert set(nouns.split()) <= set(core.__all__)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_parser_and_a_run(command):
    module = importlib.import_module(COMMANDS[command][0])
    module.configure(argparse.ArgumentParser())
    assert callable(module.run)


def test_every_refusal_has_an_exit_code_and_a_status_of_its_family():
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.HevesyError)]
    assert len(kinds) > 20
    for kind in kinds:
        assert 1 <= errors.exit_code(kind("refused")) <= 125
        assert 400 <= errors.http_status(kind("refused")) < 600


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_python_name_that_a_page_mentions_exists(page):
    for dotted in set(re.findall(r"`(hevesy(?:\.\w+)+)(?:\(\))?`", page.read_text(encoding="utf-8"))):
        assert resolves(dotted), f"{dotted} is mentioned in {page.name} and does not exist"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_path_that_a_page_mentions_exists(page):
    prefixes = "src|tests|docs|tools|examples|benchmarks|content"
    for path in set(re.findall(rf"`((?:{prefixes})/[\w./-]+)`", page.read_text(encoding="utf-8"))):
        assert (ROOT / path).exists(), f"{path} is mentioned in {page.name} and does not exist"


def resolves(dotted):
    parts = dotted.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[cut:]:
            if not hasattr(found, attribute):
                return False
            found = getattr(found, attribute)
        return True
    return False


def test_the_drawing_names_every_floor_and_every_stage():
    drawing = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    package = ROOT / "src/hevesy"
    rooms = [p.parent.name for p in [*package.glob("*/__init__.py"), *package.glob("stages/*/__init__.py")]]
    assert [room for room in rooms if not re.search(rf"\b{room}\b", drawing)] == []


@pytest.mark.parametrize("index", sorted((ROOT / "docs").glob("*/index.md")), ids=lambda index: index.parent.name)
def test_every_page_is_linked_from_the_index_of_its_folder(index):
    linked = set(re.findall(r"\]\(([\w.-]+\.md)\)", index.read_text(encoding="utf-8")))
    assert {page.name for page in index.parent.glob("*.md")} - {"index.md"} == linked
