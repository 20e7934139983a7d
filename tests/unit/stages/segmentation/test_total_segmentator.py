"""TotalSegmentator as a process of its own.

The program is a double that obeys the documented command line (-i, -o, --fast, --roi_subset; one NIfTI a class): it is
large, needs weights that we may not fetch, and is nobody's dependency here.
"""

import json
import stat
import sys
import time
from pathlib import Path

import pytest

from hevesy.errors import MissingInformation, PeerFailed, UnknownName
from hevesy.stages.segmentation.total_segmentator import CLASSES, PROGRAM, segment

#: writes what it was called with, and an empty file for each class that it is asked for
WRITES = """
import json, os, pathlib, sys
out = pathlib.Path(sys.argv[sys.argv.index("-o") + 1]); out.mkdir()
asked = sys.argv[sys.argv.index("--roi_subset") + 1:] if "--roi_subset" in sys.argv else {classes}
for name in asked: (out / f"{{name}}.nii.gz").touch()
(out / "call.json").write_text(json.dumps({{"words": sys.argv[1:], "environment": dict(os.environ)}}))
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Put a program of this text on the path, and weights beside it."""
    folder, weights = tmp_path / "bin", tmp_path / "weights"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("TOTALSEG_WEIGHTS_PATH", str(weights))
    for number in (291, 297, 298):
        (weights / f"Dataset{number}_model").mkdir(parents=True)

    def put(text):
        program = folder / PROGRAM
        program.write_text(f"#!{sys.executable}\n{text}")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)

    return put


@pytest.fixture
def scratch(tmp_path):
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def all_classes():
    return repr([one for classes in CLASSES.values() for one in classes])


def test_it_is_called_as_documented_and_without_network(install, scratch, tmp_path):
    install(WRITES.format(classes=all_classes()))
    folder = segment(tmp_path / "ct.nii.gz", scratch, ["liver", "left lung"])
    call = json.loads((folder / "call.json").read_text())
    assert call["words"] == ["-i", str(tmp_path / "ct.nii.gz"), "-o", str(folder), "--fast"]
    environment = call["environment"]
    assert environment["TOTALSEG_WEIGHTS_PATH"] == str(tmp_path / "weights")
    assert environment["https_proxy"] == environment["HTTPS_PROXY"] == "http://127.0.0.1:9"
    settings = json.loads((scratch / "settings" / "config.json").read_text())
    assert environment["TOTALSEG_HOME_DIR"] == str(scratch / "settings")
    assert settings["send_usage_stats"] is False


def test_the_finer_model_is_asked_for_the_classes_alone(install, scratch, tmp_path):
    install(WRITES.format(classes="[]"))
    folder = segment(tmp_path / "ct.nii.gz", scratch, ["left kidney"], fast=False)
    assert json.loads((folder / "call.json").read_text())["words"][4:] == ["--roi_subset", "kidney_left"]


def test_without_it_one_line_says_how_to_get_it(scratch, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingInformation, match=r"not installed here.*Install it"):
        segment(tmp_path / "ct.nii.gz", scratch, ["liver"])


def test_weights_that_are_not_there_are_named_and_not_fetched(install, scratch, tmp_path):
    install(WRITES.format(classes="[]"))
    (tmp_path / "weights" / "Dataset297_model").rmdir()
    with pytest.raises(MissingInformation, match=r"Dataset297 in .*hevesy downloads none"):
        segment(tmp_path / "ct.nii.gz", scratch, ["liver"])
    with pytest.raises(MissingInformation, match="Dataset292"):
        segment(tmp_path / "ct.nii.gz", scratch, ["lumbar vertebrae"], fast=False)
    assert not (scratch / "masks").exists()


def test_its_last_line_is_told_when_it_fails(install, scratch, tmp_path):
    install("import sys\nprint('reading')\nprint('RuntimeError: out of memory', file=sys.stderr)\nsys.exit(3)")
    with pytest.raises(PeerFailed, match=r"failed \(3\): RuntimeError: out of memory"):
        segment(tmp_path / "ct.nii.gz", scratch, ["liver"])


def test_a_class_that_it_leaves_out_is_told(install, scratch, tmp_path):
    install(WRITES.format(classes="['liver']"))
    with pytest.raises(PeerFailed, match="no mask of spleen"):
        segment(tmp_path / "ct.nii.gz", scratch, ["liver", "spleen"])


#: starts a child of its own, as it does for saving, and waits
WAITS = """
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
out = pathlib.Path(sys.argv[sys.argv.index("-o") + 1]); out.mkdir()
(out / "child").write_text(str(child.pid)); time.sleep(60)
"""


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("ended_by", ["time", "a person"])
def test_it_and_its_children_are_ended(install, scratch, tmp_path, ended_by):
    install(WAITS)

    class Cancelled(Exception):
        pass

    def poll():
        if ended_by == "a person" and (scratch / "masks" / "child").is_file():
            raise Cancelled

    started = time.monotonic()
    with pytest.raises(PeerFailed if ended_by == "time" else Cancelled):
        segment(tmp_path / "ct.nii.gz", scratch, ["liver"], limit_s=0.6 if ended_by == "time" else 30, poll=poll)
    assert time.monotonic() - started < 20
    if (scratch / "masks" / "child").is_file() and Path("/proc").is_dir():
        pid = int((scratch / "masks" / "child").read_text() or 0)
        deadline = time.monotonic() + 5
        while pid and is_running(pid) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not (pid and is_running(pid))


def test_an_organ_that_it_is_not_asked_for_is_refused(install, scratch, tmp_path):
    install(WRITES.format(classes="[]"))
    with pytest.raises(UnknownName, match="pancreas"):
        segment(tmp_path / "ct.nii.gz", scratch, ["pancreas"])
