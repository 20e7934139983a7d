import os
import shutil
import subprocess
from pathlib import Path

import pytest


@pytest.fixture
def faults():
    """Return a function that lists what dciodvfy finds wrong with a DICOM file."""
    tool = shutil.which("dciodvfy")
    if tool is None:
        if os.environ.get("CI") == "true":
            pytest.fail("dciodvfy (Debian package dicom3tools) is missing; it checks every DICOM object written.")
        pytest.skip("needs dciodvfy (Debian package dicom3tools)")

    def list_faults(path: Path) -> list[str]:
        ran = subprocess.run([tool, str(path)], capture_output=True, text=True, timeout=60, check=False)
        lines = (ran.stdout + ran.stderr).splitlines()
        assert lines, "dciodvfy names at least the kind of object"
        return [line for line in lines if "Error" in line or "Assertion" in line]

    return list_faults
