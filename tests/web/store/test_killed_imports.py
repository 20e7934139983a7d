import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from factories.databases import database_of

pytestmark = pytest.mark.process

DRIVER = Path(__file__).parent / "killed_imports.py"


def test_an_import_that_is_killed_twenty_times_loses_and_doubles_nothing(tmp_path, make_object):
    files = 250
    for number in range(1, files + 1):
        make_object(tmp_path / f"in/{number % 7}/{number}.dcm", f"1.2.3.1.{number}", InstanceNumber=number)
    command = [sys.executable, DRIVER, tmp_path / "in", "20", "7"]
    with database_of(tmp_path / "home") as database:
        environment = os.environ | database.environment
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        database.assert_sound()
    found = json.loads(done.stdout)
    assert found["during"] > 0  # kills fell into the import, not before it
    assert found == {
        "during": found["during"],
        "counts": [files, 0, 0, 0],
        "instances": files,
        "distinct": files,
        "summed": [files, files],
        "damage": [],
        "unnamed": 0,
    }
