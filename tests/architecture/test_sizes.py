"""Past these sizes, a noun is missing. Arguments and complexity are the linter's to count."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"
FILES = sorted(SOURCE.rglob("*.py"))
LINES_OF_A_FILE = 500
LINES_OF_A_FUNCTION = 40
#: a compiled kernel keeps its innermost loops in one body, where the compiler can see them
LINES_OF_A_KERNEL = 80


def functions(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def lines_without_docstring(function):
    lines = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function, clean=False) is not None:
        docstring = function.body[0]
        lines -= docstring.end_lineno - docstring.lineno + 1
    return lines


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_files_and_functions_are_short(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= LINES_OF_A_FILE
    limit = LINES_OF_A_KERNEL if "kernels" in path.parts else LINES_OF_A_FUNCTION
    long = {f.name: n for f in functions(ast.parse(text)) if (n := lines_without_docstring(f)) > limit}
    assert not long
