"""Tests of the site once more, on PostgreSQL: a cluster that is made for them and thrown away."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from factories.postgresql import NEEDED, cluster

pytestmark = [
    pytest.mark.process,
    NEEDED,
    pytest.mark.skipif("HEVESY_DATABASE" in os.environ, reason="these tests run on another database already"),
]
HERE = Path(__file__).parent
#: what asks for a database; `benchmarks/postgresql.py` tries browsers and processes as well, which take minutes
TRIED = "database and not browser and not process"


def test_the_site_behaves_the_same_on_postgresql(tmp_path):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0", "-m", TRIED, str(HERE)]
    with cluster() as address:
        environment = os.environ | {"HEVESY_DATABASE": address, "HEVESY_HOME": str(tmp_path / "home")}
        done = subprocess.run(
            command, cwd=HERE.parents[1], env=environment, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "passed" in done.stdout
