"""Write what the examples of tutorials and how-to pages print.

    python tools/write_examples.py          runs every example and writes what it printed
    python tools/write_examples.py --check  says which pages show something else, and writes nothing

An example is a block of `sh` that holds `hevesy` commands, or of `python`; what it prints stands in the block of `text`
that follows at once. Examples run in the repository's root; the Python of a page is one session.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import sys
from pathlib import Path
from typing import Any
from unittest import mock

from hevesy.cli import main as hevesy

ROOT = Path(__file__).parents[1]
PAGES = sorted(page for folder in ("tutorials", "how-to") for page in (ROOT / "docs" / folder).glob("*.md"))
EXAMPLE = re.compile(r"^```(sh|python)\n(.*?)^```$(\n\n```text\n)?", flags=re.MULTILINE | re.DOTALL)
SHOWN = re.compile(r".*?(?=^```$)", flags=re.MULTILINE | re.DOTALL)


def main() -> None:
    """Write every page that shows something else than its examples print, or name it."""
    behind = [page for page in PAGES if written(page) != page.read_text(encoding="utf-8")]
    if "--check" in sys.argv:
        sys.exit(f"Behind the code: {', '.join(p.name for p in behind)}. Run it without --check." if behind else 0)
    for page in behind:
        page.write_text(written(page), encoding="utf-8")
        print(page)


def written(page: Path) -> str:
    """Return a page with what its examples print; those of Python run even if the page does not show it."""
    text, done, session = page.read_text(encoding="utf-8"), 0, dict[str, Any]()
    parts = []
    for example in EXAMPLE.finditer(text):
        shows = example[3] is not None
        if shows or example[1] == "python":
            printed = output(example[1], example[2], session)
            if shows:
                parts += [text[done : example.end()], printed]
                shown = SHOWN.match(text, example.end())
                done = shown.end() if shown else len(text)
    return "".join([*parts, text[done:]])


def output(kind: str, code: str, session: dict[str, Any]) -> str:
    """Return what an example prints, refusals included."""
    printed = io.StringIO()
    screen = mock.patch.dict(os.environ, COLUMNS="100")
    with screen, contextlib.chdir(ROOT), contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        if kind == "python":
            exec(compile(code, "example", "exec"), session)
        else:
            for line in code.replace("\\\n", " ").splitlines():
                hevesy(shlex.split(line)[1:])
    return "".join(f"{line.rstrip()}\n" for line in printed.getvalue().splitlines())


if __name__ == "__main__":
    main()
