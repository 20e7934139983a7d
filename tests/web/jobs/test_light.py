"""What a server and an idle worker keep in memory: nothing that only computing needs."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.process

HEAVY = ("scipy", "numba", "SimpleITK", "matplotlib", "nibabel", "highdicom", "pydicom", "distributed", "torch")


def test_the_server_and_the_idle_worker_load_nothing_that_only_computing_needs(tmp_path):
    program = (
        "import sys, django; django.setup(); import hevesy.web.site.urls, hevesy.web.site.jobs.worker\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    site = {"DJANGO_SETTINGS_MODULE": "hevesy.web.site.settings", "HEVESY_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | site, capture_output=True, text=True, check=True
    )
    assert not set(done.stdout.split()) & set(HEAVY)
