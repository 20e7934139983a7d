"""``hevesy quality``: quality control of a gamma camera, from the image of a phantom or source."""

from __future__ import annotations

import argparse
import json
import math
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hevesy.errors import BadInput

if TYPE_CHECKING:
    from hevesy.workflows.camera_quality import CameraQuality, Circumstances, Finding

TESTS = ("uniformity", "resolution", "bars", "sensitivity", "rotation", "contrast", "point")


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not an instant such as 2024-03-01T12:00") from None


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("file", type=Path, metavar="FILE", help="DICOM image of the phantom or source")
    parser.add_argument("--test", choices=TESTS, help="what to measure; needed for a static view")
    parser.add_argument("--detector", type=int, metavar="N", help="which, where the image holds several")
    parser.add_argument(
        "--useful-mm", type=float, nargs=2, metavar=("H", "W"), help="the maker's useful field of view (uniformity)"
    )
    parser.add_argument(
        "--separation-mm", type=float, metavar="D", help="true distance of two line sources (resolution)"
    )
    parser.add_argument("--background", type=Path, metavar="FILE", help="image without the source (sensitivity)")
    parser.add_argument("--nuclide", help="of the source (sensitivity), such as Tc-99m")
    parser.add_argument("--activity-MBq", type=float, metavar="A", help="of the source")
    parser.add_argument("--u-percent", type=float, metavar="P", help="standard uncertainty of the activity")
    parser.add_argument("--measured-at", type=_instant, metavar="TIME", help="the instant that it refers to")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="write the image with its results as SVG")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> None:
    """Print what the test found."""
    from hevesy.workflows.camera_quality import examine_camera

    found = examine_camera(options.file, options.test, _circumstances(options))
    if options.picture:
        _draw(found, options.picture)
    if options.json:
        print(json.dumps(_facts(found), indent=2, ensure_ascii=False))
        return
    print(f"{options.file.name}: {found.test}")
    for finding in found.findings:
        print(f"  {_line(finding)}")
    for warning in found.warnings:
        print(f"  warning: {warning}")


def _circumstances(options: argparse.Namespace) -> Circumstances:
    from hevesy.core import Measured
    from hevesy.data.nuclides import nuclide
    from hevesy.stages.quantification.calibration import KnownActivity
    from hevesy.workflows.camera_quality import Circumstances

    given = (options.nuclide, options.activity_MBq, options.u_percent, options.measured_at)
    known = None
    if any(value is not None for value in given):
        if None in given:
            raise BadInput(
                "A source needs its nuclide, activity, uncertainty and instant.",
                "Give --nuclide, --activity-MBq, --u-percent and --measured-at.",
            )
        activity = options.activity_MBq * 1e6
        if not (activity > 0 and options.u_percent >= 0):
            raise BadInput("A source needs a positive activity and an uncertainty that is not negative.")
        measured = Measured(activity, activity * options.u_percent / 100, "Bq", "activity meter")
        known = KnownActivity(measured, options.measured_at, nuclide(options.nuclide).decay_constant)
    lengths = [*(options.useful_mm or ()), *([] if options.separation_mm is None else [options.separation_mm])]
    if any(not (math.isfinite(length) and length > 0) for length in lengths):
        raise BadInput("A length must be above 0 mm.", "Check --useful-mm and --separation-mm.")
    useful = tuple(options.useful_mm) if options.useful_mm else None
    return Circumstances(useful, options.separation_mm, known, options.background, options.detector)


def _line(finding: Finding) -> str:
    value = finding.value
    unit = value.unit if value.unit == "%" else f" {value.unit}" if value.unit else ""
    if value.u:
        digits = max(0, 1 - math.floor(math.log10(value.u)))
        text = f"{value.value:.{digits}f} ± {value.u:.{digits}f}{unit}"
    else:
        text = f"{value.value:.4g}{unit}"
    return f"{finding.name}: {text}" + (f" ({finding.remark})" if finding.remark else "")


def _facts(found: CameraQuality) -> dict[str, object]:
    return {
        "test": found.test,
        "findings": [
            {"name": f.name, "value": f.value.value, "u": f.value.u, "unit": f.value.unit, "remark": f.remark}
            for f in found.findings
        ],
        "warnings": list(found.warnings),
    }


def _draw(found: CameraQuality, path: Path) -> None:
    from hevesy.stages.reporting.camera_picture import camera_picture
    from hevesy.stages.reporting.whole_file import write_text

    lines = [_line(finding) for finding in found.findings]
    write_text(path, camera_picture(found.picture, f"Gamma camera: {found.test}", lines))
