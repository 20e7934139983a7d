"""The built wheel, not the source tree, runs the main job in a bare virtual environment."""

import json
import os
import subprocess
import sys
import venv
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from factories.therapy_case import write_case

ROOT = Path(__file__).parents[2]


def run(*command, cwd, **more):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV"))} | more
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


def needed(distribution):
    """Distributions that one declares to need, and that those need, without extras."""
    found, waiting = {}, [distribution]
    while waiting:
        for line in waiting.pop().requires or ():
            asked = Requirement(line)
            if asked.name not in found and (asked.marker is None or asked.marker.evaluate({"extra": ""})):
                found[asked.name] = metadata.distribution(asked.name)
                waiting.append(found[asked.name])
    return found.values()


def lend(distributions, folder):
    """Link what is installed here into another environment, which then has these distributions and no others."""
    for lent in distributions:
        for top in {file.parts[0] for file in lent.files} - {"..", "__pycache__"}:
            if not (folder / top).exists():
                (folder / top).symlink_to(lent.locate_file(top))


def test_the_installed_wheel_runs_the_main_job_with_what_it_declares_to_need_and_nothing_else(wheel, tmp_path):
    bare = tmp_path / "venv"
    venv.create(bare)
    python = bare / "bin" / "python"
    install = ("--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile")
    run(sys.executable, "-m", "pip", "--python", python, "install", *install, wheel, cwd=tmp_path)
    where = Path(run(python, "-c", "import hevesy; print(hevesy.__file__)", cwd=tmp_path).strip())
    assert where.is_relative_to(bare)
    packages = where.parents[1]
    lend(needed(next(metadata.distributions(name="hevesy", path=[str(packages)]))), packages)
    case = write_case(tmp_path / "case", hours=(4.0, 24.0, 96.0))
    shown = run(bare / "bin" / "hevesy", "dose", case, "--out", tmp_path / "out", cwd=tmp_path, NUMBA_OPT="0")
    assert "lesion" in shown
    record = json.loads((tmp_path / "out" / "results.json").read_text())
    assert {region["name"] for region in record["regions"]} == {"organ", "lesion"}
    assert all(region["absorbed_dose_Gy"]["u"] > 0 for region in record["regions"])
