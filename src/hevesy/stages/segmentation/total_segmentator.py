"""TotalSegmentator, where a person has installed it: run as a process of its own, without network."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from hevesy.errors import MissingInformation, PeerFailed, UnknownName

PROGRAM = "TotalSegmentator"
#: our name of an organ → the classes of its task "total" that make it up
CLASSES: Mapping[str, tuple[str, ...]] = {
    "left kidney": ("kidney_left",),
    "right kidney": ("kidney_right",),
    "liver": ("liver",),
    "spleen": ("spleen",),
    "left lung": ("lung_upper_lobe_left", "lung_lower_lobe_left"),
    "right lung": ("lung_upper_lobe_right", "lung_middle_lobe_right", "lung_lower_lobe_right"),
    "lumbar vertebrae": tuple(f"vertebrae_L{n}" for n in range(1, 6)),
}
#: longest that it may take unless told otherwise, s
LIMIT_S = 3600.0
#: how often a run is asked whether it shall go on, s
_POLL_S = 0.2
#: nothing listens there, so that no download begins
_NOWHERE = "http://127.0.0.1:9"
_FAST_MODEL, _CROP_MODEL, _ORGAN_MODEL, _VERTEBRA_MODEL = (f"Dataset{n}_" for n in (297, 298, 291, 292))


def classes_of(organs: Iterable[str]) -> tuple[str, ...]:
    """Return the classes of organs.

    Raises
    ------
    UnknownName
        If there is no such organ.
    """
    wanted = list(organs)
    for name in wanted:
        if name not in CLASSES:
            raise UnknownName(f"{PROGRAM} is not asked for '{name}'.", f"There are: {', '.join(CLASSES)}.")
    return tuple(one for name in wanted for one in CLASSES[name])


def segment(
    ct: Path,
    scratch: Path,
    organs: Iterable[str],
    *,
    fast: bool = True,
    limit_s: float = LIMIT_S,
    poll: Callable[[], None] = lambda: None,
) -> Path:
    """Run TotalSegmentator on a CT.

    It gets no network: its own folder of settings is one in `scratch` that sends no statistics, its weights are those
    that are there already, and its proxy leads nowhere.

    Parameters
    ----------
    ct : Path
        NIfTI, HU.
    scratch : Path
        A folder for what comes between.
    organs : iterable of str
        Keys of `CLASSES`.
    fast : bool
        Its 3 mm model in place of the one of 1.5 mm.
    limit_s : float
        It is ended after this time.
    poll : callable, optional
        Called while it runs; what it raises ends the run.

    Returns
    -------
    Path
        A folder with ``CLASS.nii.gz`` for each class.

    Raises
    ------
    MissingInformation
        If it is not installed, or its weights are not there.
    PeerFailed
        If it fails, takes too long, or leaves out a class.
    """
    program = shutil.which(PROGRAM)
    if program is None:
        raise MissingInformation(
            f"{PROGRAM} is not installed here.",
            f"Install it where hevesy runs ('pip install {PROGRAM}'; its weights have licences of their own), or find"
            " organs by uptake.",
        )
    classes = classes_of(organs)
    weights = _weights(classes, fast)
    target = scratch / "masks"
    command = [program, "-i", str(ct), "-o", str(target)]
    command += ["--fast"] if fast else ["--roi_subset", *classes]
    _run(command, _surroundings(weights, scratch), scratch / "log", limit_s, poll)
    missing = [one for one in classes if not (target / f"{one}.nii.gz").is_file()]
    if missing:
        raise PeerFailed(f"{PROGRAM} wrote no mask of {', '.join(missing)}.", "Is it version 2?")
    return target


def _weights(classes: Iterable[str], fast: bool) -> Path:
    """Return the folder of its weights, and refuse a run that would have to fetch some."""
    home = Path(os.environ.get("TOTALSEG_HOME_DIR") or Path.home() / ".totalsegmentator")
    folder = Path(os.environ.get("TOTALSEG_WEIGHTS_PATH") or home / "nnunet" / "results")
    needed = [_FAST_MODEL] if fast else [_CROP_MODEL, _ORGAN_MODEL]
    if not fast and any(one.startswith("vertebrae") for one in classes):
        needed.append(_VERTEBRA_MODEL)
    absent = [one.rstrip("_") for one in needed if not any(folder.glob(f"{one}*"))]
    if absent:
        task = "total_fast" if fast else "total"
        raise MissingInformation(
            f"{PROGRAM} has no weights of {', '.join(absent)} in {folder}.",
            f"Fetch them yourself with 'totalseg_download_weights -t {task}'; hevesy downloads none.",
        )
    return folder


def _surroundings(weights: Path, scratch: Path) -> dict[str, str]:
    """Return the environment of the process: weights that are there, no statistics, no network."""
    home = scratch / "settings"
    home.mkdir()
    settings = {"totalseg_id": "offline", "send_usage_stats": False, "prediction_counter": 0}
    (home / "config.json").write_text(json.dumps(settings), encoding="utf-8")
    proxies = dict.fromkeys(
        ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), _NOWHERE
    )
    kept = {name: value for name, value in os.environ.items() if name.lower() != "no_proxy"}
    return {**kept, **proxies, "TOTALSEG_HOME_DIR": str(home), "TOTALSEG_WEIGHTS_PATH": str(weights)}


def _run(
    command: list[str], environment: Mapping[str, str], log: Path, limit_s: float, poll: Callable[[], None]
) -> None:
    """Run a command in a process group of its own; end all of it on failure, on time, or when told to."""
    end = time.monotonic() + limit_s
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
        try:
            while process.poll() is None:
                poll()
                if time.monotonic() > end:
                    raise PeerFailed(f"{PROGRAM} was ended after {limit_s / 60:.3g} min.", "Allow it more time.")
                time.sleep(_POLL_S)
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    if process.returncode != 0:
        lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
        raise PeerFailed(f"{PROGRAM} failed ({process.returncode}): {lines[-1][:300] if lines else 'it said nothing'}")
