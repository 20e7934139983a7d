"""The built wheel, not the source tree, runs the main job in a bare virtual environment."""

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from factories.therapy_case import write_case

ROOT = Path(__file__).parents[2]


def run(*command, cwd):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(
        [str(c) for c in command], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT, cwd=folder)
    return next(folder.glob("hevesy-*.whl"))


def test_the_wheel_holds_its_data_and_notices_and_no_patient(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for needed in ("hevesy/data/icrp107/LICENSE.ICRP-07", "hevesy/workflows/schema/case-1.0.json", "LICENSE", "NOTICE"):
        assert any(name.endswith(needed) for name in names), needed
    assert any(name.endswith("hevesy/web/workbench/static/workbench/viewer/viewer.js") for name in names)
    assert any(name.startswith("hevesy/stages/reporting/") and name.endswith(".json") for name in names)
    assert not [name for name in names if name.endswith((".dcm", ".nii.gz")) or "lu177-dotatate" in name]


def test_the_nuclide_data_stay_below_three_megabytes(wheel):
    infos = zipfile.ZipFile(wheel).infolist()
    assert sum(i.compress_size for i in infos if "/data/icrp107/" in i.filename) < 3e6


def test_the_installed_wheel_runs_the_main_job(wheel, tmp_path):
    bare = tmp_path / "venv"
    venv.create(bare, with_pip=True)
    pip = (bare / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(*pip, "--constraint", ROOT / "constraints.txt", wheel, cwd=tmp_path)
    where = run(bare / "bin" / "python", "-c", "import hevesy; print(hevesy.__file__)", cwd=tmp_path)
    assert str(bare) in where
    case = write_case(tmp_path / "case", hours=(4.0, 24.0, 96.0))
    shown = run(bare / "bin" / "hevesy", "dose", case, "--out", tmp_path / "out", cwd=tmp_path)
    assert "lesion" in shown
    record = json.loads((tmp_path / "out" / "results.json").read_text())
    assert {region["name"] for region in record["regions"]} == {"organ", "lesion"}
    assert all(region["absorbed_dose_Gy"]["u"] > 0 for region in record["regions"])
