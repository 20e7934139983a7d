"""Outputs are whole or not there."""

import errno
import os

import pytest

from hevesy.errors import OutputFailed
from hevesy.workflows.delivery import MARK, delivering


def test_a_result_appears_whole(tmp_path):
    with delivering(tmp_path / "deep" / "out") as folder:
        (folder / MARK).write_text("{}")
        assert not (tmp_path / "deep" / "out").exists()
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["out"]
    assert (tmp_path / "deep" / "out" / MARK).read_text() == "{}"


def test_a_refusal_leaves_nothing_behind_not_even_the_parents(tmp_path):
    with pytest.raises(ValueError, match="no"), delivering(tmp_path / "deep" / "out") as folder:
        (folder / "half").write_text("x")
        raise ValueError("no")
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_result_is_replaced_as_a_whole_and_survives_a_failure(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / MARK).write_text("old")
    (out / "extra").write_text("old")
    with pytest.raises(OutputFailed, match="No space"), delivering(out) as folder:
        (folder / MARK).write_text("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert (out / MARK).read_text() == "old"
    with delivering(out) as folder:
        (folder / MARK).write_text("new")
    assert [(p.name, p.read_text()) for p in out.iterdir()] == [(MARK, "new")]
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_folder_with_other_files_and_a_file_are_refused_untouched(tmp_path):
    (tmp_path / "mine").write_text("thesis")
    for target in (tmp_path, tmp_path / "mine"):
        with pytest.raises(OutputFailed), delivering(target):
            pytest.fail("must not be entered")
    assert (tmp_path / "mine").read_text() == "thesis"
