"""The page on integrating curves shows what the command prints."""

from __future__ import annotations

import re
from pathlib import Path

from hevesy.cli import main

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "integrate-curves.md"


def test_the_table_on_the_page_is_what_the_command_prints(tmp_path, capsys, monkeypatch):
    text = PAGE.read_text(encoding="utf-8")
    table, shown = (re.search(rf"```{kind}\n(.*?)```", text, re.DOTALL).group(1) for kind in ("csv", "text"))
    (tmp_path / "curves.csv").write_text(table, encoding="utf-8")
    monkeypatch.setenv("COLUMNS", "110")
    arguments = ["tia", str(tmp_path / "curves.csv"), "--nuclide", "Lu-177"]
    assert main([*arguments, "--radiopharmaceutical", "Lu-177 DOTATATE"]) == 0
    printed = capsys.readouterr().out
    assert [line.split() for line in printed.splitlines()] == [line.split() for line in shown.splitlines()]
