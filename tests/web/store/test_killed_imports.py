import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

DRIVER = Path(__file__).parent / "killed_imports.py"


def test_an_import_that_is_killed_twenty_times_loses_and_doubles_nothing(tmp_path, make_object):
    files = 250
    for number in range(1, files + 1):
        make_object(tmp_path / f"in/{number % 7}/{number}.dcm", f"1.2.3.1.{number}", InstanceNumber=number)
    environment = {k: v for k, v in os.environ.items() if k != "HEVESY_DATABASE"} | {
        "HEVESY_HOME": str(tmp_path / "home")
    }
    done = subprocess.run(
        [sys.executable, DRIVER, tmp_path / "in", "20", "7"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
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
        "database": "ok",
    }
