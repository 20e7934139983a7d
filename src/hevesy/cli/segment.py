"""``hevesy segment``: kidneys, liver and spleen of a case, to be confirmed by a person."""

from __future__ import annotations

import argparse
from pathlib import Path


def configure(command: argparse.ArgumentParser) -> None:
    """Add the options of ``hevesy segment``."""
    add = command.add_argument
    add("case", metavar="CASE", type=Path, help="folder with the images of one administration")
    add("--config", metavar="FILE", type=Path, help="what the images do not say (default: CASE/case.yaml if there)")
    add("--organs", metavar="NAME", nargs="+", help="such as kidneys liver spleen (the default)")
    add(
        "--by",
        choices=("uptake", "totalsegmentator"),
        default="uptake",
        help="uptake and CT (default), or that program",
    )
    add("--model", choices=("3 mm", "1.5 mm"), default="3 mm", help="of TotalSegmentator (default: 3 mm)")
    add(
        "--limit-min",
        metavar="T",
        type=float,
        default=60.0,
        help="longest that TotalSegmentator may take (default: 60)",
    )
    add("--out", metavar="FILE", type=Path, required=True, help="DICOM segmentation to write")


def run(options: argparse.Namespace) -> None:
    """Find the organs, write them, and list them."""
    from hevesy.cli.progress import steps
    from hevesy.workflows.case import load_case
    from hevesy.workflows.organ_request import USUAL, Asked
    from hevesy.workflows.organs import segment_case, write_organs

    case = load_case(options.case, options.config)
    asked = Asked(tuple(options.organs or USUAL), options.by, options.model == "3 mm", options.limit_min * 60)
    with steps() as progress:
        found = segment_case(options.case, case, asked, progress)
    write_organs(found, options.out)
    for region in found.regions:
        activity = region.integral(found.scan.activity) / 1e6
        print(f"{region.name:<14}{region.volume_mL:8.0f} mL  {activity:8.3g} MBq in {found.scan.label}")
        for note in region.provenance.notes:
            print(f"  {note}")
    for note in found.notes:
        print(note)
    print("Found automatically; to be confirmed by a person.")
