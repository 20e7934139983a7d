import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

import hevesy
from factories.databases import database_of

pytestmark = pytest.mark.process


BEGUN = """
prepare_site()
from django.core.management import call_command; call_command('migrate', verbosity=0)
from hevesy.web.site.audit.record import record
for n in range(3): record(None, 'study.seen', f'1.2.{n}')
"""


def run(database, code):
    """Run code in a process of a site."""
    environment = os.environ | database.environment
    environment["PYTHONPATH"] = str(Path(hevesy.__file__).parents[1])  # the folder that the command runs in is another
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    text = f"import django; from hevesy.cli.serve import prepare_site; from hevesy.cli import main\n{code}"
    command, folder = [sys.executable, "-c", text], database.home.parent
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def three_lines(tmp_path_factory):
    """The database of a site in whose record are three lines, to be copied."""
    with database_of(tmp_path_factory.mktemp("begun") / "home") as database:
        begun = run(database, BEGUN)
        assert begun.returncode == 0, begun.stderr
        yield database


@pytest.fixture
def command(three_lines, tmp_path):
    """The command line on a site of its own, in whose record are three lines."""
    with database_of(tmp_path / "home", like=three_lines) as database:
        yield partial(run, database)


def test_a_sound_record_is_said_to_be_so_and_a_copy_is_written(command, tmp_path):
    done = command("raise SystemExit(main(['audit', '--verify', '--export', 'record.jsonl']))")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in (tmp_path / "record.jsonl").read_text().splitlines()]
    assert [line["subject"] for line in lines] == ["1.2.0", "1.2.1", "1.2.2"]
    assert f"3 lines, each as it was written. Hash of the last: {lines[-1]['hash']}" in done.stdout
    again = command("raise SystemExit(main(['audit', '--export', 'record.jsonl']))")
    assert again.returncode == 9
    assert "record.jsonl' cannot be written: File exists" in again.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"home", "record.jsonl"}


def test_a_record_that_was_meddled_with_is_refused_at_its_line(command):
    done = command(
        "prepare_site()\n"
        "from django.db import connection; from hevesy.web.site.audit import guard\n"
        "guard.take_off(connection)\n"
        "connection.cursor().execute(\"UPDATE audit_event SET subject = 'x' WHERE number = 2\")\n"
        "raise SystemExit(main(['audit', '--verify']))"
    )
    assert done.returncode == 4
    assert done.stderr.startswith("hevesy audit: Line 2 of the audit record is not as it was written.")


def test_the_guards_are_on_in_a_new_database(command):
    done = command(
        "prepare_site()\nfrom django.db import connection\nconnection.cursor().execute('DELETE FROM audit_event')"
    )
    assert "append-only" in done.stderr


@pytest.mark.parametrize("asked", [[], ["--export", "record.txt"]])
def test_what_is_asked_for_wrongly_is_refused(command, asked):
    done = command(f"raise SystemExit(main(['audit', *{asked!r}]))")
    assert done.returncode == 7
    assert len(done.stderr.splitlines()) == 1
